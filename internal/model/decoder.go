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

// DecoderOptions say how a decoder is loaded and how it computes.
type DecoderOptions struct {
	// Pool runs the arithmetic. It stays the caller's; nil means one thread.
	Pool *kernel.Pool

	// Quantize says what float weights become. Default: they stay as stored.
	Quantize Quantization

	// Precision is that of what goes into each product with quantised weights.
	// Exact, the default, keeps 15 bits, and the model computes what its weights
	// say. Int8 keeps 8, as llama.cpp does: a prompt is read about 1.5 times as
	// fast, and where two tokens are close either may win.
	Precision Precision

	// Cache is how caches keep keys and values. Default: Halves.
	Cache CachePrecision

	// Context bounds the longest sequence, in tokens; 0 means what the model can.
	// A model with LongRoPE (Phi-3) has one set of rotary factors for sequences
	// up to the context that it first learned and one for longer ones: this
	// bound decides which it uses.
	Context int
}

// CachePrecision is how keys and values are kept.
type CachePrecision string

const (
	// Halves are half-precision numbers, as transformers has them in bfloat16
	// and llama.cpp by default.
	Halves CachePrecision = "f16"
	// Bytes have a scale for every 32 numbers of a key or a value, and take 0.53
	// of the memory. Attention is slower by what it takes to make halves of them.
	Bytes CachePrecision = "q8"
)

// validate complains about options that mean nothing.
func (o DecoderOptions) validate() error {
	switch o.Precision {
	case "", Exact, Int8:
	default:
		return fmt.Errorf("the precision %q is not known: want %s or %s", o.Precision, Exact, Int8)
	}
	switch o.Cache {
	case "", Halves, Bytes:
		return nil
	}
	return fmt.Errorf("the precision %q of keys and values is not known: want %s or %s", o.Cache, Halves, Bytes)
}

// keep makes a model's caches of a precision.
func (c *DecoderConfig) keep(p CachePrecision) error {
	if c.ByteCache = p == Bytes; c.ByteCache && c.HeadSize%kernel.BytePageUnit != 0 {
		return fmt.Errorf("keys and values of %d numbers cannot be kept as %s, which wants a multiple of %d: keep them as %s",
			c.HeadSize, Bytes, kernel.BytePageUnit, Halves)
	}
	return nil
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

	rotary [2]rotation   // of layers that see all, and of layers with a window
	spread spread        // of keys that are kept as bytes
	free   []*cacheBlock // blocks that no cache holds
	work   workspace
}

// rotation is a Rotary ready for use.
type rotation struct {
	frequencies []float64
	scale       float32
}

// DecoderInfo is what can be said of a decoder without loading it.
type DecoderInfo struct {
	Config DecoderConfig
	Bytes  int64 // memory that loading will take, working memory included
}

// opened is a model's files, checked but not loaded.
type opened struct {
	config  DecoderConfig
	family  *family
	weights weights
	output  bool // there is an output matrix besides the embedding
}

// openGGUF reads the settings of a GGUF file.
func openGGUF(f *gguf.File, o DecoderOptions) (*opened, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	c, fam, err := ggufConfig(f, o.Context)
	if err != nil {
		return nil, err
	}
	if err := c.keep(o.Cache); err != nil {
		return nil, err
	}
	w := ggufWeights{f}
	_, output := w.find(outputMatrix)
	return &opened{c, fam, w, output}, nil
}

// openFolder reads the settings of a folder with config.json and safetensors.
// The caller closes the set.
func openFolder(folder string, o DecoderOptions) (*opened, *safetensors.Set, error) {
	if err := o.validate(); err != nil {
		return nil, nil, err
	}
	path := filepath.Join(folder, "config.json")
	config, err := readSettings(path)
	if err != nil {
		return nil, nil, err
	}
	c, fam, tied, err := parseHFConfig(config, o.Context)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.keep(o.Cache); err != nil {
		return nil, nil, err
	}
	set, err := safetensors.OpenSet(folder)
	if err != nil {
		return nil, nil, err
	}
	return &opened{c, fam, hfWeights{set, fam, tied}, !tied}, set, nil
}

// readSettings reads a small file.
func readSettings(path string) ([]byte, error) {
	at, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if at.Size() > maxSettings {
		return nil, fmt.Errorf("%s has %d bytes, a settings file at most %d", path, at.Size(), maxSettings)
	}
	return os.ReadFile(path)
}

// InspectDecoder checks that a GGUF file holds a decoder that can be loaded:
// every hyperparameter, and every tensor with its shape and type. It allocates
// next to nothing, so a caller can compare Bytes with a limit first.
func InspectDecoder(f *gguf.File, o DecoderOptions) (DecoderInfo, error) {
	m, err := openGGUF(f, o)
	if err != nil {
		return DecoderInfo{}, fmt.Errorf("inspect model: %w", err)
	}
	return m.inspect(o)
}

// InspectDecoderFolder is InspectDecoder for a folder in Hugging Face's layout.
func InspectDecoderFolder(folder string, o DecoderOptions) (DecoderInfo, error) {
	m, set, err := openFolder(folder, o)
	if err != nil {
		return DecoderInfo{}, fmt.Errorf("inspect model: %w", err)
	}
	defer set.Close()
	return m.inspect(o)
}

func (m *opened) inspect(o DecoderOptions) (DecoderInfo, error) {
	d := newDecoder(m.config, o)
	_, bytes, err := plan(m.weights, d.slots(m), o.Quantize)
	if err != nil {
		return DecoderInfo{}, fmt.Errorf("inspect model: %w", err)
	}
	return DecoderInfo{Config: m.config, Bytes: bytes + m.config.workBytes()}, nil
}

// LoadDecoder loads a decoder from a GGUF file, which may be closed afterwards.
// Weights are packed tensor by tensor straight from the mapped file, so that
// memory holds them once.
func LoadDecoder(f *gguf.File, o DecoderOptions) (*Decoder, error) {
	m, err := openGGUF(f, o)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	return m.load(o)
}

// LoadDecoderFolder loads a decoder from a folder with config.json and
// safetensors, one file or several with their index, as Hugging Face lays them
// out.
func LoadDecoderFolder(folder string, o DecoderOptions) (*Decoder, error) {
	m, set, err := openFolder(folder, o)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	defer set.Close()
	return m.load(o)
}

func (m *opened) load(o DecoderOptions) (*Decoder, error) {
	d := newDecoder(m.config, o)
	tensors, bytes, err := plan(m.weights, d.slots(m), o.Quantize)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	slab, err := kernel.NewSlab(bytes)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	if err := load(m.weights, tensors, slab, d.pool); err != nil {
		slab.Free()
		return nil, fmt.Errorf("load model: %w", err)
	}
	runtime.AddCleanup(d, (*kernel.Slab).Free, slab)
	if d.output == nil {
		d.output = d.embedding
	}
	d.bytes = bytes + m.config.workBytes()
	return d, nil
}

func newDecoder(c DecoderConfig, o DecoderOptions) *Decoder {
	d := &Decoder{config: c, pool: o.Pool, layers: make([]decoderLayer, c.Layers)}
	for i := range d.layers {
		d.layers[i].experts = make([]gatedUnit, max(1, c.Experts))
	}
	d.rotary[0] = rotation{c.Rotary.frequencies(), float32(c.Rotary.Scale)}
	if c.Windowed != nil {
		d.rotary[1] = rotation{c.LocalRotary.frequencies(), float32(c.LocalRotary.Scale)}
	}
	if d.pool == nil {
		d.pool = kernel.NewPool(1)
	}
	if c.ByteCache {
		d.spread = newSpread(c.HeadSize)
	}
	d.work.round(o.Precision == Int8)
	return d
}

// Config returns the decoder's shape.
func (d *Decoder) Config() DecoderConfig { return d.config }

// Bytes returns the memory of the weights and of the working space of Forward;
// caches come on top.
func (d *Decoder) Bytes() int64 { return d.bytes }

// CacheBytes returns the memory that a sequence of so many tokens takes in a
// cache, shared blocks counted in full.
func (d *Decoder) CacheBytes(tokens int) int64 { return d.config.CacheBytes(tokens) }

// TokenBytes returns the bytes of weights that are read for a token: all
// matrices but the embedding, unless that is the output matrix too, and of the
// experts as many as a token is sent to.
func (d *Decoder) TokenBytes() int64 {
	bytes := d.output.Bytes()
	for i := range d.layers {
		l := &d.layers[i]
		var experts int64
		for _, u := range l.experts {
			experts += u.gate.Bytes() + u.up.Bytes() + u.down.Bytes()
		}
		if l.router != nil {
			bytes += l.router.Bytes()
			experts = experts / int64(len(l.experts)) * int64(d.config.ExpertsUsed)
		}
		bytes += l.query.Bytes() + l.key.Bytes() + l.value.Bytes() + l.projected.Bytes() + experts
	}
	return bytes
}
