package model

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/safetensors"
)

// EncoderOptions say how an encoder computes.
type EncoderOptions struct {
	// Pool runs the arithmetic. It stays the caller's, and must be open as long
	// as the encoder is used; nil means the caller's own thread.
	Pool *kernel.Pool
}

// Encoder turns token sequences into vectors: a bidirectional transformer with
// its weights in memory, and the pooling that makes one vector of its rows. It
// is safe for concurrent use.
type Encoder struct {
	config EncoderConfig
	bytes  int64
	pool   *kernel.Pool

	words, positions, types []float32 // tables of rows as wide as the model
	embedded                layerNorm
	layers                  []encoderLayer

	passes  sync.Pool // *encoderPass
	scratch sync.Pool // *headScratch
}

// encoderLayer is the weights of one layer.
type encoderLayer struct {
	attention kernel.Panels // queries, keys and values side by side
	projected kernel.Panels
	attended  layerNorm
	up, down  kernel.Panels
	output    layerNorm
}

// layerNorm is the weights of a layer normalisation.
type layerNorm struct{ gain, bias []float32 }

// EncoderInfo is what can be said of an encoder without loading it.
type EncoderInfo struct {
	Config EncoderConfig
	Bytes  int64 // memory that LoadEncoder will take for the weights
}

// InspectEncoder checks the files of an encoder's folder and reports what it
// is, without loading the weights.
func InspectEncoder(dir string) (EncoderInfo, error) {
	var info EncoderInfo
	err := withEncoder(dir, func(e *Encoder, w encoderWeights) error {
		info = EncoderInfo{e.config, e.bytes}
		return nil
	})
	return info, err
}

// LoadEncoder reads an encoder from a folder laid out as Hugging Face and
// Sentence Transformers do: config.json and model.safetensors say what the
// transformer is; modules.json, the pooling module's config.json and
// sentence_bert_config.json say what to make of its rows, and are optional.
func LoadEncoder(dir string, o EncoderOptions) (*Encoder, error) {
	var loaded *Encoder
	err := withEncoder(dir, func(e *Encoder, w encoderWeights) error {
		e.pool = o.Pool
		loaded = e
		return w.load(e)
	})
	if err != nil {
		return nil, err
	}
	return loaded, nil
}

// withEncoder calls fn with an encoder that has its shape but no weights yet,
// and with the checked weights, whose file is closed afterwards.
func withEncoder(dir string, fn func(*Encoder, encoderWeights) error) error {
	config, err := readEncoderConfig(dir)
	if err != nil {
		return fmt.Errorf("encoder %s: %w", dir, err)
	}
	file, err := safetensors.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		return fmt.Errorf("encoder %s: %w", dir, err)
	}
	defer file.Close()
	e := &Encoder{config: config}
	w, err := newEncoderWeights(e, file)
	if err == nil {
		err = fn(e, w)
	}
	if err != nil {
		return fmt.Errorf("encoder %s: %w", dir, err)
	}
	return nil
}

// Config returns the encoder's shape.
func (e *Encoder) Config() EncoderConfig { return e.config }

// Bytes returns the memory that the weights take.
func (e *Encoder) Bytes() int64 { return e.bytes }
