package tokenizer

import "strings"

// finder returns the first match in text[from:] that is not empty, as offsets
// in text; start == end means that there is none.
type finder func(text string, from int) (start, end int)

// findString finds a text.
func findString(what string) finder {
	return func(text string, from int) (int, int) {
		i := strings.Index(text[from:], what)
		if i < 0 || what == "" {
			return len(text), len(text)
		}
		return from + i, from + i + len(what)
	}
}

// findEach finds the matches of a matcher.
func findEach(m matcher) finder {
	return func(text string, from int) (int, int) {
		for i := from; i < len(text); {
			if n := m(text[i:]); n > 0 {
				return i, i + n
			}
			_, n := first(text[i:])
			i += n
		}
		return len(text), len(text)
	}
}

// findClass finds the characters with a property, one by one.
func findClass(want class) finder {
	return func(text string, from int) (int, int) {
		i := from + runWithout(text[from:], want)
		if i == len(text) {
			return i, i
		}
		_, n := first(text[i:])
		return i, i + n
	}
}
