package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// Sentences returns the sentences of a text, in order: the units of prose, and
// headings, table rows and lines of code blocks whole. They hold no blanks at
// either end and no list markers or heading marks; blocks of punctuation alone
// (rules, fences) are left out. A single line break inside a paragraph is no
// boundary, so text wrapped at 80 columns is fine; a blank line, a list marker
// or a heading is one.
//
// Boundaries are those of Unicode Standard Annex 29, section 5, except that
// none is set after an abbreviation, an initial, the day of a date ("1. Mai")
// or a number that heads a sentence, and that a reference ("[3]") after a full stop stays with the
// sentence before it.
func Sentences(text string) []Span {
	var out []Span
	for _, b := range blocks(text) {
		body := trim(text, Span{b.body, b.End})
		if body.Start >= body.End {
			continue
		}
		parts := []Span{body}
		if b.kind == prose {
			parts = sentencesOf(text, body)
		}
		for _, s := range parts {
			if s = trim(text, s); hasWord(text[s.Start:s.End]) {
				out = append(out, s)
			}
		}
	}
	return out
}

func hasWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) >= 0
}

// sentencesOf tiles a paragraph with its sentences; there is at least one.
func sentencesOf(text string, paragraph Span) []Span {
	// Annex 29 breaks at every line break (rule SB4), which a paragraph wrapped
	// by hand has everywhere.
	flat := flatten(text[paragraph.Start:paragraph.End])
	var out []Span
	start := 0
	found := sentences.FromString(flat)
	for found.Next() {
		end := found.End()
		if end <= start { // inside a reference that was passed
			continue
		}
		end += referenceLength(flat[start:end], flat[end:])
		if end >= len(flat) || !isBoundary(flat[start:end], flat[end:]) {
			continue
		}
		out = append(out, Span{paragraph.Start + start, paragraph.Start + end})
		start = end
	}
	return append(out, Span{paragraph.Start + start, paragraph.End})
}

// flatten puts a space for each byte of a line break.
func flatten(s string) string {
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if c == '\n' || c == '\r' {
			b[i] = ' '
		}
	}
	return string(b)
}

// referenceLength is how much of what follows a sentence is a reference to a
// note that belongs to it: Annex 29 takes the bracket of ".[3]" for a closing
// one and breaks after it.
func referenceLength(sentence, next string) int {
	if !strings.HasSuffix(sentence, "[") || strings.HasSuffix(sentence, " [") {
		return 0
	}
	length := 0
	for {
		rest := next[length:]
		end := strings.IndexByte(rest[:min(len(rest), 24)], ']')
		if end < 0 {
			return length
		}
		length += end + 1
		if !strings.HasPrefix(next[length:], "[") {
			break
		}
		length++
	}
	blanks := len(next[length:]) - len(strings.TrimLeft(next[length:], " "))
	return length + blanks
}

// contextBytes is how far isBoundary looks on either side. A bound keeps a text
// of nothing but abbreviations from being read over and over.
const contextBytes = 250

// isBoundary tells whether a sentence really ends where Annex 29 says.
func isBoundary(sentence, next string) bool {
	sentence = sentence[runeStart(sentence, max(0, len(sentence)-contextBytes)):]
	next = next[:runeStart(next, min(len(next), contextBytes))]
	body := strings.TrimRightFunc(sentence, unicode.IsSpace)
	closed := strings.TrimRight(body, `)]}"'”’»`)
	if len(sentence) == len(body) && !endsWide(body) && next != "" {
		return false // no blank follows: "Yahoo!Japan", "example.com/A.B"
	}
	if unclosed(body) && strings.ContainsRune(next[:min(len(next), 80)], ')') {
		return false // inside brackets: "(see Fig. 3. Data not shown)"
	}
	if !strings.HasSuffix(closed, ".") || len(closed) < len(body) {
		return hasWord(body)
	}
	if !hasLetter(closed) { // "1." heads what follows, unless it is an amount
		return len(closed) > 5
	}
	return !isAbbreviation(lastWord(closed), firstWord(next)) && !isOrdinal(lastWord(closed), firstWord(next))
}

// endsWide tells a full stop of a script that puts no blank after it.
func endsWide(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(s, `」』）】”’"`))
	return strings.ContainsRune("。！？｡…", r)
}

// unclosed tells whether a sentence has opened a bracket and not closed it.
func unclosed(s string) bool {
	open := strings.LastIndexByte(s, '(')
	return open >= 0 && open > strings.LastIndexByte(s, ')')
}

func hasLetter(s string) bool { return strings.IndexFunc(s, unicode.IsLetter) >= 0 }

// lastWord is the word before the full stop at the end of s, without the
// stop.
func lastWord(s string) string {
	s = s[:len(s)-1]
	s = s[strings.LastIndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '—' || r == '/' })+1:]
	return strings.TrimLeft(s, `([{"'“‘«-`)
}

// firstWord is the first word of s.
func firstWord(s string) string {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"'“‘«([`, r) })
	end := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '\'' && r != '’' })
	if end < 0 {
		return s
	}
	return s[:end]
}
