package tokenizer

// pairPart is a part of the template that puts two texts together.
type pairPart struct {
	text int   // 1 or 2: that text; 0: the token id
	id   int32 // a token
	kind int32 // the type of the part's tokens
}

// bertPair is [CLS] first [SEP] second [SEP].
func bertPair(begin, end int32) []pairPart {
	return []pairPart{{0, begin, 0}, {1, none, 0}, {0, end, 0}, {2, none, 1}, {0, end, 1}}
}

// robertaPair is <s> first </s></s> second </s>, all of one type.
func robertaPair(begin, end int32) []pairPart {
	return []pairPart{{0, begin, 0}, {1, none, 0}, {0, end, 0}, {0, end, 0}, {2, none, 0}, {0, end, 0}}
}

// plainPair is what tokenizer.json without a template for pairs means.
var plainPair = []pairPart{{1, none, 0}, {2, none, 1}}

// EncodePair returns the ids of two texts put together as the model's files
// ask, and the type of each token: the number of the text, or of the segment,
// that it belongs to. Control tokens in the texts are not matched. It is
// Pair of the two encoded.
func (t *Tokenizer) EncodePair(first, second string) (ids, types []int32) {
	return t.Pair(t.Encode(first, Options{}), t.Encode(second, Options{}))
}

// Pair is EncodePair for texts that are encoded already, and perhaps
// shortened, without what AddSpecial adds.
func (t *Tokenizer) Pair(first, second []int32) (ids, types []int32) {
	n := len(first) + len(second) + t.PairOverhead()
	ids, types = make([]int32, 0, n), make([]int32, 0, n)
	texts := [...][]int32{1: first, 2: second}
	for _, part := range t.pairTemplate() {
		if part.text == 0 {
			ids = append(ids, part.id)
		} else {
			ids = append(ids, texts[part.text]...)
		}
		for len(types) < len(ids) {
			types = append(types, part.kind)
		}
	}
	return ids, types
}

// PairOverhead returns how many tokens Pair adds to the two texts.
func (t *Tokenizer) PairOverhead() int {
	n := 0
	for _, part := range t.pairTemplate() {
		if part.text == 0 {
			n++
		}
	}
	return n
}

func (t *Tokenizer) pairTemplate() []pairPart {
	if t.pair == nil {
		return plainPair
	}
	return t.pair
}
