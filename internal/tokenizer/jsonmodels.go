package tokenizer

import (
	"fmt"
	"strings"
)

// bpe builds BPE: byte-level where a ByteLevel pre-tokeniser is there, of
// characters where not.
func (f *tokenizerFile) bpe(t *Tokenizer) error {
	if f.Model.Prefix != nil && *f.Model.Prefix != "" || f.Model.Suffix != nil && *f.Model.Suffix != "" {
		return fmt.Errorf("BPE with a subword prefix or suffix is %w", ErrUnsupported)
	}
	steps, err := f.steps()
	if err != nil {
		return err
	}
	if err := f.decoding(t, steps.byteLevel); err != nil {
		return err
	}
	merges := make([][2]string, len(f.Model.Merges))
	for i, m := range f.Model.Merges {
		merges[i] = m
	}
	p := &pipeline{steps: steps.steps}
	var b *bpe
	if steps.byteLevel {
		b = newBPE(t, merges, f.Model.IgnoreMerges)
	} else {
		b = newCharacterBPE(t, merges, f.Model.IgnoreMerges)
		if !f.Model.ByteFallback {
			for c := range b.bytes {
				b.bytes[c] = b.size // no token
			}
		}
		if wordsAtSpaces(t) && f.marksSpaces() {
			p.steps = append(p.steps, splitter(spacedWord))
		}
	}
	b.fuseUnknown = f.Model.FuseUnk
	if f.Model.UnkToken != nil {
		if id, ok := t.ids[*f.Model.UnkToken]; ok {
			b.unknown = id
		}
	}
	p.words = b
	t.model = p
	return nil
}

// marksSpaces reports whether the text that reaches the model has its spaces
// spelled as "▁", by the normaliser.
func (f *tokenizerFile) marksSpaces() bool {
	n := f.Normalizer
	if n == nil {
		return false
	}
	for _, step := range append([]fileStep{*n}, n.Normalizers...) {
		if step.Type == "Replace" && step.Pattern.String == " " && step.Content == spaceMark {
			return true
		}
	}
	return false
}

func (f *tokenizerFile) steps() (fileSteps, error) {
	var s fileSteps
	if f.PreTokenizer == nil {
		return s, nil
	}
	return s, s.add(f.PreTokenizer)
}

// unigram builds the Unigram model.
func (f *tokenizerFile) unigram(t *Tokenizer) error {
	steps, err := f.steps()
	if err != nil {
		return err
	}
	if steps.byteLevel {
		return fmt.Errorf("a Unigram model with a ByteLevel pre-tokenizer is %w", ErrUnsupported)
	}
	if err := f.decoding(t, false); err != nil {
		return err
	}
	unknown := none
	if f.Model.UnkID != nil {
		if unknown = *f.Model.UnkID; unknown < 0 || int(unknown) >= len(f.Model.scores) {
			return fmt.Errorf("unk_id is %d, the vocabulary has %d tokens", unknown, len(f.Model.scores))
		}
	}
	scores := make([]float64, len(t.tokens))
	worst := 0.0
	for i, s := range f.Model.scores {
		scores[i] = s
		worst = min(worst, s)
	}
	inModel := func(id int32) bool { return int(id) < len(f.Model.scores) && !t.tokens[id].control }
	u := newUnigram(t, scores, unknown, worst, inModel)
	if f.Model.ByteFallback {
		u.bytes = allBytes(t)
	}
	t.model = &pipeline{steps.steps, u}
	return nil
}

// allBytes returns the tokens of the 256 bytes, nil if one is missing.
func allBytes(t *Tokenizer) *[256]int32 {
	var out [256]int32
	for c := range out {
		id, ok := t.ids[byteName(byte(c))]
		if !ok {
			return nil
		}
		out[c] = id
	}
	return &out
}

// wordPiece builds BERT's model.
func (f *tokenizerFile) wordPiece(t *Tokenizer) error {
	w := &wordPiece{maxRunes: 100, unknown: none, cleanup: f.Decoder != nil && flag(f.Decoder.Cleanup, true)}
	if f.Model.MaxRunes != nil {
		w.maxRunes = *f.Model.MaxRunes
	}
	if w.maxRunes < 1 || w.maxRunes > 10000 {
		return fmt.Errorf("max_input_chars_per_word is %d, want 1 to 10000", w.maxRunes)
	}
	if id, ok := t.ids["[UNK]"]; ok && f.Model.UnkToken == nil {
		w.unknown = id
	} else if f.Model.UnkToken != nil {
		if w.unknown, ok = t.ids[*f.Model.UnkToken]; !ok {
			return fmt.Errorf("unk_token %q is not in the vocabulary", *f.Model.UnkToken)
		}
	}
	prefix := "##"
	if f.Model.Prefix != nil {
		prefix = *f.Model.Prefix
	}
	f.texts(t, func(name string) string { return strings.TrimPrefix(name, prefix) })
	for i, k := range t.tokens {
		if t.isText(int32(i)) && k.name != "" {
			w.add(k.text, int32(i), prefix != "" && strings.HasPrefix(k.name, prefix))
		}
	}
	t.join = w.join
	return f.wordPieceSteps(t, w)
}

// wordPieceSteps sets how a text gets to the model: in one pass where
// normaliser and pre-tokeniser are BERT's own, which is all but always.
func (f *tokenizerFile) wordPieceSteps(t *Tokenizer, w *wordPiece) error {
	n, p := f.Normalizer, f.PreTokenizer
	if n != nil && n.Type == "BertNormalizer" && p != nil && p.Type == "BertPreTokenizer" && !t.formal.any {
		w.normalizer = n.bertNormalizer()
		t.normal, t.model = nil, w
		return nil
	}
	steps, err := f.steps()
	if err != nil {
		return err
	}
	if steps.byteLevel {
		return fmt.Errorf("WordPiece with a ByteLevel pre-tokenizer is %w", ErrUnsupported)
	}
	t.model = &pipeline{steps.steps, w}
	return nil
}
