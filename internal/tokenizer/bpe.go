package tokenizer

import (
	"math"
	"math/rand/v2"
)

// bpe is the byte-level BPE model.
type bpe struct {
	splitters []splitter
	pairs     pairTable
	bytes     [256]int32 // each byte's symbol

	// size is that of the vocabulary. A symbol from there on is a merge that
	// is no token: it falls apart into the tokens of its bytes.
	size int32

	// whole has the tokens by their bytes, where a word that is a token is
	// taken without asking the merges; else nil.
	whole map[string]int32

	// leadingSpace puts a space before text that does not start with one.
	leadingSpace bool

	unknown int32 // for bytes without a token; none drops them
}

func (b *bpe) encode(s *scratch, text string, base int) {
	if c, _ := first(text); b.leadingSpace && c&space == 0 {
		from := len(s.pieces)
		b.split(s, " "+text, base-1, 0)
		for i := from; i < len(s.pieces); i++ {
			p := &s.pieces[i]
			p.Start, p.End = max(p.Start, base), max(p.End, base)
		}
		return
	}
	b.split(s, text, base, 0)
}

// split cuts text with the splitters from level on and encodes the words.
func (b *bpe) split(s *scratch, text string, base, level int) {
	if level == len(b.splitters) {
		b.word(s, text, base)
		return
	}
	for len(text) > 0 {
		n := b.splitters[level](text)
		b.split(s, text[:n], base, level+1)
		text, base = text[n:], base+n
	}
}

// word encodes one word.
func (b *bpe) word(s *scratch, word string, base int) {
	if id, ok := b.whole[word]; ok {
		s.pieces = append(s.pieces, Piece{id, base, base + len(word)})
		return
	}
	if len(word) == 1 {
		b.emit(s, b.bytes[word[0]], word, base, base+1)
		return
	}
	merged := s.merger.merge(b, word)
	for _, m := range merged {
		b.emit(s, m.id, word[m.start:m.end], base+m.start, base+m.end)
	}
}

// emit appends the token of a symbol, or those of its bytes where it has none.
func (b *bpe) emit(s *scratch, symbol int32, bytes string, start, end int) {
	if symbol < b.size {
		s.pieces = append(s.pieces, Piece{symbol, start, end})
		return
	}
	for i := range len(bytes) {
		id := b.bytes[bytes[i]]
		if id >= b.size {
			id = b.unknown
		}
		if id != none {
			s.pieces = append(s.pieces, Piece{id, start + i, start + i + 1})
		}
	}
}

// noRank is the rank of a pair that does not merge.
const noRank = math.MaxUint32

// pairTable maps a pair of symbols to the rank of its merge and the merged
// symbol: open addressing with linear probing, half empty, because this lookup
// is most of the work. The multiplier is random so that no file can be made to
// collide.
type pairTable struct {
	entries    []pairEntry
	multiplier uint64
	shift      uint
}

type pairEntry struct {
	left, right int32
	rank        uint32 // noRank in an empty entry
	merged      int32
}

func newPairTable(n int) pairTable {
	bits := uint(4)
	for 1<<bits < 2*n {
		bits++
	}
	t := pairTable{
		entries:    make([]pairEntry, 1<<bits),
		multiplier: rand.Uint64() | 1,
		shift:      64 - bits,
	}
	for i := range t.entries {
		t.entries[i].rank = noRank
	}
	return t
}

// find returns the entry of a pair, or the empty one where it would stand.
func (t *pairTable) find(left, right int32) *pairEntry {
	key := uint64(uint32(left))<<32 | uint64(uint32(right))
	for i := key * t.multiplier >> t.shift; ; i++ {
		e := &t.entries[i&uint64(len(t.entries)-1)]
		if e.rank == noRank || e.left == left && e.right == right {
			return e
		}
	}
}

// add enters a merge; the first of equal pairs stays.
func (t *pairTable) add(left, right int32, rank uint32, merged int32) {
	if e := t.find(left, right); e.rank == noRank {
		*e = pairEntry{left, right, rank, merged}
	}
}
