package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// unmarkSpaces is the text of a token of SentencePiece.
func unmarkSpaces(name string) string { return strings.ReplaceAll(name, spaceMark, " ") }

// sentence reads the vocabulary and the scores of a SentencePiece model, and
// says which tokens text may become.
func (g *ggufReader) sentence() (t *Tokenizer, scores []float64, usable func(int32) bool, err error) {
	if t, err = g.vocabulary(unmarkSpaces); err != nil {
		return nil, nil, nil, err
	}
	if scores, err = g.f.Floats("tokenizer.ggml.scores"); err != nil {
		return nil, nil, nil, err
	}
	if len(scores) != len(t.tokens) {
		return nil, nil, nil, fmt.Errorf("the file has %d tokens but %d scores", len(t.tokens), len(scores))
	}
	for i, s := range scores {
		if s != s {
			return nil, nil, nil, fmt.Errorf("the score of token %d is not a number", i)
		}
	}
	usable = func(id int32) bool { return !t.tokens[id].control && g.kinds[id] != ggufByte }
	return t, scores, usable, nil
}

// scored reads SentencePiece's BPE.
func (g *ggufReader) scored() (*Tokenizer, error) {
	t, scores, usable, err := g.sentence()
	if err != nil {
		return nil, err
	}
	b := newScored(t, scores, usable)
	b.unknown = g.id("tokenizer.ggml.unknown_token_id", len(t.tokens))
	t.model = sentencePieces(t, b)
	spaced := g.bool("tokenizer.ggml.add_space_prefix", true)
	t.normal = markSpaces(spaced)
	if spaced {
		t.join = dropSpace
	}
	g.around(t, true)
	return t, nil
}

// markSpaces spells spaces as SentencePiece does, with one more before a text
// if wanted.
func markSpaces(prefix bool) normalizer {
	mark := replace{findString(" "), spaceMark}
	if prefix {
		return normalizers{mark, prepend(spaceMark)}
	}
	return mark
}

// dropSpace is Decode where Encode puts a space before a text.
func dropSpace(t *Tokenizer, ids []int32) string {
	return strings.TrimPrefix(t.concatenate(ids), " ")
}

// characters reads BPE whose symbols are characters.
func (g *ggufReader) characters() (*Tokenizer, error) {
	t, err := g.vocabulary(unmarkSpaces)
	if err != nil {
		return nil, err
	}
	merges, err := g.merges()
	if err != nil {
		return nil, err
	}
	b := newCharacterBPE(t, merges, false)
	b.unknown = g.id("tokenizer.ggml.unknown_token_id", len(t.tokens))
	t.normal = markSpaces(g.bool("tokenizer.ggml.add_space_prefix", false))
	t.model = &pipeline{steps: []step{splitter(newlinesApart)}, words: b}
	g.around(t, true)
	return t, nil
}

// newlinesApart is [^\n]+|\n+.
func newlinesApart(s string) int {
	n := 0
	for n < len(s) && (s[n] == '\n') == (s[0] == '\n') {
		n++
	}
	return n
}

// unigram reads SentencePiece's Unigram model.
func (g *ggufReader) unigram() (*Tokenizer, error) {
	t, scores, usable, err := g.sentence()
	if err != nil {
		return nil, err
	}
	size := len(t.tokens)
	unknown := g.id("tokenizer.ggml.unknown_token_id", size)
	if unknown == none {
		if unknown = int32(slices.Index(g.kinds, ggufUnknown)); unknown == none {
			return nil, errors.New("a Unigram vocabulary needs its unknown token")
		}
	}
	worst := 0.0
	for i := range scores {
		switch g.kinds[i] {
		case ggufUser: // better than any token that was learned
			scores[i] = 0
		case ggufNormal:
			worst = min(worst, scores[i])
		}
	}
	t.model = &pipeline{words: newUnigram(t, scores, unknown, worst, usable)}
	if t.normal, err = g.sentenceNormalizer(); err != nil {
		return nil, err
	}
	t.join = dropSpace
	g.around(t, false)
	if t.bos != none && t.eos != none {
		t.pair = robertaPair(t.bos, t.eos)
	}
	return t, nil
}

// sentenceNormalizer is SentencePiece's own: its table of replacements, then
// its treatment of spaces.
func (g *ggufReader) sentenceNormalizer() (normalizer, error) {
	var steps normalizers
	numbers, err := g.f.Ints("tokenizer.ggml.precompiled_charsmap") // of signed or unsigned bytes
	g.keep(err)
	if err == nil && len(numbers) > 0 {
		table := make([]byte, len(numbers))
		for i, n := range numbers {
			table[i] = byte(n)
		}
		c, err := parseCharsmap(table)
		if err != nil {
			return nil, err
		}
		steps = append(steps, longestPrefixes{c})
	}
	if g.bool("tokenizer.ggml.remove_extra_whitespaces", false) {
		steps = append(steps, oneSpace{})
	}
	return append(steps, markSpaces(g.bool("tokenizer.ggml.add_space_prefix", false))), nil
}
