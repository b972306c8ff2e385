package tokenizer

// newBPE builds the model from the vocabulary in t and the merges in the
// order they were learned.
func newBPE(t *Tokenizer, p pretokenizer, merges [][2]string) *bpe {
	b := &bpe{splitters: p.splitters, size: int32(len(t.tokens)), pairs: newPairTable(len(merges)), unknown: none}
	s := symbolTable{t: t, others: map[string]int32{}}
	for c, r := range byteSpelling {
		b.bytes[c] = s.symbol(string(r))
	}
	for rank, m := range merges {
		b.pairs.add(s.symbol(m[0]), s.symbol(m[1]), uint32(rank), s.symbol(m[0]+m[1]))
	}
	if p.wholeWords {
		b.whole = make(map[string]int32, len(t.tokens))
		for i, k := range t.tokens {
			if text, ok := unspell(k.name); ok && !k.control {
				b.whole[text] = int32(i)
			}
		}
	}
	return b
}

// symbolTable gives spellings their symbols: a token's id, or a number above
// all ids for what is no token. A control token is none here: text that merges
// to its spelling stays text.
type symbolTable struct {
	t      *Tokenizer
	others map[string]int32
}

func (s *symbolTable) symbol(name string) int32 {
	if id, ok := s.t.ids[name]; ok && !s.t.tokens[id].control {
		return id
	}
	id, ok := s.others[name]
	if !ok {
		id = int32(len(s.t.tokens) + len(s.others))
		s.others[name] = id
	}
	return id
}
