package tokenizer

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is a token that is matched in the text as it is written.
type addedToken struct {
	text    string
	id      int32
	control bool // matched only when Options.Special asks for it

	// As in tokenizer.json: take the white space on that side along, and
	// match only where no letter, digit or underscore touches.
	stripLeft, stripRight, singleWord bool
}

// addedTokens finds the leftmost, then longest, added token.
type addedTokens struct {
	// byFirst has the tokens that start with a byte, longest first.
	byFirst [256][]addedToken
	any     bool
}

func newAddedTokens(tokens []addedToken) addedTokens {
	var a addedTokens
	tokens = slices.Clone(tokens)
	slices.SortStableFunc(tokens, func(x, y addedToken) int { return cmp.Compare(len(y.text), len(x.text)) })
	for _, t := range tokens {
		if t.text != "" {
			a.byFirst[t.text[0]] = append(a.byFirst[t.text[0]], t)
			a.any = true
		}
	}
	return a
}

// match is an added token in a text; start == end at the end of the text
// means that there is none.
type match struct {
	id         int32
	start, end int
}

// next finds the first match in text[from:] that is allowed.
func (a *addedTokens) next(text string, from int, allows func(m match, control bool) bool) match {
	for i := from; a.any && i < len(text); i++ {
		for _, t := range a.byFirst[text[i]] {
			m := match{t.id, i, i + len(t.text)}
			if !strings.HasPrefix(text[i:], t.text) || !allows(m, t.control) {
				continue
			}
			if t.singleWord && touchesWord(text, m) {
				continue
			}
			if t.stripLeft {
				m.start = from + len(strings.TrimRightFunc(text[from:m.start], unicode.IsSpace))
			}
			if t.stripRight {
				m.end = len(text) - len(strings.TrimLeftFunc(text[m.end:], unicode.IsSpace))
			}
			return m
		}
	}
	return match{none, len(text), len(text)}
}

// allows reports whether a token may be matched where it is written.
func (o *Options) allows(m match, control bool) bool {
	return !control || o.Special && !o.verbatim(m)
}

// verbatim reports whether a match reaches into a verbatim part.
func (o *Options) verbatim(m match) bool {
	i, _ := slices.BinarySearchFunc(o.Verbatim, m.start, func(s Span, at int) int {
		return cmp.Compare(s.End, at+1) // the first part that ends after the start
	})
	return i < len(o.Verbatim) && o.Verbatim[i].Start < m.end
}

func touchesWord(text string, m match) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:m.start])
	after, _ := utf8.DecodeRuneInString(text[m.end:])
	return isWordRune(before) || isWordRune(after)
}

func isWordRune(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r))
}
