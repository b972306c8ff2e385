package model

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/safetensors"
)

// DecoderOptions say how a decoder computes.
type DecoderOptions struct {
	// Pool runs the arithmetic. It stays the caller's; nil means one thread.
	Pool *kernel.Pool
}

// Decoder is a decoder-only transformer with its weights in memory, which is
// outside the Go heap and goes back to the system some time after the last use.
// One goroutine at a time may use it and its caches.
type Decoder struct {
	config DecoderConfig
	bytes  int64
	pool   *kernel.Pool

	embedding *kernel.Matrix
	layers    []decoderLayer
	norm      []float32
	output    *kernel.Matrix // the embedding itself where the file has no other

	frequencies []float64
	free        []*cacheBlock // blocks that no cache holds
	work        workspace
}

// decoderLayer is the weights of one layer.
type decoderLayer struct {
	attentionNorm    []float32
	query, key       *kernel.Matrix
	value, projected *kernel.Matrix
	forwardNorm      []float32
	gate, up, down   *kernel.Matrix
}

// DecoderInfo is what can be said of a decoder without loading it.
type DecoderInfo struct {
	Config DecoderConfig
	Bytes  int64 // memory that LoadDecoder will take, working memory included
}

// InspectDecoder checks that a file holds a decoder that can be loaded: every
// hyperparameter, and every tensor with its shape and type. It allocates next
// to nothing, so a caller can compare Bytes with a limit first.
func InspectDecoder(f *gguf.File) (DecoderInfo, error) {
	c, err := ggufConfig(f)
	if err != nil {
		return DecoderInfo{}, fmt.Errorf("inspect model: %w", err)
	}
	d := newDecoder(c, DecoderOptions{})
	_, bytes, err := plan(ggufWeights{f}, d.slots(hasOutput(ggufWeights{f})))
	if err != nil {
		return DecoderInfo{}, fmt.Errorf("inspect model: %w", err)
	}
	return DecoderInfo{Config: c, Bytes: bytes + c.workBytes()}, nil
}

// LoadDecoder loads a decoder from a GGUF file, which may be closed afterwards.
func LoadDecoder(f *gguf.File, o DecoderOptions) (*Decoder, error) {
	c, err := ggufConfig(f)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	return loadDecoder(c, ggufWeights{f}, o)
}

// LoadDecoderFolder loads a decoder from a folder with config.json and
// model.safetensors, as Hugging Face lays them out.
func LoadDecoderFolder(folder string, o DecoderOptions) (*Decoder, error) {
	config, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	c, tied, err := parseHFConfig(config)
	if err != nil {
		return nil, fmt.Errorf("load model: %s: %w", filepath.Join(folder, "config.json"), err)
	}
	f, err := safetensors.Open(filepath.Join(folder, "model.safetensors"))
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	defer f.Close()
	return loadDecoder(c, safetensorsWeights{f, tied}, o)
}

func loadDecoder(c DecoderConfig, w weights, o DecoderOptions) (*Decoder, error) {
	d := newDecoder(c, o)
	slots := d.slots(hasOutput(w))
	tensors, bytes, err := plan(w, slots)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	slab, err := kernel.NewSlab(bytes)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	if err := load(slots, tensors, slab, d.pool); err != nil {
		slab.Free()
		return nil, fmt.Errorf("load model: %w", err)
	}
	runtime.AddCleanup(d, (*kernel.Slab).Free, slab)
	if d.output == nil {
		d.output = d.embedding
	}
	d.bytes = bytes + c.workBytes()
	return d, nil
}

// hasOutput says whether a file has an output matrix of its own.
func hasOutput(w weights) bool {
	for _, n := range w.names() {
		if n == "output.weight" {
			return true
		}
	}
	return false
}

func newDecoder(c DecoderConfig, o DecoderOptions) *Decoder {
	d := &Decoder{config: c, pool: o.Pool, layers: make([]decoderLayer, c.Layers), frequencies: c.frequencies()}
	if d.pool == nil {
		d.pool = kernel.NewPool(1)
	}
	return d
}

// slots lists every tensor of the decoder.
func (d *Decoder) slots(output bool) []slot {
	c := &d.config
	slots := []slot{
		{tokenEmbedding, c.Vocab, c.Width, &d.embedding, nil},
		{"output_norm.weight", 1, c.Width, nil, &d.norm},
	}
	if output {
		slots = append(slots, slot{"output.weight", c.Vocab, c.Width, &d.output, nil})
	}
	for i := range d.layers {
		l := &d.layers[i]
		name := func(part string) string { return fmt.Sprintf("blk.%d.%s.weight", i, part) }
		slots = append(slots,
			slot{name("attn_norm"), 1, c.Width, nil, &l.attentionNorm},
			slot{name("attn_q"), c.Heads * c.HeadSize, c.Width, &l.query, nil},
			slot{name("attn_k"), c.KVHeads * c.HeadSize, c.Width, &l.key, nil},
			slot{name("attn_v"), c.KVHeads * c.HeadSize, c.Width, &l.value, nil},
			slot{name("attn_output"), c.Width, c.Heads * c.HeadSize, &l.projected, nil},
			slot{name("ffn_norm"), 1, c.Width, nil, &l.forwardNorm},
			slot{name("ffn_gate"), c.FeedForward, c.Width, &l.gate, nil},
			slot{name("ffn_up"), c.FeedForward, c.Width, &l.up, nil},
			slot{name("ffn_down"), c.Width, c.FeedForward, &l.down, nil},
		)
	}
	return slots
}

// Config returns the decoder's shape.
func (d *Decoder) Config() DecoderConfig { return d.config }

// Bytes returns the memory of the weights and of the working space of Forward;
// caches come on top.
func (d *Decoder) Bytes() int64 { return d.bytes }

// CacheBytes returns the memory that a sequence of so many tokens takes in a
// cache, shared blocks counted in full.
func (d *Decoder) CacheBytes(tokens int) int64 { return d.config.CacheBytes(tokens) }
