package tokenizer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// charsmap is SentencePiece's precompiled table of replacements, such as NFKC
// with a few rules more: a double-array trie (Yata et al. 2007, as the library
// darts-clone packs it) whose values are offsets of zero-terminated texts.
type charsmap struct {
	units []uint32
	texts []byte

	plain bool // printable ASCII stays as it is
}

// parseCharsmap reads the table: the trie's length in bytes, little-endian as
// all numbers here, the trie, the texts.
func parseCharsmap(data []byte) (*charsmap, error) {
	if len(data) < 4 {
		return nil, errors.New("precompiled charsmap: too short for the length of its trie")
	}
	n := int(binary.LittleEndian.Uint32(data))
	if n%4 != 0 || n > len(data)-4 || n == 0 {
		return nil, fmt.Errorf("precompiled charsmap: the trie has %d bytes of %d", n, len(data)-4)
	}
	c := &charsmap{units: make([]uint32, n/4), texts: data[4+n:]}
	for i := range c.units {
		c.units[i] = binary.LittleEndian.Uint32(data[4+4*i:])
	}
	c.plain = c.keepsASCII()
	return c, nil
}

// keepsASCII reports whether no text of printable ASCII is in the table. A table
// that takes too long to tell is taken to have one.
func (c *charsmap) keepsASCII() bool {
	const limit = 1 << 14
	nodes := []uint32{unitOffset(c.units[0])}
	for i := 0; i < len(nodes); i++ {
		if len(nodes) > limit {
			return false
		}
		for b := uint32(' '); b <= '~'; b++ {
			at := nodes[i] ^ b
			if int(at) >= len(c.units) || unitLabel(c.units[at]) != b {
				continue
			}
			if unitHasLeaf(c.units[at]) {
				return false
			}
			nodes = append(nodes, at^unitOffset(c.units[at]))
		}
	}
	return true
}

// What a unit of the trie holds: the label it is reached by, whether a value
// is below it, and where its children are, by exclusive or.
func unitLabel(u uint32) uint32  { return u & (1<<31 | 0xff) }
func unitHasLeaf(u uint32) bool  { return u>>8&1 == 1 }
func unitOffset(u uint32) uint32 { return u >> 10 << (u & (1 << 9) >> 6) }
func unitValue(u uint32) uint32  { return u & (1<<31 - 1) }

// prefix returns the shortest or longest prefix of s that has a replacement,
// which is what to ask for where all of s is looked up, and its value; length
// 0 means that there is none.
func (c *charsmap) prefix(s string, longest bool) (length int, value uint32) {
	at := unitOffset(c.units[0])
	for i := 0; i < len(s) && s[i] != 0; i++ {
		at ^= uint32(s[i])
		if int(at) >= len(c.units) || unitLabel(c.units[at]) != uint32(s[i]) {
			break
		}
		u := c.units[at]
		at ^= unitOffset(u)
		if unitHasLeaf(u) && int(at) < len(c.units) {
			length, value = i+1, unitValue(c.units[at])
			if !longest {
				break
			}
		}
	}
	return length, value
}

// text returns the replacement at a value.
func (c *charsmap) text(value uint32) string {
	if int(value) >= len(c.texts) {
		return ""
	}
	end := int(value)
	for end < len(c.texts) && c.texts[end] != 0 {
		end++
	}
	return string(c.texts[value:end])
}

// normalize replaces graphemes of less than six bytes whole and others by
// character, as Hugging Face's Precompiled does; where only a part of one is in
// the table, that part's text stands for all of it.
func (c *charsmap) normalize(a aligned) aligned {
	if c.plain && isPlainASCII(a.text) {
		return a
	}
	w := rewrite(a)
	it := graphemes.FromString(a.text)
	start := 0
	for it.Next() {
		g := it.Value()
		if n, value := c.prefix(g, false); len(g) < 6 && n > 0 {
			w.replace(start, start+len(g), c.text(value))
			start += len(g)
			continue
		}
		for i := 0; i < len(g); {
			_, size := utf8.DecodeRuneInString(g[i:])
			text := g[i : i+size]
			if n, value := c.prefix(text, false); n > 0 {
				text = c.text(value)
			}
			w.replace(start+i, start+i+size, text)
			i += size
		}
		start += len(g)
	}
	return w.done()
}

// isPlainASCII reports whether a text has printable ASCII only.
func isPlainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// longestPrefixes applies the table as SentencePiece itself does, always the
// longest prefix that it has. What is not UTF-8 becomes U+FFFD.
type longestPrefixes struct{ *charsmap }

func (c longestPrefixes) normalize(a aligned) aligned {
	if c.plain && isPlainASCII(a.text) {
		return a
	}
	w := rewrite(a)
	for i := 0; i < len(a.text); {
		if n, value := c.prefix(a.text[i:], true); n > 0 {
			w.replace(i, i+n, c.text(value))
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(a.text[i:])
		if r == utf8.RuneError {
			w.replace(i, i+n, string(utf8.RuneError))
		} else {
			w.keep(i, i+n)
		}
		i += n
	}
	return w.done()
}

// oneSpace leaves one space of each run, and none at the ends.
type oneSpace struct{}

func (oneSpace) normalize(a aligned) aligned {
	w := rewrite(a)
	for i := 0; i < len(a.text); i++ {
		last := len(w.text) - 1
		if a.text[i] == ' ' && (last < 0 || w.text[last] == ' ') {
			continue
		}
		w.keep(i, i+1)
	}
	if last := len(w.text) - 1; last >= 0 && w.text[last] == ' ' {
		w.text, w.from = w.text[:last], w.from[:last]
	}
	return w.done()
}
