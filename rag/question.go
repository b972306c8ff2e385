package rag

import (
	"strings"
	"unicode"
)

// answerKind is what sort of words a question asks for.
type answerKind int

const (
	kindAny    answerKind = iota
	kindNumber            // when, how many, what year: an answer with a digit or number word
	kindName              // who, where, which company: an answer with a capital letter
)

// kindOf reads the sort of answer from the question's wording: the question
// word, or the noun right after it.
func (l *language) kindOf(question string) answerKind {
	for _, rule := range l.kinds {
		if asks(question, rule.phrases) {
			return rule.kind
		}
	}
	return kindAny
}

// asks says whether the question has one of the phrases, which are in lower
// case and words apart by a blank.
func asks(question string, phrases []string) bool {
	q := " " + strings.ToLower(strings.Join(strings.FieldsFunc(question, notInWord), " ")) + " "
	for _, phrase := range phrases {
		if strings.Contains(q, " "+phrase+" ") {
			return true
		}
	}
	return false
}

// A kindRule names phrases that ask for a kind of answer.
type kindRule struct {
	kind    answerKind
	phrases []string
}

var englishKinds = []kindRule{
	{kindNumber, []string{
		"how many", "how much", "how old", "how long", "how far", "how tall", "how large", "how big", "how often",
		"when", "what year", "which year", "what date", "what day", "what century", "what decade",
		"what percentage", "what percent", "what number", "what age", "what time", "what proportion", "what fraction",
		"what amount", "what distance", "what temperature", "what score", "in what year", "number of",
	}},
	{kindName, []string{
		"who", "whom", "whose", "where", "what person", "what man", "what woman", "what city", "what country", "what state",
		"which city", "which country", "which state", "which person", "what company", "which company", "what player",
		"which player", "what team", "which team", "what is the name", "what was the name", "what nationality", "what king",
		"what river", "what language", "what university", "which university", "what nation", "which nation", "what region",
	}},
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// fits says whether a span has the form that a kind asks for.
func (l *language) fits(span string, kind answerKind) bool {
	switch kind {
	case kindNumber:
		return l.hasNumber(span)
	case kindName:
		return hasCapital(span)
	}
	return false
}

var numberWords = map[string]bool{
	"zero": true, "one": true, "two": true, "three": true, "four": true, "five": true, "six": true, "seven": true,
	"eight": true, "nine": true, "ten": true, "eleven": true, "twelve": true, "thirteen": true, "fourteen": true,
	"fifteen": true, "twenty": true, "thirty": true, "forty": true, "fifty": true, "sixty": true, "seventy": true,
	"eighty": true, "ninety": true, "hundred": true, "thousand": true, "million": true, "billion": true, "half": true,
	"third": true, "quarter": true, "dozen": true, "several": true, "few": true, "once": true, "twice": true,
}

func (l *language) hasNumber(s string) bool {
	if strings.ContainsFunc(s, unicode.IsDigit) {
		return true
	}
	for w := range strings.FieldsFuncSeq(strings.ToLower(s), notInWord) {
		if l.numbers[w] {
			return true
		}
	}
	return false
}

func hasCapital(s string) bool {
	return strings.ContainsFunc(s, unicode.IsUpper)
}
