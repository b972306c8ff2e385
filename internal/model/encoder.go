package model

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/safetensors"
)

// Precision is how a model's products are computed; DecoderOptions.Precision says
// what the two are for a decoder.
type Precision string

const (
	// Exact computes in float32 throughout. It is what an empty Precision means.
	Exact Precision = "f32"
	// Int8 rounds what goes into each product of a layer to eight bits, weights
	// and rows alike, each row after a rotation that spreads outliers (see
	// kernel.ByteRows); all the rest stays float32. About three times as fast;
	// the vectors of MiniLM are at a cosine above 0.999 to the exact ones.
	Int8 Precision = "int8"
)

// EncoderOptions say how an encoder computes.
type EncoderOptions struct {
	// Pool runs the arithmetic. It stays the caller's, and must be open as long
	// as the encoder is used; nil means the caller's own thread.
	Pool *kernel.Pool

	// Precision is that of the products; the zero value is Exact.
	Precision Precision
}

// Encoder turns token sequences into vectors: a transformer with its weights in
// memory, and the pooling that makes one vector of its rows. It is safe for
// concurrent use.
type Encoder struct {
	config    EncoderConfig
	precision Precision
	bytes     int64
	pool      *kernel.Pool

	words, positions, types []float32 // tables of rows as wide as the model
	distances               []float32 // by bucket and head: what attention adds at a distance
	first, final            layerNorm
	layers                  []encoderLayer
	steps                   []vectorStep // from the pooled vector to the final one
	head                    *classifier  // of a cross-encoder, else nil

	nearness [][]float32              // by head: distances[bucket of j−i], at j−i+Positions−1
	rotary   map[float64]*rotaryTable // by base

	passes  sync.Pool // *encoderPass
	scratch sync.Pool // *headScratch
}

// encoderLayer is the weights of one layer. Each half of it has a normalisation,
// of what it reads (EncoderConfig.PreNorm) or of what it has added to.
type encoderLayer struct {
	attention          linear // queries, keys and values side by side
	queryNorm, keyNorm []float32
	projected          linear
	attended           layerNorm
	up, down           linear
	output             layerNorm
}

// encoderTask is what an encoder is loaded for.
type encoderTask int

const (
	makeVectors encoderTask = iota
	scorePairs
)

// EncoderInfo is what can be said of an encoder without loading it.
type EncoderInfo struct {
	Config EncoderConfig
	Bytes  int64 // memory that loading it will take for the weights
}

// InspectEncoder checks the files of an encoder's folder and reports what it
// is, without loading the weights.
func InspectEncoder(dir string, o EncoderOptions) (EncoderInfo, error) {
	return inspect(dir, makeVectors, o)
}

// LoadEncoder reads an encoder from a folder laid out as Hugging Face and
// Sentence Transformers do: config.json and model.safetensors, or the files that
// its index names, say what the transformer is; modules.json with the folders it names,
// sentence_bert_config.json and config_sentence_transformers.json say what to
// make of its rows, and are optional.
func LoadEncoder(dir string, o EncoderOptions) (*Encoder, error) {
	return loadEncoder(dir, makeVectors, o)
}

func inspect(dir string, t encoderTask, o EncoderOptions) (info EncoderInfo, err error) {
	err = withEncoder(dir, t, o, func(e *Encoder, _ encoderWeights) error {
		info = EncoderInfo{e.config, e.bytes}
		return nil
	})
	return info, err
}

func loadEncoder(dir string, t encoderTask, o EncoderOptions) (*Encoder, error) {
	var loaded *Encoder
	err := withEncoder(dir, t, o, func(e *Encoder, w encoderWeights) error {
		loaded = e
		return w.load(e)
	})
	if err != nil {
		return nil, err
	}
	return loaded, nil
}

// withEncoder calls fn with an encoder that has its shape but no weights yet,
// and with the checked weights, whose files are closed afterwards.
func withEncoder(dir string, t encoderTask, o EncoderOptions, fn func(*Encoder, encoderWeights) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("encoder %s: %w", dir, err)
		}
	}()
	config, err := readEncoderConfig(dir, t)
	if err != nil {
		return err
	}
	e := &Encoder{config: config, precision: o.Precision, pool: o.Pool}
	if err := e.checkPrecision(); err != nil {
		return err
	}
	var w encoderWeights
	defer func() {
		for _, f := range w.files {
			f.Close()
		}
	}()
	open := func(folder string) (*safetensors.Set, error) {
		f, err := safetensors.OpenSet(filepath.Join(dir, filepath.FromSlash(folder)))
		if err == nil {
			w.files = append(w.files, f)
		}
		return f, err
	}
	file, err := open(".")
	if err != nil {
		return err
	}
	if err := w.transformer(e, file); err != nil {
		return err
	}
	for _, m := range config.Modules {
		if m.Dense == nil {
			e.steps = append(e.steps, vectorStep{})
			continue
		}
		file, err := open(m.Dense.Folder)
		if err != nil {
			return err
		}
		w.dense(e, m.Dense, file)
	}
	if err := w.check(e); err != nil {
		return err
	}
	return fn(e, w)
}

// checkPrecision refuses a precision that the model's shape does not allow.
func (e *Encoder) checkPrecision() error {
	switch e.precision {
	case "", Exact:
		e.precision = Exact
		return nil
	case Int8:
	default:
		return fmt.Errorf("the precision %q is not one of %q and %q", e.precision, Exact, Int8)
	}
	c := &e.config
	for _, n := range []int{c.Width, c.queries(), c.FeedForward} {
		if n%kernel.ByteBlock != 0 {
			return fmt.Errorf("rows of %d numbers are not multiples of %d, which the precision %q needs: use %q", n, kernel.ByteBlock, Int8, Exact)
		}
	}
	return nil
}

// Config returns the encoder's shape.
func (e *Encoder) Config() EncoderConfig { return e.config }

// Precision returns how products are computed.
func (e *Encoder) Precision() Precision { return e.precision }

// Bytes returns the memory that the weights take.
func (e *Encoder) Bytes() int64 { return e.bytes }
