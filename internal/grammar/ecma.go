package grammar

import (
	"fmt"
	"strconv"
	"strings"
)

// fromECMA rewrites what JavaScript's regular expressions, which JSON Schema
// means, spell or mean differently from RE2's: the escape \uXXXX, and what is
// white space or ends a line. Where the two differ in what they match, only
// what both match is left, so that every validator agrees.
func fromECMA(pattern string) string {
	var out strings.Builder
	class := classNone
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			escape, size := fromEscape(pattern[i:], class)
			out.WriteString(escape)
			i += size - 1
		case c == '.' && class == classNone:
			out.WriteString(`[^\n\r\x{2028}\x{2029}]`)
		case c == '[' && class == classNone:
			class = classPlain
			out.WriteByte(c)
			if i+1 < len(pattern) && pattern[i+1] == '^' {
				class = classNegated
				out.WriteByte('^')
				i++
			}
		case c == ']':
			class = classNone
			out.WriteByte(c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// classState says whether a place in an expression is inside brackets.
type classState int

const (
	classNone classState = iota
	classPlain
	classNegated
)

// White space as RE2 sees it, and the further characters that JavaScript does.
const (
	spaceRE2  = `\t\n\f\r `
	spaceMore = `\x0b\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	notSpace  = `\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}` +
		`\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`
)

// fromEscape rewrites the escape at the start of text, which has at least two
// bytes, and returns how many it takes.
func fromEscape(text string, class classState) (escape string, size int) {
	switch text[1] {
	case 'u':
		if len(text) >= 6 {
			if r, err := strconv.ParseUint(text[2:6], 16, 16); err == nil {
				return fmt.Sprintf(`\x{%x}`, r), 6
			}
		}
	case 's', 'S':
		return spaceClass(text[1] == 's', class), 2
	}
	return text[:2], 2
}

// spaceClass is \s or \S. In a negated class the larger set is taken, so that
// the smaller one remains.
func spaceClass(space bool, class classState) string {
	set := notSpace
	switch {
	case space && class == classNegated:
		set = spaceRE2 + spaceMore
	case space:
		set = spaceRE2
	case class == classNegated:
		set = notSpace + spaceMore
	}
	if class == classNone {
		return "[" + set + "]"
	}
	return set
}
