package tokenizer

import (
	"fmt"
	"strings"
)

// wordPiece builds BERT's model.
func (f *tokenizerFile) wordPiece(t *Tokenizer) error {
	if f.Normalizer == nil || f.Normalizer.Type != "BertNormalizer" {
		return fmt.Errorf("WordPiece with normalizer %s is %w", f.Normalizer.name(), ErrUnsupported)
	}
	if f.PreTokenizer == nil || f.PreTokenizer.Type != "BertPreTokenizer" {
		return fmt.Errorf("WordPiece with pre_tokenizer %s is %w", f.PreTokenizer.name(), ErrUnsupported)
	}
	lower := flag(f.Normalizer.Lowercase, true)
	w := &wordPiece{
		normalizer: bertNormalizer{
			clean:   flag(f.Normalizer.CleanText, true),
			cjk:     flag(f.Normalizer.CJK, true),
			accents: flag(f.Normalizer.StripAccents, lower),
			lower:   lower,
		},
		maxRunes: 100,
		unknown:  none,
		cleanup:  f.Decoder != nil && flag(f.Decoder.Cleanup, true),
	}
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
		if !k.control && k.name != "" {
			w.add(k.text, int32(i), prefix != "" && strings.HasPrefix(k.name, prefix))
		}
	}
	t.model, t.join = w, w.join
	return nil
}
