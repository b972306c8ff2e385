package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/gguf"
)

// The kinds of tokens in tokenizer.ggml.token_type that need treatment.
const (
	ggufNormal  = 1
	ggufUnknown = 2
	ggufControl = 3
	ggufUser    = 4
	ggufByte    = 6
)

// ErrUnsupported is wrapped by the errors of FromGGUF and FromJSON that name
// something this package does not do.
var ErrUnsupported = errors.New("not supported")

// FromGGUF reads the tokenizer of a GGUF file. tokenizer.ggml.model must be
// "gpt2", byte-level BPE, with a pre-tokeniser that is known here; "llama",
// SentencePiece's BPE; "gemma4", BPE of characters; "t5", SentencePiece's
// Unigram; or "bert", WordPiece. The tokenizer keeps nothing of the file.
func FromGGUF(f *gguf.File) (*Tokenizer, error) {
	model, err := f.String("tokenizer.ggml.model")
	if err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	g := ggufReader{f: f}
	var t *Tokenizer
	switch model {
	case "gpt2":
		t, err = g.byteLevel()
	case "llama":
		t, err = g.scored()
	case "gemma4":
		t, err = g.characters()
	case "t5":
		t, err = g.unigram()
	case "bert":
		t, err = g.wordPiece()
	default:
		err = fmt.Errorf("tokenizer.ggml.model %q is %w", model, ErrUnsupported)
	}
	if err == nil {
		err = g.err
	}
	if err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	return t, nil
}

// ggufReader reads optional values; err is the first that has a wrong type.
type ggufReader struct {
	f     *gguf.File
	err   error
	kinds []int64 // of the tokens, once the vocabulary is read
}

func (g *ggufReader) keep(err error) {
	if err != nil && !errors.Is(err, gguf.ErrMissing) && g.err == nil {
		g.err = err
	}
}

func (g *ggufReader) bool(key string, otherwise bool) bool {
	v, err := g.f.Bool(key)
	if err != nil {
		g.keep(err)
		return otherwise
	}
	return v
}

// id returns the token of a key, none where the file has no such key.
func (g *ggufReader) id(key string, size int) int32 {
	v, err := g.f.Uint(key)
	if err != nil {
		g.keep(err)
		return none
	}
	if v >= uint64(size) {
		g.keep(fmt.Errorf("%s is %d, the vocabulary has %d tokens", key, v, size))
		return none
	}
	return int32(v)
}

// vocabulary reads the tokens; spell turns a normal token's spelling into its
// text.
func (g *ggufReader) vocabulary(spell func(name string) string) (*Tokenizer, error) {
	names, err := g.f.Strings("tokenizer.ggml.tokens")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("the vocabulary is empty")
	}
	kinds, err := g.f.Ints("tokenizer.ggml.token_type")
	g.keep(err)
	if err == nil && len(kinds) != len(names) {
		return nil, fmt.Errorf("the file has %d tokens but %d token types", len(names), len(kinds))
	}
	t := &Tokenizer{tokens: make([]token, len(names)), ids: make(map[string]int32, len(names))}
	var added []addedToken
	for i, name := range names {
		kind := int64(1)
		if kinds != nil {
			kind = kinds[i]
		}
		g.kinds = append(g.kinds, kind)
		// Some files have their end tokens among the user's: no text may be one.
		ends := kind == ggufUser && slices.Contains(endNames, name)
		k := token{name: name, control: kind == ggufControl || kind == ggufUnknown || ends}
		if k.control || kind == ggufUser {
			added = append(added, addedToken{text: name, id: int32(i), control: k.control})
		}
		switch {
		case k.control:
		case kind == ggufUser:
			k.text = name
		case kind == ggufByte:
			if c, ok := parseByteName(name); ok {
				k.text = string([]byte{c})
			}
		default:
			k.text = spell(name)
		}
		t.tokens[i] = k
		t.ids[name] = int32(i)
	}
	t.added = newAddedTokens(added)
	return t, nil
}

func (g *ggufReader) byteLevel() (*Tokenizer, error) {
	pre, err := g.f.String("tokenizer.ggml.pre")
	if err != nil {
		return nil, err
	}
	p, ok := pretokenizerNamed(pre)
	if !ok {
		return nil, fmt.Errorf("tokenizer.ggml.pre %q is %w", pre, ErrUnsupported)
	}
	t, err := g.vocabulary(func(name string) string {
		if text, ok := unspell(name); ok {
			return text
		}
		return name
	})
	if err != nil {
		return nil, err
	}
	merges, err := g.merges()
	if err != nil {
		return nil, err
	}
	t.model = p.pipeline(newBPE(t, merges, p.wholeWords))
	g.around(t, p.bos)
	return t, nil
}

func (g *ggufReader) merges() ([][2]string, error) {
	lines, err := g.f.Strings("tokenizer.ggml.merges")
	if err != nil {
		return nil, err
	}
	merges := make([][2]string, len(lines))
	for i, line := range lines {
		var ok bool
		if merges[i], ok = parseMerge(line); !ok {
			return nil, fmt.Errorf("merge %d is %q, want two spellings and a space between", i, line)
		}
	}
	return merges, nil
}

// around reads the tokens that begin and end texts; bos says whether BOS does
// where the file does not say.
func (g *ggufReader) around(t *Tokenizer, bos bool) {
	size := len(t.tokens)
	t.bos, t.eos = g.id("tokenizer.ggml.bos_token_id", size), g.id("tokenizer.ggml.eos_token_id", size)
	if g.bool("tokenizer.ggml.add_bos_token", bos) && t.bos != none {
		t.prefix = []int32{t.bos}
	}
	if g.bool("tokenizer.ggml.add_eos_token", false) && t.eos != none {
		t.suffix = []int32{t.eos}
	}
	t.setEnds(g.id("tokenizer.ggml.eot_token_id", size), g.id("tokenizer.ggml.eom_token_id", size))
}

// parseMerge splits "Ġ the" at the space after its first character.
func parseMerge(line string) (m [2]string, ok bool) {
	if line == "" {
		return m, false
	}
	m[0], m[1], ok = strings.Cut(line[1:], " ")
	m[0] = line[:1] + m[0]
	return m, ok && m[1] != ""
}

// wordPiece reads BERT's tokenizer, whose spelling in GGUF marks the start of
// a word, with "▁", where BERT's own marks what continues one.
func (g *ggufReader) wordPiece() (*Tokenizer, error) {
	const wordStart = "▁"
	t, err := g.vocabulary(func(name string) string { return strings.TrimPrefix(name, wordStart) })
	if err != nil {
		return nil, err
	}
	size := len(t.tokens)
	w := &wordPiece{
		normalizer: bertNormalizer{clean: true, cjk: true, accents: true, lower: true},
		maxRunes:   100,
		unknown:    g.id("tokenizer.ggml.unknown_token_id", size),
	}
	for i, k := range t.tokens {
		if !k.control {
			w.add(k.text, int32(i), !strings.HasPrefix(k.name, wordStart))
		}
	}
	t.model = w
	t.join = w.join
	t.bos, t.eos = g.id("tokenizer.ggml.cls_token_id", size), g.id("tokenizer.ggml.seperator_token_id", size) // sic
	if t.bos == none || t.eos == none {
		return nil, errors.New("a BERT vocabulary needs its [CLS] and [SEP] tokens")
	}
	t.prefix, t.suffix = []int32{t.bos}, []int32{t.eos}
	t.pair = bertPair(t.bos, t.eos)
	t.setEnds()
	return t, nil
}

// endNames are the control tokens that end an answer in the models we know.
var endNames = []string{
	"<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|eom_id|>", "<|end|>",
	"<|return|>", "<|call|>", "<end_of_turn>", "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>",
	"<|endofturn|>", "<｜end▁of▁sentence｜>", "<eos>", "</s>", "[EOS]", "<|eos|>", "<EOT>",
}

// setEnds collects the end tokens: EOS, those of the file, those with a name
// that ends an answer.
func (t *Tokenizer) setEnds(more ...int32) {
	candidates := append([]int32{t.eos}, more...)
	for _, name := range endNames {
		if id, ok := t.ids[name]; ok && t.tokens[id].control {
			candidates = append(candidates, id)
		}
	}
	// In gpt-oss's format <|end|> ends a section, not the answer.
	section := none
	if _, harmony := t.ids["<|return|>"]; harmony {
		if id, ok := t.ids["<|end|>"]; ok {
			section = id
		}
	}
	seen := map[int32]bool{none: true, section: true}
	for _, id := range candidates {
		if !seen[id] {
			seen[id] = true
			t.ends = append(t.ends, id)
		}
	}
}
