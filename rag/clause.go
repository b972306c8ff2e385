package rag

import "regexp"

// coordinator parts the clauses of an English sentence; each begins with its
// own.
var coordinator = regexp.MustCompile(`\b(?:and|but|while|whereas)\b|;`)

// inAskedClause returns the span to answer with instead of the best one, or
// nil: of "The office opens at 8:00 and closes at 18:00", asked when it opens, a
// small model likes the later time, which ends the sentence. A number in a
// clause that has no word of the question gives way to the best number of the
// same sentence in a clause that has one.
//
// On the odd half of XQuAD it is one answer in 400 that changes, from one wrong year
// to another. Among names, where a list is parted by "and" too, it would do harm.
func inAskedClause(question string, spans []*span) *span {
	l := languageOf(question)
	if len(spans) == 0 || !l.isEnglish() || l.kindOf(question) != kindNumber {
		return nil
	}
	asked, best := l.wordsOf(question), spans[0]
	isAsked := func(s *span) bool { return l.wordsOf(s.clause()).shareIn(asked) > 0 }
	if !l.hasNumber(best.text()) || isAsked(best) {
		return nil
	}
	for _, s := range spans[1:] {
		if s.sentence == best.sentence && l.hasNumber(s.text()) && !coordinator.MatchString(s.text()) && isAsked(s) {
			return s
		}
	}
	return nil
}

// clause is the part of the span's sentence between the coordinators around
// its start.
func (s *span) clause() string {
	text := s.sentence.text()
	start, end := 0, len(text)
	for _, at := range coordinator.FindAllStringIndex(text, -1) {
		if at[0] <= s.start {
			start = at[0]
		} else {
			end = at[0]
			break
		}
	}
	return text[start:end]
}
