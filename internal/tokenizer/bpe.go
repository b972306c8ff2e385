package tokenizer

import (
	"math"
	"math/rand/v2"
	"unicode/utf8"
)

// bpe is the BPE model. Its symbols are bytes, or characters in the manner of
// SentencePiece.
type bpe struct {
	pairs pairTable

	// bytes are each byte's symbol: what a word is made of, or, where runes is
	// set, what a character that is no symbol falls apart into.
	bytes [256]int32
	runes map[rune]int32

	// size is that of the vocabulary. A symbol from there on is no token: it
	// falls apart into the tokens of its bytes.
	size int32

	// whole has the tokens by their text, where a word that is a token is
	// taken without asking the merges; else nil.
	whole map[string]int32

	unknown     int32 // for text without a token; none drops it
	fuseUnknown bool  // one for a run of such characters
}

// word encodes one word.
func (b *bpe) word(s *scratch, w aligned) {
	known := s.known.find(w.text)
	if known.holds(w.text) {
		for _, t := range known.tokens[:known.count] {
			src := w.source(int(t.start), int(t.end))
			s.pieces = append(s.pieces, Piece{t.id, src.start, src.end})
		}
		return
	}
	from := len(s.pieces)
	s.merger.found = s.merger.found[:0]
	b.tokens(&s.merger, w.text)
	for _, t := range s.merger.found {
		src := w.source(int(t.start), int(t.end))
		s.pieces = append(s.pieces, Piece{t.id, src.start, src.end})
	}
	if len(s.pieces)-from <= len(known.tokens) {
		known.learn(w.text, s.merger.found)
	}
}

// wordToken is a token that covers the bytes from start to end of a word.
type wordToken struct {
	id         int32
	start, end int32
}

// tokens finds the tokens of a word.
func (b *bpe) tokens(m *merger, word string) {
	if id, ok := b.whole[word]; ok {
		m.found = append(m.found, wordToken{id, 0, int32(len(word))})
		return
	}
	m.symbols = m.symbols[:0]
	if b.runes == nil {
		for i := range len(word) {
			m.symbols = append(m.symbols, mergeSymbol{id: b.bytes[word[i]], start: int32(i), end: int32(i + 1)})
		}
	} else {
		b.characters(m, word)
	}
	for _, x := range m.merge(&b.pairs) {
		b.emit(m, x, word)
	}
}

// characters makes symbols of a word's characters, and of the bytes of those
// that the vocabulary does not have.
func (b *bpe) characters(m *merger, word string) {
	for i := 0; i < len(word); {
		r, n := utf8.DecodeRuneInString(word[i:])
		id, ok := b.runes[r]
		if ok && (r != utf8.RuneError || n > 1) {
			m.symbols = append(m.symbols, mergeSymbol{id: id, start: int32(i), end: int32(i + n)})
			i += n
			continue
		}
		for range n {
			m.symbols = append(m.symbols, mergeSymbol{id: b.bytes[word[i]], start: int32(i), end: int32(i + 1)})
			i++
		}
	}
}

// emit appends the token of a symbol, or those of its bytes where it has none.
func (b *bpe) emit(m *merger, x mergeSymbol, word string) {
	if x.id < b.size {
		m.found = append(m.found, wordToken{x.id, x.start, x.end})
		return
	}
	for i := x.start; i < x.end; i++ {
		if id := b.bytes[word[i]]; id < b.size {
			m.found = append(m.found, wordToken{id, i, i + 1})
		} else if b.unknown != none {
			b.emitUnknown(m, word, i)
		}
	}
}

// emitUnknown appends the unknown token for a byte. Bytes that are symbols are
// unknown one by one; characters whole, and a run of them together if the
// model fuses them.
func (b *bpe) emitUnknown(m *merger, word string, at int32) {
	if last := len(m.found) - 1; b.runes != nil && last >= 0 {
		t := &m.found[last]
		if t.id == b.unknown && t.end == at && (b.fuseUnknown || !utf8.RuneStart(word[at])) {
			t.end++
			return
		}
	}
	m.found = append(m.found, wordToken{b.unknown, at, at + 1})
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

// grown is the table with twice the room.
func (t *pairTable) grown() pairTable {
	bigger := newPairTable(len(t.entries))
	for _, e := range t.entries {
		if e.rank != noRank {
			bigger.add(e.left, e.right, e.rank, e.merged)
		}
	}
	return bigger
}
