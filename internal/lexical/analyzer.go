package lexical

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/porter"
	"github.com/clipperhouse/uax29/v2/words"
)

// maxTermRunes cuts longer words into pieces, as Lucene's StandardTokenizer
// does, so that no input makes a term without bound.
const maxTermRunes = 255

// Analyzer turns text into terms. It is immutable and safe for concurrent use.
type Analyzer struct {
	name        string
	fold        func(string) string
	stem        func(*snowballstem.Env) bool
	stop        map[string]bool
	identifiers bool
}

// Lucene returns what Anserini indexes English with: the words of Unicode's
// UAX #29, possessive 's removed, lower case, without Lucene's 33 stop words,
// stemmed by Porter's algorithm of 1980. It exists to compare with published
// figures. Two of its rules differ from Lucene's PorterStemmer, which follows
// Porter's later program and maps -bli to -ble and -logi to -log; Snowball's
// version follows the paper.
func Lucene() *Analyzer {
	return &Analyzer{name: "lucene-english-1", fold: strings.ToLower, stem: porter.Stem, stop: luceneStopWords}
}

// Default returns Ragstone's own analyser: the words of UAX #29, folded (see
// fold), without Lucene's stop words, stemmed by Snowball's English stemmer; an
// identifier such as maxBatch_size2 gives its parts beside the whole.
func Default() *Analyzer {
	return &Analyzer{name: "ragstone-1", fold: fold, stem: english.Stem, stop: luceneStopWords, identifiers: true}
}

// Named returns the analyser with a name that an index recorded.
func Named(name string) (*Analyzer, bool) {
	for _, a := range []*Analyzer{Default(), Lucene()} {
		if a.name == name {
			return a, true
		}
	}
	return nil, false
}

// Name identifies the analyser and its version: two indexes with equal names
// have the same terms for the same text.
func (a *Analyzer) Name() string { return a.name }

// Terms returns the terms of a text in order, with repetitions.
func (a *Analyzer) Terms(text string) []string {
	var terms []string
	newAnalysis(a).each(text, func(term string) { terms = append(terms, term) })
	return terms
}

// analysis is an analyser at work on one text after another; it remembers the
// terms of words it has seen, since stemming is most of the cost.
type analysis struct {
	*Analyzer
	env   *snowballstem.Env
	known map[string]string // word to term; "" is a word without a term
}

// maxKnownWords bounds the memory of an analysis.
const maxKnownWords = 1 << 17

func newAnalysis(a *Analyzer) *analysis {
	return &analysis{Analyzer: a, env: snowballstem.NewEnv(""), known: map[string]string{}}
}

// each calls emit with every term of the text.
func (a *analysis) each(text string, emit func(term string)) {
	emitWord := func(word string) {
		if term := a.term(word); term != "" {
			emit(term)
		}
	}
	tokens := words.FromString(text)
	for tokens.Next() {
		token := tokens.Value()
		if !hasLetterOrNumber(token) {
			continue
		}
		for token != "" {
			var word string
			word, token = cutRunes(token, maxTermRunes)
			emitWord(word)
			if a.identifiers {
				eachPart(word, emitWord)
			}
		}
	}
}

// term returns the term of a word, or "" for a stop word.
func (a *analysis) term(word string) string {
	if term, ok := a.known[word]; ok {
		return term
	}
	term := a.fold(trimPossessive(word))
	switch {
	case a.stop[term]:
		term = ""
	case len(term) > 2 && utf8.ValidString(term): // length as in Porter's program and Lucene's
		a.env.SetCurrent(term)
		a.stem(a.env)
		term = a.env.Current()
	}
	if len(a.known) >= maxKnownWords {
		clear(a.known)
	}
	a.known[strings.Clone(word)] = strings.Clone(term)
	return term
}

func hasLetterOrNumber(token string) bool {
	for _, r := range token {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return true
		}
	}
	return false
}

// cutRunes splits a string after its first n runes.
func cutRunes(s string, n int) (head, rest string) {
	if len(s) <= n {
		return s, ""
	}
	end := 0
	for ; n > 0 && end < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return s[:end], s[end:]
}

// trimPossessive removes a final 's, with any of the three apostrophes that
// Lucene's EnglishPossessiveFilter knows.
func trimPossessive(word string) string {
	if len(word) < 3 || word[len(word)-1]|0x20 != 's' {
		return word
	}
	stem := word[:len(word)-1]
	for _, apostrophe := range []string{"'", "\u2019", "\uFF07"} {
		if cut, ok := strings.CutSuffix(stem, apostrophe); ok {
			return cut
		}
	}
	return word
}

// luceneStopWords are the 33 of Lucene's EnglishAnalyzer.
var luceneStopWords = wordSet(`a an and are as at be but by for if in into is it no not of on or such
	that the their then there these they this to was will with`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}
