package rag

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The evidence about a span, in the order of spanWeights. Each is roughly
// between -3 and 3.
const (
	fLogProb       = iota // log-probability / √(tokens + 1)
	fPrior                // the same after anyQuestion
	fStop                 // log-probability that the answer ends behind the span
	fOverlap              // share of the span's words that stand in the question
	fNumber               // the question asks for a number and the span holds one
	fName                 // the question asks for a name and the span is capitalised
	fSentence             // the sentence's score
	fFunctionFirst        // begins with a function word other than an article
	fFunctionLast         // ends with a function word
	fNear                 // closeness of the question's words in the sentence
	fStops                // the words go on behind the span inside the same name
	fArticle              // begins with an article
	fAllCapital           // the question asks for a name and every word but function words is capitalised
	fYear                 // the question asks for a time and the span holds a year
	numFeatures
)

// describe fills the features of the spans.
func describe(spans []*span, question string) {
	l := languageOf(question)
	asked, kind := l.wordsOf(question), l.kindOf(question)
	asksTime := asks(question, l.time)
	terms := &termTable{l, map[string][]string{}}
	fieldsOf := map[*sentence][]field{}
	for _, s := range spans {
		if _, ok := fieldsOf[s.sentence]; !ok {
			fieldsOf[s.sentence] = askedFields(s.sentence, asked, terms)
		}
		text := s.text()
		fields := strings.Fields(text)
		own := terms.words(fields)
		f := &s.features
		f[fLogProb] = s.evidence(s.logProb)
		f[fPrior] = s.evidence(s.prior)
		f[fStop] = s.stop
		f[fOverlap] = own.shareIn(asked)
		f[fNumber] = truth(kind == kindNumber && l.fits(text, kind))
		f[fName] = truth(kind == kindName && l.fits(text, kind))
		f[fSentence] = s.sentence.score
		f[fFunctionFirst] = truth(l.isFunctionWord(fields[0]) && !l.isArticle(fields[0]))
		f[fFunctionLast] = truth(l.isFunctionWord(fields[len(fields)-1]))
		f[fNear] = nearness(s, fieldsOf[s.sentence])
		f[fStops] = truth(cutsName(s))
		f[fArticle] = truth(l.isArticle(fields[0]))
		f[fAllCapital] = truth(kind == kindName && l.allCapital(fields))
		f[fYear] = truth(asksTime && year.MatchString(text))
		s.column = terms.words(strings.Fields(s.columnHeading())).shareIn(asked)
	}
}

var year = regexp.MustCompile(`\b(1[0-9]{3}|20[0-9]{2})s?\b`)

// termTable remembers the content terms of words: the spans of a sentence share
// theirs.
type termTable struct {
	*language
	known map[string][]string
}

// of returns the terms of a word between blanks.
func (t *termTable) of(field string) []string {
	terms, ok := t.known[field]
	if !ok {
		terms = t.contentTerms(field)
		t.known[field] = terms
	}
	return terms
}

// words is the set of the terms of several words.
func (t *termTable) words(fields []string) words {
	w := words{}
	for _, field := range fields {
		for _, term := range t.of(field) {
			w[term] = true
		}
	}
	return w
}

// allCapital says whether every word but function words is capitalised.
func (l *language) allCapital(fields []string) bool {
	for _, w := range fields {
		if !l.isFunctionWord(w) && !unicode.IsUpper([]rune(strings.TrimFunc(w, notInWord) + " ")[0]) {
			return false
		}
	}
	return true
}

// rankSpans scores the spans and sorts them, best first.
func rankSpans(spans []*span) {
	for _, s := range spans {
		s.score = columnWeight * s.column
		for i, w := range spanWeights {
			s.score += w * s.features[i]
		}
	}
	slices.SortStableFunc(spans, func(a, b *span) int { return cmp.Compare(b.score, a.score) })
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

var functionWords = setOf(`a an the of in on at to for from by with as and or but nor that which who whom whose
	this these those it its is are was were be been being has have had do does did not than then into over under
	between after before during while because so such if about against through he she they his her their we our`)

func setOf(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

func (l *language) isFunctionWord(w string) bool {
	return l.function[strings.ToLower(strings.TrimFunc(w, notInWord))]
}

func (l *language) isArticle(w string) bool { return l.articles[strings.ToLower(w)] }

// nearness is 1 where words of the question stand right beside the span in
// its sentence, falling with the distance in words; the mean over the nearest
// such word on either side.
func nearness(s *span, asked []field) float64 {
	before, after := 0.0, 0.0
	fieldsBetween := func(from, to int) int { return 1 + len(strings.Fields(s.sentence.text()[from:to])) }
	for _, f := range asked {
		switch {
		case f.end <= s.start:
			before = 1 / float64(fieldsBetween(f.end, s.start))
		case f.start >= s.end && after == 0:
			after = 1 / float64(fieldsBetween(s.end, f.start))
		}
	}
	return (before + after) / 2
}

// field is a word of a sentence.
type field struct{ start, end int }

// askedFields are the words of a sentence that stand in the question.
func askedFields(s *sentence, asked words, terms *termTable) []field {
	var fields []field
	text := s.text()
	for _, start := range wordStarts(text, s.borders()) {
		end := start + len(strings.Fields(text[start:])[0])
		for _, term := range terms.of(text[start:end]) {
			if asked[term] {
				fields = append(fields, field{start, end})
				break
			}
		}
	}
	return fields
}

// cutsName says whether the span ends between two capitalised words or begins
// between them: the name it holds goes on outside.
func cutsName(s *span) bool {
	text := s.sentence.text()
	capital := func(w string) bool {
		return w != "" && unicode.IsUpper([]rune(w)[0])
	}
	edge := func(outside, inside string) bool { return capital(outside) && capital(inside) }
	fields := strings.Fields(s.text())
	if rest := strings.Fields(text[s.end:]); len(rest) > 0 && strings.HasPrefix(text[s.end:], " ") {
		if edge(rest[0], fields[len(fields)-1]) {
			return true
		}
	}
	if lead := strings.Fields(text[:s.start]); len(lead) > 1 && strings.HasSuffix(text[:s.start], " ") {
		last := lead[len(lead)-1]
		return edge(last, fields[0]) && !isClosing(runeBefore(last, len(last)))
	}
	return false
}
