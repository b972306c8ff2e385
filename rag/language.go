package rag

import (
	"strings"
	"unicode"

	"github.com/ragstone/ragstone/internal/lexical"
)

// A language is what the evidence needs to know of one: which words carry
// grammar instead of content, and what a question's wording asks for. The
// words are in languages.go.
//
// The keyword index knows English alone. In other languages it finds words as
// they are written, and articles and question words are terms like any other;
// without a language of its own, a German question would seem to miss the words
// "wie viele" in every document that answers it.
type language struct {
	name string

	// words are those the language is told by: lower case, most of its function
	// and question words.
	words map[string]bool

	letters string // that no other language here has, or ""

	// empty are the terms, as the analyser makes them, without content.
	empty map[string]bool

	// function words rarely begin or end an answer; articles are some of them.
	function, articles map[string]bool

	kinds   []kindRule
	time    []string        // words of a question that asks for a time
	numbers map[string]bool // words that are numbers
}

// languageOf tells the language of a question: that which most of its words
// belong to, English where none stands out. Chinese is told by its script.
func languageOf(question string) *language {
	if isHan(question) {
		return chinese
	}
	words := strings.FieldsFunc(strings.ToLower(question), notInWord)
	best, most := english, english.count(words)
	for _, l := range otherLanguages {
		if n := l.count(words); n > most {
			best, most = l, n
		}
	}
	return best
}

// count is how many of the words are the language's or are spelled with its
// letters. Single letters tell nothing.
func (l *language) count(words []string) int {
	n := 0
	for _, w := range words {
		if len(w) > 1 && (l.words[w] || l.letters != "" && strings.ContainsAny(w, l.letters)) {
			n++
		}
	}
	return n
}

// isHan tells a text mostly of Chinese characters. Kana beside them make it
// Japanese.
func isHan(text string) bool {
	han, others := 0, 0
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return false
		case unicode.IsLetter(r):
			others++
		}
	}
	return 4*han > others // a word takes about four times the letters
}

// isEnglish tells the language the models and the weights were made for.
func (l *language) isEnglish() bool { return l == english }

// termsOf are the terms of words, as the analyser makes them.
func termsOf(words map[string]bool) map[string]bool {
	terms := map[string]bool{}
	for w := range words {
		for _, term := range lexical.Default().Terms(w) {
			terms[term] = true
		}
	}
	return terms
}

// newLanguage makes a language other than English. Kinds are phrases that ask
// for a number and for a name.
func newLanguage(name, letters, articles, function, asking, time, numbers string, number, named []string) *language {
	l := &language{
		name:     name,
		letters:  letters,
		articles: setOf(articles),
		function: setOf(articles + " " + function),
		words:    setOf(articles + " " + function + " " + asking),
		time:     strings.Fields(time),
		numbers:  setOf(numbers),
		kinds:    []kindRule{{kindNumber, number}, {kindName, named}},
	}
	l.empty = termsOf(l.words)
	return l
}
