package rag

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ragstone/ragstone/internal/lexical"
)

// words is a text's content words, as indexed, for measuring overlap.
type words map[string]bool

// contentTerms are a text's terms as the default analyser makes them, without
// those that carry no content in the language.
func (l *language) contentTerms(text string) []string {
	return slices.DeleteFunc(lexical.Default().Terms(text), func(term string) bool { return l.empty[term] })
}

// questionTerms are the English terms that only make a sentence a question.
// They are stemmed; "mani" is "many".
var questionTerms = setOf("what which who whom whose when where why how mani much did do doe done can could would should has have had were been")

// wordsOf is the set of a text's content terms.
func (l *language) wordsOf(text string) words {
	w := words{}
	for _, term := range l.contentTerms(text) {
		w[term] = true
	}
	return w
}

// numbersOf are the content terms of a text that have a digit.
func (l *language) numbersOf(text string) words {
	w := l.wordsOf(text)
	maps.DeleteFunc(w, func(term string, _ bool) bool { return !strings.ContainsFunc(term, unicode.IsDigit) })
	return w
}

// shareIn is the part of w's words that stand in other, from 0 to 1; 0 for no
// words at all.
func (w words) shareIn(other words) float64 {
	if len(w) == 0 {
		return 0
	}
	n := 0
	for term := range w {
		if other[term] {
			n++
		}
	}
	return float64(n) / float64(len(w))
}

// weight is the question's terms by their BM25 weight. A term no passage
// holds weighs the most: it is the strongest sign that the documents are
// about something else.
type weight map[string]float64

func (r *Results) weights() weight {
	w := weight{}
	l := languageOf(r.Question)
	for _, t := range r.Terms {
		if !l.empty[t.Term] {
			w[t.Term] = t.IDF
		}
	}
	return w
}

// sum is the weight of all terms together.
func (w weight) sum() float64 {
	all := 0.0
	for _, idf := range w {
		all += idf
	}
	return all
}

// coverage is the weighted share of the question's terms that text holds.
func (w weight) coverage(text words) float64 {
	have, all := 0.0, w.sum()
	if all == 0 {
		return 0
	}
	for term, idf := range w {
		if text[term] {
			have += idf
		}
	}
	return have / all
}

// standardise replaces each value by its distance from the mean in standard
// deviations (a z-score); all zero where the values do not differ.
func standardise(values []float64) []float64 {
	z := make([]float64, len(values))
	mean := 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	variance := 0.0
	for _, v := range values {
		variance += (v - mean) * (v - mean) / float64(len(values))
	}
	if variance < 1e-12 {
		return z
	}
	for i, v := range values {
		z[i] = (v - mean) / math.Sqrt(variance)
	}
	return z
}

// runeBefore and runeAfter look across a byte offset; 0 at the text's ends.
func runeBefore(s string, i int) rune {
	if i <= 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return r
}

func runeAfter(s string, i int) rune {
	if i >= len(s) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(s[i:])
	return r
}
