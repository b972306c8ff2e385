package tokenizer

import "unicode/utf8"

// splitter returns the length of the first word of a text that is not empty.
//
// Each one below does what its regular expression does in a backtracking
// matcher, alternatives tried in order, text between matches being words too.
// A pre-tokeniser is a list of them: each cuts the words of the one before,
// and sees the end of such a word as the end of the text.
type splitter func(s string) int

// A matcher returns the length of a match at the start of a text, or 0.
type matcher func(s string) int

// each makes every match of m a word.
func each(m matcher) splitter {
	return func(s string) int {
		if n := m(s); n > 0 {
			return n
		}
		i := 0
		for i < len(s) && m(s[i:]) == 0 {
			_, n := first(s[i:])
			i += n
		}
		return i
	}
}

// oneNumber is \p{N}.
func oneNumber(s string) int {
	if c, n := first(s); c&number != 0 {
		return n
	}
	return 0
}

// digitsApart makes a word of every \p{N}.
func digitsApart(s string) int {
	if n := oneNumber(s); n > 0 {
		return n
	}
	return runWithout(s, number)
}

// numbers is \p{N}+.
func numbers(s string) int { return run(s, number) }

// numberGroup is \p{N}{1,3}.
func numberGroup(s string) int {
	i := 0
	for range 3 {
		c, n := first(s[i:])
		if c&number == 0 {
			break
		}
		i += n
	}
	return i
}

// newline is [\r\n].
func newline(s string) int {
	if s != "" && (s[0] == '\r' || s[0] == '\n') {
		return 1
	}
	return 0
}

// spaced is \s? before one or more characters with a property.
func spaced(want class) matcher {
	return func(s string) int {
		lead := 0
		if c, n := first(s); c&space != 0 {
			lead = n
		}
		if n := run(s[lead:], want); n > 0 {
			return lead + n
		}
		return 0
	}
}

// splitGPT2 is the expression of GPT-2:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func splitGPT2(s string) int {
	if n := contraction(s, lowerCase); n > 0 {
		return n
	}
	lead := 0
	c, n := first(s)
	if s[0] == ' ' && n < len(s) {
		if next, _ := first(s[1:]); next&space == 0 {
			lead, c = 1, next
		}
	}
	switch {
	case c&letter != 0:
		return lead + run(s[lead:], letter)
	case c&number != 0:
		return lead + run(s[lead:], number)
	case c&space == 0:
		return lead + runWithout(s[lead:], space|letter|number)
	}
	return spaces(s)
}

// splitLlama3 is the expression of Llama 3, with up to three digits a word,
// and of Qwen 2, with one:
//
//	(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
//	| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
// Where marks is set, \p{M} counts as \p{L} but for the leading character, as
// in Qwen 3.5.
func splitLlama3(digits matcher, marks class) splitter {
	return func(s string) int {
		if n := anyContraction(s); n > 0 {
			return n
		}
		if n := leadLetters(s, letter|marks); n > 0 {
			return n
		}
		if n := digits(s); n > 0 {
			return n
		}
		if n := others(s, marks, ""); n > 0 {
			return n
		}
		return lines(s)
	}
}

// splitCased is the expression of GPT-4o and its kin, which also cuts where
// lower case turns to upper case; with anyContraction as the ending it is
//
//	[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|…)?
//	|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|…)?
//	|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
func splitCased(digits, ending matcher) splitter {
	return func(s string) int {
		if n := casedWord(s); n > 0 {
			if ending != nil {
				n += ending(s[n:])
			}
			return n
		}
		if n := digits(s); n > 0 {
			return n
		}
		if n := others(s, 0, "/"); n > 0 {
			return n
		}
		return lines(s)
	}
}

// casedWord matches the two first alternatives of splitCased, each with the
// leading character first and without it second.
func casedWord(s string) int {
	lead := leadLength(s)
	for _, alternative := range [...]matcher{upperThenLower, upperOnly} {
		if lead > 0 {
			if n := alternative(s[lead:]); n > 0 {
				return lead + n
			}
		}
		if n := alternative(s); n > 0 {
			return n
		}
	}
	return 0
}

// upperThenLower is U*L+ where the sets overlap in uncased letters and marks:
// the upper run gives back what the lower one needs.
func upperThenLower(s string) int {
	up := run(s, upper)
	if low := run(s[up:], lower); low > 0 {
		return up + low
	}
	for up > 0 {
		_, n := utf8.DecodeLastRuneInString(s[:up])
		if c, _ := first(s[up-n:]); c&lower != 0 {
			return up
		}
		up -= n
	}
	return 0
}

// upperOnly is U+L*; where it is tried, no lower case follows.
func upperOnly(s string) int { return run(s, upper) }

// cases are those of the letters that an expression matches.
type cases bool

const (
	lowerCase cases = false
	anyCase   cases = true
)

// anyContraction is contraction in either case, as a matcher.
func anyContraction(s string) int { return contraction(s, anyCase) }

// contraction matches an apostrophe with s, t, re, ve, m, ll or d.
func contraction(s string, c cases) int {
	fold := c == anyCase
	if len(s) < 2 || s[0] != '\'' {
		return 0
	}
	at := func(i int) byte {
		c := s[i]
		if fold && 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}
	switch at(1) {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if len(s) > 2 && at(2) == 'e' {
			return 3
		}
	case 'l':
		if len(s) > 2 && at(2) == 'l' {
			return 3
		}
	}
	return 0
}

// leadLength is [^\r\n\p{L}\p{N}].
func leadLength(s string) int {
	c, n := first(s)
	if c&(letter|number) != 0 || newline(s) > 0 {
		return 0
	}
	return n
}

// leadLetters is [^\r\n\p{L}\p{N}]? before one or more of want, which holds
// the letters.
func leadLetters(s string, want class) int {
	if lead := leadLength(s); lead > 0 {
		if n := run(s[lead:], want); n > 0 {
			return lead + n
		}
	}
	return run(s, want)
}

// others is  ?[^\s\p{L}\p{N}]+, without marks too where they are given, before
// any number of line ends and of the ASCII character in more.
func others(s string, marks class, more string) int {
	lead := 0
	if s[0] == ' ' {
		lead = 1
	}
	n := runWithout(s[lead:], space|letter|number|marks)
	if n == 0 {
		return 0
	}
	n += lead
	for n < len(s) && (newline(s[n:]) > 0 || more != "" && s[n] == more[0]) {
		n++
	}
	return n
}

// lines is \s*[\r\n]+|\s+(?!\S)|\s+, and any one character where none matches.
func lines(s string) int {
	n := run(s, space)
	for i := n; i > 0; i-- {
		if newline(s[i-1:]) > 0 {
			return i
		}
	}
	return spaces(s)
}

// spaces is \s+(?!\S)|\s+: white space up to the last character before a word,
// which that word may take; any one character where there is no white space.
func spaces(s string) int {
	n := run(s, space)
	if n == 0 {
		_, n = first(s)
		return n
	}
	if n == len(s) {
		return n
	}
	_, last := utf8.DecodeLastRuneInString(s[:n])
	if n > last {
		return n - last
	}
	return n
}
