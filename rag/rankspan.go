package rag

import (
	"cmp"
	"math"
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
	asked, kind := wordsOf(question), kindOf(question)
	asksTime := timeQuestion.MatchString(question)
	fieldsOf := map[*sentence][]field{}
	for _, s := range spans {
		if _, ok := fieldsOf[s.sentence]; !ok {
			fieldsOf[s.sentence] = askedFields(s.sentence.text(), asked)
		}
		text := s.text()
		own := wordsOf(text)
		fields := strings.Fields(text)
		f := &s.features
		f[fLogProb] = s.logProb / math.Sqrt(float64(s.tokens+1))
		f[fPrior] = s.prior / math.Sqrt(float64(s.tokens+1))
		f[fStop] = s.stop
		f[fOverlap] = own.shareIn(asked)
		f[fNumber] = truth(kind == kindNumber && kind.fits(text))
		f[fName] = truth(kind == kindName && kind.fits(text))
		f[fSentence] = s.sentence.score
		f[fFunctionFirst] = truth(isFunctionWord(fields[0]) && !isArticle(fields[0]))
		f[fFunctionLast] = truth(isFunctionWord(fields[len(fields)-1]))
		f[fNear] = nearness(s, fieldsOf[s.sentence])
		f[fStops] = truth(cutsName(s))
		f[fArticle] = truth(isArticle(fields[0]))
		f[fAllCapital] = truth(kind == kindName && allCapital(fields))
		f[fYear] = truth(asksTime && year.MatchString(text))
	}
}

var (
	timeQuestion = regexp.MustCompile(`(?i)\b(when|year|date|decade|century)\b`)
	year         = regexp.MustCompile(`\b(1[0-9]{3}|20[0-9]{2})s?\b`)
)

// allCapital says whether every word but function words is capitalised.
func allCapital(fields []string) bool {
	for _, w := range fields {
		if !isFunctionWord(w) && !unicode.IsUpper([]rune(strings.TrimFunc(w, notInWord) + " ")[0]) {
			return false
		}
	}
	return true
}

// rankSpans scores the spans and sorts them, best first.
func rankSpans(spans []*span) {
	for _, s := range spans {
		s.score = 0
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

func isFunctionWord(w string) bool {
	return functionWords[strings.ToLower(strings.TrimFunc(w, notInWord))]
}

func isArticle(w string) bool {
	switch strings.ToLower(w) {
	case "a", "an", "the":
		return true
	}
	return false
}

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

// askedFields are the words of a text that stand in the question.
func askedFields(text string, asked words) []field {
	var fields []field
	for _, start := range wordStarts(text) {
		end := start + len(strings.Fields(text[start:])[0])
		for _, term := range contentTerms(text[start:end]) {
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
