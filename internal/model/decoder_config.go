package model

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
)

// DecoderConfig is the shape of a decoder, as its file says.
type DecoderConfig struct {
	Architecture string // GGUF's name of the family, such as "llama"
	Vocab        int    // tokens in the vocabulary, and logits of a row
	Context      int    // the longest sequence, in tokens
	Layers       int
	Width        int // numbers a token has between layers
	Heads        int // query heads
	KVHeads      int // key-value heads; each serves Heads/KVHeads query heads
	HeadSize     int
	FeedForward  int     // width of the gated unit
	Epsilon      float64 // added to the mean square in normalisation
	RopeBase     float64 // base of the rotary frequencies
	RopeDims     int     // leading numbers of a head that are rotated
	Pairing      kernel.Pairing
}

// family is what tells one architecture from another where a file does not say
// it. To add a dense family, add a line and the fields it needs.
type family struct {
	gguf    string         // general.architecture, and the prefix of its keys
	hf      string         // model_type in config.json
	pairing kernel.Pairing // in GGUF files; Hugging Face's always pair halves
}

var families = []family{
	{gguf: "llama", hf: "llama", pairing: kernel.Adjacent},
}

// Limits that no real model comes near, to keep products of hostile numbers
// from overflowing and allocations in bounds before a tensor was seen.
const (
	maxLayers  = 1 << 10
	maxWidth   = 1 << 20
	maxContext = 1 << 24
)

// validate reports all that is impossible about a configuration.
func (c *DecoderConfig) validate() error {
	var p problems
	p.within("the vocabulary", c.Vocab, maxWidth*16)
	p.within("the context length", c.Context, maxContext)
	p.within("the number of layers", c.Layers, maxLayers)
	p.within("the embedding width", c.Width, maxWidth)
	p.within("the number of heads", c.Heads, maxWidth)
	p.within("the number of key-value heads", c.KVHeads, maxWidth)
	p.within("the head size", c.HeadSize, maxWidth)
	p.within("the feed-forward width", c.FeedForward, maxWidth)
	if len(p) > 0 {
		return p.err()
	}
	if c.Heads%c.KVHeads != 0 {
		p.add("%d heads cannot share %d key-value heads evenly", c.Heads, c.KVHeads)
	}
	if c.HeadSize%16 != 0 {
		p.add("the head size is %d, want a multiple of 16", c.HeadSize)
	}
	if c.RopeDims < 2 || c.RopeDims > c.HeadSize || c.RopeDims%2 != 0 {
		p.add("%d rotated dimensions do not fit heads of %d", c.RopeDims, c.HeadSize)
	}
	if !(c.RopeBase > 0) || math.IsInf(c.RopeBase, 0) {
		p.add("the rotary base is %v, want a positive number", c.RopeBase)
	}
	if !(c.Epsilon >= 0) || c.Epsilon > 1 {
		p.add("the normalisation epsilon is %v, want 0 to 1", c.Epsilon)
	}
	return p.err()
}

// blockNumbers is the half-precision numbers of a cache block: of 32 tokens,
// the keys and values of all layers.
func (c *DecoderConfig) blockNumbers() int {
	return c.Layers * c.KVHeads * kernel.PageSize(c.HeadSize)
}

// CacheBytes returns the memory that a sequence of so many tokens takes.
func (c *DecoderConfig) CacheBytes(tokens int) int64 {
	blocks := (int64(tokens) + kernel.PageTokens - 1) / kernel.PageTokens
	return blocks * int64(c.blockNumbers()) * 2
}

// frequencies returns the rotary frequencies: position p turns pair i by
// p·base^(−2i/RopeDims).
func (c *DecoderConfig) frequencies() []float64 {
	f := make([]float64, c.RopeDims/2)
	for i := range f {
		f[i] = math.Pow(c.RopeBase, -2*float64(i)/float64(c.RopeDims))
	}
	return f
}

// ggufConfig reads the shape from a GGUF file's metadata; the vocabulary's size
// is that of the embedding matrix.
func ggufConfig(f *gguf.File) (DecoderConfig, error) {
	arch, err := f.String("general.architecture")
	if err != nil {
		return DecoderConfig{}, err
	}
	c := DecoderConfig{Architecture: arch}
	known := false
	for _, fam := range families {
		if fam.gguf == arch {
			known, c.Pairing = true, fam.pairing
		}
	}
	if !known {
		return c, fmt.Errorf("the architecture %q is not supported", arch)
	}
	r := metadata{file: f, prefix: arch + "."}
	c.Context = r.count("context_length")
	c.Layers = r.count("block_count")
	c.Width = r.count("embedding_length")
	c.FeedForward = r.count("feed_forward_length")
	c.Heads = r.count("attention.head_count")
	c.KVHeads = r.countOr("attention.head_count_kv", c.Heads)
	c.HeadSize = r.countOr("attention.key_length", c.Width/max(1, c.Heads))
	c.RopeDims = r.countOr("rope.dimension_count", c.HeadSize)
	c.Epsilon = r.floatOr("attention.layer_norm_rms_epsilon", 0)
	c.RopeBase = r.floatOr("rope.freq_base", 10000)
	if values := r.countOr("attention.value_length", c.HeadSize); values != c.HeadSize {
		r.fail(fmt.Errorf("keys of %d and values of %d numbers a head are not supported", c.HeadSize, values))
	}
	for _, key := range []string{"rope.scaling.type", "expert_count"} {
		if f.Has(r.prefix + key) {
			r.fail(r.unsupported(key))
		}
	}
	if t, ok := f.Tensor(tokenEmbedding); ok && len(t.Shape) == 2 {
		c.Vocab = t.Shape[1]
	} else {
		r.fail(fmt.Errorf("the embedding matrix %q is missing", tokenEmbedding))
	}
	if r.err != nil {
		return c, r.err
	}
	return c, c.validate()
}

// metadata reads hyperparameters and keeps the first error.
type metadata struct {
	file   *gguf.File
	prefix string
	err    error
}

func (r *metadata) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *metadata) count(key string) int {
	n, err := r.file.Uint(r.prefix + key)
	if err != nil {
		r.fail(err)
		return 0
	}
	return int(min(n, math.MaxInt32)) // validate refuses what is cut here
}

func (r *metadata) countOr(key string, absent int) int {
	if !r.file.Has(r.prefix + key) {
		return absent
	}
	return r.count(key)
}

func (r *metadata) floatOr(key string, absent float64) float64 {
	if !r.file.Has(r.prefix + key) {
		return absent
	}
	v, err := r.file.Float(r.prefix + key)
	if err != nil {
		r.fail(err)
	}
	return v
}

// unsupported allows the values that mean the feature is off.
func (r *metadata) unsupported(key string) error {
	if s, err := r.file.String(r.prefix + key); err == nil {
		if s == "none" {
			return nil
		}
		return fmt.Errorf("%s%s %q is not supported", r.prefix, key, s)
	}
	if n, err := r.file.Uint(r.prefix + key); err == nil && n == 0 {
		return nil
	}
	return fmt.Errorf("%s%s is not supported", r.prefix, key)
}

// hfConfig is what we read of a Hugging Face config.json.
type hfConfig struct {
	ModelType    string          `json:"model_type"`
	Vocab        int             `json:"vocab_size"`
	Context      int             `json:"max_position_embeddings"`
	Layers       int             `json:"num_hidden_layers"`
	Width        int             `json:"hidden_size"`
	FeedForward  int             `json:"intermediate_size"`
	Heads        int             `json:"num_attention_heads"`
	KVHeads      int             `json:"num_key_value_heads"`
	HeadSize     int             `json:"head_dim"`
	Epsilon      float64         `json:"rms_norm_eps"`
	RopeBase     float64         `json:"rope_theta"`
	RopeScaling  json.RawMessage `json:"rope_scaling"`
	Activation   string          `json:"hidden_act"`
	TieEmbedding bool            `json:"tie_word_embeddings"`
}

// parseHFConfig reads the shape from a config.json and says whether the output
// matrix is the embedding matrix.
func parseHFConfig(data []byte) (c DecoderConfig, tied bool, err error) {
	h := hfConfig{RopeBase: 10000, Activation: "silu"}
	if err := json.Unmarshal(data, &h); err != nil {
		return c, false, err
	}
	for _, fam := range families {
		if fam.hf == h.ModelType {
			c.Architecture = fam.gguf
		}
	}
	switch {
	case c.Architecture == "":
		return c, false, fmt.Errorf("the model_type %q is not supported", h.ModelType)
	case h.Activation != "silu":
		return c, false, fmt.Errorf("hidden_act %q is not supported", h.Activation)
	case len(h.RopeScaling) > 0 && string(h.RopeScaling) != "null":
		return c, false, fmt.Errorf("rope_scaling %s is not supported", h.RopeScaling)
	}
	c.Vocab, c.Context, c.Layers, c.Width = h.Vocab, h.Context, h.Layers, h.Width
	c.Heads, c.KVHeads, c.HeadSize, c.FeedForward = h.Heads, h.KVHeads, h.HeadSize, h.FeedForward
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.HeadSize == 0 {
		c.HeadSize = c.Width / max(1, c.Heads)
	}
	c.Epsilon, c.RopeBase, c.RopeDims, c.Pairing = h.Epsilon, h.RopeBase, c.HeadSize, kernel.Halves
	return c, h.TieEmbedding, c.validate()
}
