package tokenizer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// spaceMark is how SentencePiece spells a space.
const spaceMark = "▁"

// newScored builds SentencePiece's BPE (Kudo and Richardson 2018) from the
// scores of the tokens: of the adjacent pairs that make a token together, the
// one with the highest score is merged first. usable says which tokens may be
// made.
func newScored(t *Tokenizer, scores []float64, usable func(id int32) bool) *bpe {
	b := &bpe{size: int32(len(t.tokens)), runes: map[rune]int32{}, unknown: none}
	symbols := symbolTable{t: t, usable: usable, others: map[string]int32{}}
	b.byteTokens(&symbols)

	order := make([]int32, 0, len(t.tokens))
	for id := range t.tokens {
		if usable(int32(id)) {
			order = append(order, int32(id))
		}
	}
	slices.SortStableFunc(order, func(x, y int32) int { return cmp.Compare(scores[y], scores[x]) })
	b.pairs = newPairTable(3 * len(order))
	rank := uint32(0)
	count := 0
	for i, id := range order {
		if i > 0 && scores[id] != scores[order[i-1]] {
			rank++
		}
		name := t.tokens[id].name
		if t.ids[name] != id {
			continue // spelled as a later token
		}
		if r, n := utf8.DecodeRuneInString(name); n == len(name) {
			b.runes[r] = id
			continue
		}
		for at := range name {
			if at == 0 {
				continue
			}
			left, ok := symbols.part(name[:at])
			if !ok {
				continue
			}
			right, ok := symbols.part(name[at:])
			if !ok {
				continue
			}
			if count++; 2*count > len(b.pairs.entries) {
				b.pairs = b.pairs.grown()
			}
			b.pairs.add(left, right, rank, id)
		}
	}
	b.characterSymbols(&symbols)
	return b
}

// part returns the symbol of a token, or of a single character that is none.
func (s *symbolTable) part(name string) (int32, bool) {
	if id, ok := s.t.ids[name]; ok && s.usable(id) {
		return id, true
	}
	if _, n := utf8.DecodeRuneInString(name); n != len(name) {
		return none, false
	}
	return s.symbol(name), true
}

// byteTokens sets the symbols that a character falls apart into: the tokens
// "<0x00>" to "<0xFF>" where the vocabulary has them.
func (b *bpe) byteTokens(s *symbolTable) {
	for c := range b.bytes {
		name := byteName(byte(c))
		if id, ok := s.t.ids[name]; ok {
			b.bytes[c] = id
		} else {
			b.bytes[c] = s.symbol(name)
		}
	}
}

// characterSymbols sets the symbols of the characters that merges know and
// the vocabulary does not.
func (b *bpe) characterSymbols(s *symbolTable) {
	for name, id := range s.others {
		if r, n := utf8.DecodeRuneInString(name); n == len(name) {
			b.runes[r] = id
		}
	}
}

// byteName is the spelling of the token of a byte.
func byteName(c byte) string { return fmt.Sprintf("<0x%02X>", c) }

// parseByteName is its inverse.
func parseByteName(name string) (byte, bool) {
	var c byte
	if len(name) != 6 {
		return 0, false
	}
	if _, err := fmt.Sscanf(name, "<0x%02X>", &c); err != nil || byteName(c) != name {
		return 0, false
	}
	return c, true
}

// wordsAtSpaces reports whether no token has a space after something else, so
// that a text may be cut before its spaces without changing its tokens.
func wordsAtSpaces(t *Tokenizer) bool {
	for _, k := range t.tokens {
		if k.control {
			continue
		}
		rest := strings.TrimLeft(k.name, spaceMark)
		if strings.Contains(rest, spaceMark) {
			return false
		}
	}
	return true
}

// spacedWord takes spaces and the word after them.
func spacedWord(s string) int {
	i := 0
	for strings.HasPrefix(s[i:], spaceMark) {
		i += len(spaceMark)
	}
	if n := strings.Index(s[i:], spaceMark); n >= 0 {
		return i + n
	}
	return len(s)
}

// sentencePieces is the pipeline of a model whose text has its spaces spelled
// already.
func sentencePieces(t *Tokenizer, words wordModel) *pipeline {
	p := &pipeline{words: words}
	if wordsAtSpaces(t) {
		p.steps = []step{splitter(spacedWord)}
	}
	return p
}
