package grammar

import (
	"slices"
	"unicode/utf8"
)

// charset divides the characters into classes. Bounds are the first
// characters of intervals, the first of them 0; class is theirs.
type charset struct {
	bounds []rune
	class  []int32
	count  int // of classes
}

// newCharset returns the coarsest division that tells apart what the sets do.
// Halves of surrogate pairs are in the class -1, which no text holds.
func newCharset(bounds []rune, sets int, contains func(set int, r rune) bool) *charset {
	bounds = append(slices.Clone(bounds), 0, surrogateMin, surrogateMax+1)
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)
	for bounds[len(bounds)-1] > utf8.MaxRune {
		bounds = bounds[:len(bounds)-1]
	}
	c := &charset{}
	known := map[string]int32{}
	members := make([]byte, sets)
	for _, r := range bounds {
		id := int32(-1)
		if r != surrogateMin {
			for set := range sets {
				members[set] = 0
				if contains(set, r) {
					members[set] = 1
				}
			}
			var ok bool
			if id, ok = known[string(members)]; !ok {
				id = int32(len(known))
				known[string(members)] = id
			}
		}
		if n := len(c.class); n > 0 && c.class[n-1] == id {
			continue
		}
		c.bounds, c.class = append(c.bounds, r), append(c.class, id)
	}
	c.count = len(known)
	return c
}

// of returns the class of a character.
func (c *charset) of(r rune) int32 {
	i, exact := slices.BinarySearch(c.bounds, r)
	if !exact {
		i--
	}
	return c.class[i]
}

// interval returns the characters of the i-th interval.
func (c *charset) interval(i int) span {
	if i+1 < len(c.bounds) {
		return span{c.bounds[i], c.bounds[i+1] - 1}
	}
	return span{c.bounds[i], utf8.MaxRune}
}

// samples returns one character of each class.
func (c *charset) samples() []rune {
	samples := make([]rune, c.count)
	for i := len(c.class) - 1; i >= 0; i-- {
		if c.class[i] >= 0 {
			samples[c.class[i]] = c.bounds[i]
		}
	}
	return samples
}
