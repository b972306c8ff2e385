package grammar

import "unicode/utf8"

// span is the characters from lo to hi.
type span struct{ lo, hi rune }

// The characters that no text holds: halves of surrogate pairs.
const (
	surrogateMin = 0xD800
	surrogateMax = 0xDFFF
)

// runes is the set of the UTF-8 encodings of some characters, given in order.
type runes []span

func (r runes) weight() int { return 4 * len(r) }

// emit splits each span where the length or the leading bytes of its encodings
// change, as in Thompson's and RE2's compilers, so that every part is a
// sequence of byte ranges.
func (r runes) emit(b *builder, from, to int32) {
	tails := utf8Tails{b: b, to: to, known: map[utf8Tail]int32{}}
	for _, s := range r {
		for _, limit := range []rune{utf8.RuneSelf - 1, 0x7FF, surrogateMin - 1, 0xFFFF, utf8.MaxRune} {
			if s.lo > limit {
				continue
			}
			if part := (span{max(s.lo, 0), min(s.hi, limit)}); part.lo <= part.hi {
				tails.split(from, part)
			}
			s.lo = limit + 1
			if limit == surrogateMin-1 {
				s.lo = max(s.lo, surrogateMax+1)
			}
		}
	}
}

// utf8Tails adds encodings that end at one state and shares what they have in
// common at their ends.
type utf8Tails struct {
	b     *builder
	to    int32
	known map[utf8Tail]int32
}

// utf8Tail is a state from which bytes from lo to hi lead to another.
type utf8Tail struct {
	to     int32
	lo, hi byte
}

// split adds the encodings, all of one length, of a span.
func (t *utf8Tails) split(from int32, s span) {
	size := utf8.RuneLen(s.hi)
	for i := 1; i < size; i++ {
		low := rune(1)<<(6*i) - 1 // the bits of the last i bytes
		if s.lo&^low == s.hi&^low {
			continue
		}
		if s.lo&low != 0 {
			t.split(from, span{s.lo, s.lo | low})
			t.split(from, span{(s.lo | low) + 1, s.hi})
			return
		}
		if s.hi&low != low {
			t.split(from, span{s.lo, s.hi&^low - 1})
			t.split(from, span{s.hi &^ low, s.hi})
			return
		}
	}
	var lo, hi [utf8.UTFMax]byte
	utf8.EncodeRune(lo[:], s.lo)
	utf8.EncodeRune(hi[:], s.hi)
	to := t.to
	for i := size - 1; i > 0; i-- {
		to = t.before(lo[i], hi[i], to)
	}
	t.b.edge(from, lo[0], hi[0], to)
}

// before returns a state from which a byte from lo to hi leads to to.
func (t *utf8Tails) before(lo, hi byte, to int32) int32 {
	k := utf8Tail{to, lo, hi}
	state, ok := t.known[k]
	if !ok {
		state = t.b.state()
		t.b.edge(state, lo, hi, to)
		t.known[k] = state
	}
	return state
}

// complement returns the characters that are in none of the spans, which are
// in order.
func complement(spans []span) []span {
	var rest []span
	next := rune(0)
	for _, s := range spans {
		if s.lo > next {
			rest = append(rest, span{next, s.lo - 1})
		}
		next = max(next, s.hi+1)
	}
	if next <= utf8.MaxRune {
		rest = append(rest, span{next, utf8.MaxRune})
	}
	return rest
}

// intersect returns the characters that are in both, each in order.
func intersect(a, b []span) []span {
	var both []span
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if s := (span{max(a[i].lo, b[j].lo), min(a[i].hi, b[j].hi)}); s.lo <= s.hi {
			both = append(both, s)
		}
		if a[i].hi < b[j].hi {
			i++
		} else {
			j++
		}
	}
	return both
}
