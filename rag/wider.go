package rag

import (
	"regexp"
	"strings"
)

// Some questions ask for more than a name or a number: how something is done,
// what it is. A span of a few words answers them badly, however probable it
// is, and the sentence that the evidence found answers them well.

var (
	// howQuestion asks for an account: the whole sentence is its answer.
	howQuestion = regexp.MustCompile(`(?i)^(how (do|can|should|could) (i|we|you|one|it|they)\b|how to\b|explain\b|describe\b|tell me\b|what happens\b)`)

	// whatQuestion asks what something of up to four words is.
	whatQuestion = regexp.MustCompile(`(?i)^what (?:is|are|was|were) ((?:an? |the )?(?:[\pL\pN._-]+ ?){1,4})\?*$`)
)

// wider returns the answer to a question that wants more than a short span, or
// nil: the best sentence, or what one of the best two says that the thing asked
// about is.
func wider(question string, sentences []*sentence) *span {
	question = strings.TrimSpace(question)
	if howQuestion.MatchString(question) {
		s := sentences[0]
		return &span{sentence: s, end: len(s.text())}
	}
	if m := whatQuestion.FindStringSubmatch(question); m != nil {
		for _, s := range sentences[:min(bestSentences, len(sentences))] {
			if d := predicate(s, strings.TrimSpace(m[1])); d != nil {
				return d
			}
		}
	}
	return nil
}

// predicate is what a sentence that begins with the name of a thing says that
// it is: "an open framework" in "Ragstone is an open framework."
func predicate(s *sentence, name string) *span {
	text := s.text()
	pattern := `(?i)^\W*(?:an? |the )?` + regexp.QuoteMeta(withoutArticle(name)) + `\W{0,2}\s+(?:is|are|was|were)\s+`
	m := regexp.MustCompile(pattern).FindStringIndex(oneLine(text))
	if m == nil {
		return nil
	}
	end := m[1] + len(trimClosing(text[m[1]:]))
	if end <= m[1] {
		return nil
	}
	return &span{sentence: s, start: m[1], end: end}
}

func withoutArticle(name string) string {
	for _, article := range []string{"a ", "an ", "the "} {
		if len(name) > len(article) && strings.EqualFold(name[:len(article)], article) {
			return name[len(article):]
		}
	}
	return name
}
