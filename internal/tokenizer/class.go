package tokenizer

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// class is a set of the Unicode properties that pre-tokenisers ask about.
type class uint8

const (
	letter class = 1 << iota // L
	number                   // N
	space                    // White_Space
	mark                     // M
	punct                    // P
	symbol                   // S
	upper                    // L without Ll: what an upper-case run may hold
	lower                    // L without Lu, Lt: what a lower-case run may hold
)

// bmpClasses are the classes of the first 65,536 code points, which a text
// consists of but for emoji and rare scripts.
var bmpClasses = sync.OnceValue(func() *[1 << 16]class {
	table := new([1 << 16]class)
	for r := range table {
		table[r] = slowClass(rune(r))
	}
	return table
})

// slowClass looks a code point up in the tables of the standard library.
func slowClass(r rune) class {
	var c class
	if unicode.IsLetter(r) {
		c |= letter
		if !unicode.Is(unicode.Ll, r) {
			c |= upper
		}
		if !unicode.In(r, unicode.Lu, unicode.Lt) {
			c |= lower
		}
	}
	for _, p := range [...]struct {
		has bool
		c   class
	}{
		{unicode.IsNumber(r), number},
		{unicode.IsSpace(r), space},
		{unicode.IsMark(r), mark | upper | lower},
		{unicode.IsPunct(r), punct},
		{unicode.IsSymbol(r), symbol},
	} {
		if p.has {
			c |= p.c
		}
	}
	return c
}

func classOf(r rune) class {
	if r < 1<<16 {
		return bmpClasses()[r]
	}
	return slowClass(r)
}

// first returns the class and the length of the first character of s, 0 and 0
// for an empty string. A byte that is not UTF-8 is a character of its own.
func first(s string) (class, int) {
	if s == "" {
		return 0, 0
	}
	if s[0] < utf8.RuneSelf {
		return asciiClasses[s[0]], 1
	}
	r, n := utf8.DecodeRuneInString(s)
	return classOf(r), n
}

var asciiClasses = func() (table [utf8.RuneSelf]class) {
	for r := range table {
		table[r] = slowClass(rune(r))
	}
	return table
}()

// run returns the length of the longest prefix of s whose characters all have
// one of the wanted properties.
func run(s string, want class) int {
	i := 0
	for {
		c, n := first(s[i:])
		if c&want == 0 {
			return i
		}
		i += n
	}
}

// runWithout is run for characters that have none of the properties.
func runWithout(s string, unwanted class) int {
	i := 0
	for i < len(s) {
		c, n := first(s[i:])
		if c&unwanted != 0 {
			break
		}
		i += n
	}
	return i
}
