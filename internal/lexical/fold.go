package lexical

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold makes spellings that a reader takes for the same equal: compatibility
// forms (ﬁ and fi, full-width letters), case (ß and ss), and the accents of
// Unicode's combining diacritical marks block, U+0300 to U+036F, so that café
// is found as cafe. Marks of other blocks stay: in many scripts they are
// vowels. It is NFKD, Unicode's full case folding, and NFKC of the rest.
func fold(word string) string {
	if isASCII(word) {
		return strings.ToLower(word)
	}
	folded := cases.Fold().String(norm.NFKD.String(word))
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		if r >= 0x0300 && r <= 0x036F {
			return -1
		}
		return r
	}, folded))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// eachPart calls emit with the parts of a word that is written as several: cut
// at a sign between letters (snake_case, example.com), before a capital after
// a small letter (camelCase), before the last capital of several when a small
// letter follows (HTTPServer is HTTP and Server), and between letters and
// digits (utf8 is utf and 8). An apostrophe cuts nothing. A word of one part,
// or without letters, gives nothing.
func eachPart(word string, emit func(part string)) {
	if strings.IndexFunc(word, unicode.IsLetter) < 0 {
		return
	}
	start := 0
	cut := func(end int) {
		if start < end && end-start < len(word) {
			emit(word[start:end])
		}
		start = end
	}
	var last, beforeLast rune // 0 after a sign
	lastAt := 0
	for i, r := range word {
		switch {
		case isJoint(r):
			cut(i)
			start = i + utf8.RuneLen(r)
			r = 0
		case unicode.IsUpper(r) && unicode.IsLower(last), i > start && unicode.IsDigit(r) != unicode.IsDigit(last):
			cut(i)
		case unicode.IsLower(r) && unicode.IsUpper(last) && unicode.IsUpper(beforeLast):
			cut(lastAt)
		}
		beforeLast, last, lastAt = last, r, i
	}
	cut(len(word))
}

// isJoint reports whether a sign joins the parts of an identifier: of what UAX
// #29 keeps inside a word, all but apostrophes and marks.
func isJoint(r rune) bool {
	return r == '_' || r == '.' || r == ':' || r == '\u00B7' || unicode.Is(unicode.Pc, r)
}
