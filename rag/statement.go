package rag

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ragstone/ragstone/internal/chunk"
)

// statementReader cuts a stream of text into statements as they complete.
type statementReader struct {
	text    string
	refused bool // the model said that the passages hold no answer
}

// add takes the next piece and returns the statements it completes. A
// statement is complete when the next one has begun, so that its citations
// are never cut off.
func (r *statementReader) add(piece string) []string {
	r.text += piece
	if strings.Contains(r.text, noAnswer) {
		r.refused = true
		return nil
	}
	var done []string
	for {
		statement, rest, ok := cutStatement(r.text)
		if !ok {
			return done
		}
		r.text = rest
		done = append(done, statement)
	}
}

// rest returns what the stream ended with.
func (r *statementReader) rest() []string {
	var all []string
	for {
		statement, rest, ok := cutStatement(r.text)
		if !ok {
			break
		}
		all, r.text = append(all, statement), rest
	}
	if last := strings.TrimSpace(r.text); last != "" {
		all = append(all, last)
	}
	r.text = ""
	return all
}

// cutStatement splits off the first sentence and the citations behind it,
// once words of the next one are there.
func cutStatement(text string) (statement, rest string, ok bool) {
	spans := chunk.Sentences(text)
	for _, span := range spans[min(1, len(spans)):] {
		cut := span.Start + len(leadingCitations.FindString(text[span.Start:]))
		if next := strings.TrimSpace(text[cut:]); next == "" || next[0] == '[' {
			continue // citations, perhaps cut in the middle
		}
		if statement = strings.TrimSpace(text[:cut]); statement != "" {
			return statement, text[cut:], true
		}
	}
	return "", text, false
}

var (
	citationMark     = regexp.MustCompile(`\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]`)
	leadingCitations = regexp.MustCompile(`^(?:\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\])+\.?`)
)

// checker tests statements against the passages they name and numbers the
// quotes that support them.
type checker struct {
	hits      []Hit // as they were shown to the model
	citations []Citation
}

// supportShare is the part of a statement's content words its passages must
// cover.
const supportShare = 0.6

// statement parses one statement and checks it.
func (c *checker) statement(text string) Statement {
	s := Statement{Text: tidy(citationMark.ReplaceAllString(text, ""))}
	var cited []*Hit
	for _, m := range citationMark.FindAllStringSubmatch(text, -1) {
		for number := range strings.SplitSeq(m[1], ",") {
			if n, err := strconv.Atoi(strings.TrimSpace(number)); err == nil && n >= 1 && n <= len(c.hits) {
				cited = append(cited, &c.hits[n-1])
			}
		}
	}
	if len(cited) == 0 || !supports(cited, s.Text) {
		return s
	}
	s.Supported = true
	for _, hit := range cited {
		if n := c.quote(hit, s.Text); n > 0 && !slices.Contains(s.Cites, n) {
			s.Cites = append(s.Cites, n)
		}
	}
	s.Supported = len(s.Cites) > 0
	return s
}

// listMarks are the mark of a statement that is a list's item, and that of the
// next item, which stands on the line after it.
var listMarks = regexp.MustCompile(`^(?:[-*]|\d{1,2}[.)])\s+|\s*\n\s*(?:[-*]|\d{1,2}[.)])$`)

func tidy(s string) string { return listMarks.ReplaceAllString(strings.TrimSpace(s), "") }

var quotation = regexp.MustCompile(`"([^"]{3,})"|“([^”]{3,})”`)

// supports says whether the passages hold the statement's quotations word for
// word, all of its numbers and names, and most of its content words.
func supports(cited []*Hit, statement string) bool {
	var all strings.Builder
	for _, hit := range cited {
		all.WriteString(hit.Text)
		all.WriteByte('\n')
	}
	text := all.String()
	for _, m := range quotation.FindAllStringSubmatch(statement, -1) {
		if !strings.Contains(text, m[1]+m[2]) {
			return false
		}
	}
	l, lower := languageOf(statement), strings.ToLower(text)
	for i, word := range strings.FieldsFunc(statement, notInWord) {
		number := strings.ContainsFunc(word, unicode.IsDigit)
		name := i > 0 && hasCapital(word) && !l.isFunctionWord(word)
		if (number || name) && !containsWord(lower, strings.ToLower(word)) {
			return false
		}
	}
	content := l.wordsOf(statement)
	return len(content) > 0 && content.shareIn(l.wordsOf(text)) >= supportShare
}

// containsWord says whether word stands in text, not inside a longer one.
func containsWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		start := from + i
		end := start + len(word)
		if notInWord(orSpace(runeBefore(text, start))) && notInWord(orSpace(runeAfter(text, end))) {
			return true
		}
		from = end
	}
}

func orSpace(r rune) rune {
	if r == 0 {
		return ' '
	}
	return r
}

// quote cites the sentence of the passage that shares most content words with
// the statement and returns its number, 0 if none shares any.
func (c *checker) quote(hit *Hit, statement string) int {
	l := languageOf(statement)
	content := l.wordsOf(statement)
	share, span := 0.0, chunk.Span{}
	for _, candidate := range chunk.Sentences(hit.Text) {
		if s := content.shareIn(l.wordsOf(hit.Text[candidate.Start:candidate.End])); s > share {
			share, span = s, candidate
		}
	}
	if share == 0 {
		return 0
	}
	citation := hit.cite(len(c.citations)+1, span.Start, span.End)
	for _, have := range c.citations {
		if have.Path == citation.Path && have.Start == citation.Start {
			return have.N
		}
	}
	c.citations = append(c.citations, citation)
	return citation.N
}
