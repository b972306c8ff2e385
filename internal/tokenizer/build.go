package tokenizer

import "unicode/utf8"

// newBPE builds byte-level BPE from the vocabulary in t and the merges in the
// order they were learned. With whole set, a word that is a token is taken
// without asking the merges.
func newBPE(t *Tokenizer, merges [][2]string, whole bool) *bpe {
	b := &bpe{size: int32(len(t.tokens)), pairs: newPairTable(len(merges)), unknown: none}
	s := symbolTable{t: t, usable: t.isText, others: map[string]int32{}}
	for c, r := range byteSpelling {
		b.bytes[c] = s.symbol(string(r))
	}
	s.merges(b, merges)
	if whole {
		b.whole = make(map[string]int32, len(t.tokens))
		for i, k := range t.tokens {
			if text, ok := unspell(k.name); ok && t.isText(int32(i)) {
				b.whole[text] = int32(i)
			}
		}
	}
	return b
}

// newCharacterBPE is newBPE for a model whose symbols are characters.
func newCharacterBPE(t *Tokenizer, merges [][2]string, whole bool) *bpe {
	b := &bpe{size: int32(len(t.tokens)), pairs: newPairTable(len(merges)), runes: map[rune]int32{}, unknown: none}
	s := symbolTable{t: t, usable: t.isText, others: map[string]int32{}}
	b.byteTokens(&s)
	s.merges(b, merges)
	for i, k := range t.tokens {
		if r, n := utf8.DecodeRuneInString(k.name); n == len(k.name) && n > 0 && t.isText(int32(i)) {
			b.runes[r] = int32(i)
		}
	}
	b.characterSymbols(&s)
	if whole {
		b.whole = make(map[string]int32, len(t.tokens))
		for i, k := range t.tokens {
			if t.isText(int32(i)) {
				b.whole[k.name] = int32(i)
			}
		}
	}
	return b
}

// isText reports whether the model may make a token of text: a control token is
// only matched as an added one.
func (t *Tokenizer) isText(id int32) bool { return !t.tokens[id].control && !t.tokens[id].outside }

// symbolTable gives spellings their symbols: a token's id, or a number above
// all ids for what is no token that may be made.
type symbolTable struct {
	t      *Tokenizer
	usable func(id int32) bool
	others map[string]int32
}

func (s *symbolTable) symbol(name string) int32 {
	if id, ok := s.t.ids[name]; ok && s.usable(id) {
		return id
	}
	id, ok := s.others[name]
	if !ok {
		id = int32(len(s.t.tokens) + len(s.others))
		s.others[name] = id
	}
	return id
}

func (s *symbolTable) merges(b *bpe, merges [][2]string) {
	for rank, m := range merges {
		b.pairs.add(s.symbol(m[0]), s.symbol(m[1]), uint32(rank), s.symbol(m[0]+m[1]))
	}
}
