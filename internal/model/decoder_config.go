package model

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// DecoderConfig is the shape of a decoder and what its layers do, as its files
// and its family say.
type DecoderConfig struct {
	Architecture string // GGUF's name of the family, such as "llama"
	Vocab        int    // tokens in the vocabulary, and logits of a row
	Context      int    // the longest sequence, in tokens
	Layers       int
	Width        int // numbers a token has between layers
	Heads        int // query heads
	KVHeads      int // key-value heads; each serves Heads/KVHeads query heads
	HeadSize     int
	FeedForward  int     // width of the gated unit, of one expert where there are experts
	Epsilon      float64 // added to the mean square in normalisation

	Rotary      Rotary // how positions turn queries and keys
	LocalRotary Rotary // the same in layers with a window
	Unrotated   []bool // by layer: positions turn nothing (NoPE); nil means none

	Window   int    // tokens that a layer with a window sees, the newest included
	Windowed []bool // by layer; nil means that every layer sees all

	Experts      int  // feed-forward units to choose from in a layer; 0 means one that is always used
	ExpertsUsed  int  // how many a token goes through
	ExpertsToOne bool // their weights are scaled to a sum of 1

	EmbeddingScale float64 // multiplies the embeddings
	ResidualScale  float64 // multiplies what a half layer adds
	AttentionScale float64 // multiplies the scores of attention
	LogitScale     float64 // multiplies the logits

	AttentionCap float64 // soft cap of the scores; 0 means none
	LogitCap     float64 // soft cap of the logits; 0 means none

	ByteCache bool // keys and values are kept as Bytes; the options say so, not the files

	traits
}

// traits are the parts that a layer has, which are the same in all models of a
// family.
type traits struct {
	PreNorm      bool // a half layer reads the normalised residual stream, not the stream itself
	PostNorm     bool // what a half layer adds is normalised
	QueryKeyNorm norming
	Biased       bool // queries, keys and values have biases
	GELU         bool // the gate is GELU in its tanh form, not SiLU
}

// norming is what queries and keys are normalised over before they are turned.
type norming int

const (
	notNormed  norming = iota
	headNormed         // each head on its own, with one weight for all
	rowNormed          // all heads together
)

// Limits that no real model comes near, to keep products of hostile numbers
// from overflowing and allocations in bounds before a tensor was seen.
const (
	maxLayers  = 1 << 10
	maxWidth   = 1 << 20
	maxContext = 1 << 24
	maxExperts = 1 << 12
)

// withDefaults fills in what the files of most families leave out.
func (c DecoderConfig) withDefaults() DecoderConfig {
	c.EmbeddingScale = orDefault(c.EmbeddingScale, 1)
	c.ResidualScale = orDefault(c.ResidualScale, 1)
	c.LogitScale = orDefault(c.LogitScale, 1)
	c.AttentionScale = orDefault(c.AttentionScale, 1/math.Sqrt(float64(max(1, c.HeadSize))))
	return c
}

// orDefault is v, or the default where a file left it out. Not cmp.Or: a NaN in
// a hostile file has to stay one.
func orDefault(v, absent float64) float64 {
	if v == 0 {
		return absent
	}
	return v
}

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
	if c.Heads*c.HeadSize > maxWidth {
		p.add("%d heads of %d numbers are more than %d", c.Heads, c.HeadSize, maxWidth)
	}
	if !(c.Epsilon >= 0) || c.Epsilon > 1 {
		p.add("the normalisation epsilon is %v, want 0 to 1", c.Epsilon)
	}
	c.Rotary.validate(&p, c.HeadSize)
	if c.Windowed != nil {
		p.within("the attention window", c.Window, maxContext)
		c.LocalRotary.validate(&p, c.HeadSize)
	}
	for _, layers := range [][]bool{c.Windowed, c.Unrotated} {
		if layers != nil && len(layers) != c.Layers {
			p.add("%d of %d layers are described", len(layers), c.Layers)
		}
	}
	if c.Experts != 0 {
		p.within("the number of experts", c.Experts, maxExperts)
		p.within("the number of experts that a token uses", c.ExpertsUsed, c.Experts)
	}
	c.validateScales(&p)
	return p.err()
}

func (c *DecoderConfig) validateScales(p *problems) {
	for _, s := range []struct {
		what  string
		value float64
		least float64
	}{
		{"the embedding scale", c.EmbeddingScale, math.SmallestNonzeroFloat32},
		{"the residual scale", c.ResidualScale, math.SmallestNonzeroFloat32},
		{"the attention scale", c.AttentionScale, math.SmallestNonzeroFloat32},
		{"the logit scale", c.LogitScale, math.SmallestNonzeroFloat32},
		{"the attention soft cap", c.AttentionCap, 0},
		{"the logit soft cap", c.LogitCap, 0},
	} {
		if !(s.value >= s.least) || s.value > 1e6 {
			p.add("%s is %v, want a number above 0 and up to 1e6", s.what, s.value)
		}
	}
}

// kind is 0 for a layer that sees all, 1 for one with a window.
func (c *DecoderConfig) kind(layer int) int {
	if c.Windowed != nil && c.Windowed[layer] {
		return 1
	}
	return 0
}

// rotated reports whether a layer turns its queries and keys.
func (c *DecoderConfig) rotated(layer int) bool { return c.Unrotated == nil || !c.Unrotated[layer] }

// blockNumbers is the memory of a cache block, in half-precision numbers: of 32
// tokens, the keys and values of all layers.
func (c *DecoderConfig) blockNumbers() int {
	return c.Layers * c.KVHeads * c.pageSize()
}

// pageSize is the numbers of the page of one layer and head.
func (c *DecoderConfig) pageSize() int {
	if c.ByteCache {
		return kernel.BytePageSize(c.HeadSize)
	}
	return kernel.PageSize(c.HeadSize)
}

// CacheBytes returns the memory that a sequence of so many tokens takes.
func (c *DecoderConfig) CacheBytes(tokens int) int64 {
	blocks := (int64(tokens) + kernel.PageTokens - 1) / kernel.PageTokens
	return blocks * int64(c.blockNumbers()) * 2
}

// everyNth marks every nth of the layers; nothing where a count is impossible,
// which validate refuses.
func everyNth(layers, n int) []bool {
	if layers < 0 || layers > maxLayers || n < 1 {
		return nil
	}
	marks := make([]bool, layers)
	for i := range marks {
		marks[i] = (i+1)%n == 0
	}
	return marks
}

// not turns marks around.
func not(marks []bool) []bool {
	out := make([]bool, len(marks))
	for i, m := range marks {
		out[i] = !m
	}
	return out
}
