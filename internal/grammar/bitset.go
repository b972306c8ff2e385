package grammar

import "math/bits"

// Bitset is a set of tokens: token t is bit t%64 of word t/64.
type Bitset []uint64

// NewBitset returns an empty set for tokens below size.
func NewBitset(size int) Bitset { return make(Bitset, (size+63)/64) }

// Has reports whether a token is in the set.
func (s Bitset) Has(token int32) bool {
	return token >= 0 && int(token>>6) < len(s) && s[token>>6]&(1<<(token&63)) != 0
}

// Add puts a token into the set, which must have room for it.
func (s Bitset) Add(token int32) { s[token>>6] |= 1 << (token & 63) }

// Count returns the number of tokens in the set.
func (s Bitset) Count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// All calls visit for every token of the set, in order.
func (s Bitset) All(visit func(token int32) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !visit(int32(i<<6 + bits.TrailingZeros64(w))) {
				return
			}
		}
	}
}
