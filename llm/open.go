package llm

import (
	"context"
	"errors"
)

// OpenLocal loads a model from a GGUF file, or from a folder that holds one or
// a Hugging Face checkpoint (config.json, model.safetensors, tokenizer.json).
// The caller closes it.
func OpenLocal(ctx context.Context, path string, o Options) (*Local, error) {
	return nil, errors.ErrUnsupported
}
