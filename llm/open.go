package llm

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/model"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// OpenLocal loads a model from a GGUF file, or from a folder that holds one or
// a Hugging Face checkpoint (config.json, model.safetensors, tokenizer.json).
// What is wrong with the files is an *OpenError; it holds a *MemoryError, before
// anything is loaded, where MaxMemory has no room for the model. The caller
// closes the model.
func OpenLocal(ctx context.Context, path string, o Options) (*Local, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := model.ParseQuantization(o.Quantize); err != nil {
		return nil, fmt.Errorf("open model %s: %w", path, err)
	}
	began := time.Now()
	l, err := openLocal(path, o.withDefaults(path))
	if err != nil {
		return nil, &OpenError{path, "model", err}
	}
	l.engine.loaded(time.Since(began))
	return l, nil
}

func (o Options) withDefaults(path string) Options {
	if o.Name == "" {
		o.Name = strings.TrimSuffix(filepath.Base(path), ".gguf")
	}
	o.Threads = cmp.Or(o.Threads, runtime.GOMAXPROCS(0))
	o.MaxRunning = cmp.Or(o.MaxRunning, 16)
	o.MaxQueue = max(0, cmp.Or(o.MaxQueue, 64))
	o.Speculate = max(0, cmp.Or(o.Speculate, 16))
	o.PrefixCache = max(0, cmp.Or(o.PrefixCache, 256<<20))
	return o
}

func openLocal(path string, o Options) (*Local, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return openGGUF(path, o)
	}
	files, err := filepath.Glob(filepath.Join(path, "*.gguf"))
	if err != nil {
		return nil, err
	}
	switch len(files) {
	case 0:
		return openCheckpoint(path, o)
	case 1:
		return openGGUF(files[0], o)
	}
	return nil, fmt.Errorf("the folder holds %d GGUF files: name the one to open", len(files))
}

// openGGUF loads a model whose weights, tokenizer and template are one file.
func openGGUF(path string, o Options) (*Local, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	inspected, err := model.InspectDecoder(f, o.decoder(nil))
	if err != nil {
		return nil, err
	}
	limits, err := o.limits(inspected)
	if err != nil {
		return nil, err
	}
	words, err := tokenizer.FromGGUF(f)
	if err != nil {
		return nil, err
	}
	var source string
	if f.Has("tokenizer.chat_template") {
		if source, err = f.String("tokenizer.chat_template"); err != nil {
			return nil, err
		}
	}
	speech, err := parseTemplate(source, words)
	if err != nil {
		return nil, err
	}
	pool := kernel.NewPool(o.Threads)
	d, err := model.LoadDecoder(f, o.decoder(pool))
	if err != nil {
		pool.Close()
		return nil, err
	}
	return assemble(o, d, pool, words, speech, limits, []string{path}), nil
}

// assemble puts the parts of a loaded model together.
func assemble(o Options, d *model.Decoder, pool *kernel.Pool, words *tokenizer.Tokenizer, speech *dialect, limits engineLimits, files []string) *Local {
	config := d.Config()
	info := Info{
		Name:         o.Name,
		Architecture: config.Architecture,
		Context:      config.Context,
		Vocabulary:   words.Size(),
		Bytes:        d.Bytes(),
		Chat:         speech != nil,
	}
	l := newLocal(info, &modelDecoder{d}, newPrompter(words, speech), limits)
	l.sampling = o.Sampling
	l.fingerprint = sync.OnceValues(func() (string, error) { return fingerprintFiles(files) })
	l.close = sync.OnceValue(func() error {
		l.engine.close()
		pool.Close()
		return nil
	})
	return l
}

// decoder returns the options for package model.
func (o Options) decoder(pool *kernel.Pool) model.DecoderOptions {
	return model.DecoderOptions{
		Pool: pool, Context: o.Context, Quantize: model.Quantization(o.Quantize), Precision: model.Precision(o.Precision),
		Cache: model.CachePrecision(o.CachePrecision),
	}
}

// limits divides the memory a model may take: weights and logits first, keys
// and values get the rest.
func (o Options) limits(m model.DecoderInfo) (engineLimits, error) {
	rowBytes := int64(m.Config.Vocab) * 4
	limits := engineLimits{
		running:     o.MaxRunning,
		queue:       o.MaxQueue,
		cacheBytes:  4 * m.Config.CacheBytes(m.Config.Context),
		keepBytes:   o.PrefixCache,
		stepTokens:  256,
		stepGuesses: o.Speculate,
		stepRows:    int(min(256, max(8, (16<<20)/rowBytes))),
	}
	if o.MaxMemory > 0 {
		fixed := m.Bytes + int64(limits.stepRows)*rowBytes
		least := fixed + m.Config.CacheBytes(min(m.Config.Context, leastContext))
		if least > o.MaxMemory {
			return engineLimits{}, &MemoryError{What: "the model", Need: least, Limit: o.MaxMemory}
		}
		limits.cacheBytes = min(limits.cacheBytes, o.MaxMemory-fixed)
	}
	return limits, nil
}

// leastContext is the tokens a model must have room for to be worth loading.
const leastContext = 512
