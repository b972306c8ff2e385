package llm

import (
	"context"
	"errors"
	"iter"
)

// Options says how a local model is run. The zero value works.
type Options struct {
	// Name is what Info calls the model; by default the file's name without
	// its extension.
	Name string

	// Threads is the number of threads the model computes with. Default: the
	// number of processors. Results do not depend on it.
	Threads int

	// MaxMemory bounds, in bytes, the weights together with all working
	// memory of the requests. Zero means no limit.
	MaxMemory int64

	// MaxRunning bounds the requests that run together; default 16.
	MaxRunning int

	// MaxQueue bounds the requests that wait for their turn; one more is
	// refused with ErrBusy. Default 64.
	MaxQueue int

	// PrefixCache bounds, in bytes, what is kept of earlier prompts so that a
	// later one that begins the same way starts further on. Default 256 MiB;
	// a negative number keeps nothing.
	PrefixCache int64
}

// Info describes a local model.
type Info struct {
	Name         string
	Architecture string // of the model's own files, such as llama
	Context      int    // tokens a request may have, prompt and completion together
	Vocabulary   int    // tokens
	Bytes        int64  // memory the weights take
	Chat         bool   // it has a chat template
}

// Local is a language model that runs in this process. It is a Generator and a
// Scorer, safe for concurrent use.
type Local struct{}

// OpenLocal loads a model from a GGUF file, or from a folder that holds one or
// a Hugging Face checkpoint (config.json, model.safetensors, tokenizer.json).
// The caller closes it.
func OpenLocal(ctx context.Context, path string, o Options) (*Local, error) {
	return nil, errors.ErrUnsupported
}

// Info describes the model.
func (l *Local) Info() Info { return Info{} }

// Fingerprint is a hash of the model's files: equal for equal weights,
// vocabulary and template. It is computed on the first call.
func (l *Local) Fingerprint() (string, error) { return "", nil }

// Close ends what runs, with ErrClosed, and returns when all of it has ended
// and the model's memory is free. Closing twice is fine.
func (l *Local) Close() error { return nil }

// Generate implements Generator. The request waits in the model's queue, then
// runs together with the others there.
func (l *Local) Generate(ctx context.Context, req Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {}
}

// Score implements Scorer.
func (l *Local) Score(ctx context.Context, req ScoreRequest) ([]Scored, error) { return nil, nil }

// PromptTokens returns the tokens a request's prompt has for this model.
func (l *Local) PromptTokens(req Request) ([]int32, error) { return nil, nil }

// Encode returns the tokens of a text. Special tokens are not recognised.
func (l *Local) Encode(text string) []int32 { return nil }

// Decode returns the text of tokens.
func (l *Local) Decode(tokens []int32) string { return "" }

// Count returns the number of tokens of a text.
func (l *Local) Count(text string) int { return len(l.Encode(text)) }
