package llm

import (
	"context"
	"errors"
)

// LocalEmbedder is an embedding model that runs in this process, safe for
// concurrent use.
type LocalEmbedder struct{}

// OpenEmbedder loads an embedding model from a folder in the layout of
// Sentence-Transformers. The caller closes it.
func OpenEmbedder(ctx context.Context, dir string, o Options) (*LocalEmbedder, error) {
	return nil, errors.ErrUnsupported
}

// Embed implements Embedder. A text longer than the window is a
// *ContextLengthError, before anything is computed.
func (e *LocalEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return nil, nil
}

// EmbedLong is Embed for texts of any length: one beyond the window is
// embedded in overlapping windows, whose vectors are averaged, weighted by
// their tokens, and normalised again.
func (e *LocalEmbedder) EmbedLong(ctx context.Context, texts []string) ([][]float32, error) {
	return nil, nil
}

// EmbedCut is Embed as Sentence-Transformers does it: what is beyond the
// window is ignored. It is there to compare with that library.
func (e *LocalEmbedder) EmbedCut(ctx context.Context, texts []string) ([][]float32, error) {
	return nil, nil
}

// Dimensions is the length of the model's vectors.
func (e *LocalEmbedder) Dimensions() int { return 0 }

// Window is the most tokens a text may have, counted as Count does.
func (e *LocalEmbedder) Window() int { return 0 }

// Count returns the number of tokens of a text, with those the model adds.
func (e *LocalEmbedder) Count(text string) int { return 0 }

// Info describes the model; its Context is the window.
func (e *LocalEmbedder) Info() Info { return Info{} }

// Identity names what makes two vectors comparable: the model's weights,
// pooling and window. It is computed on the first call.
func (e *LocalEmbedder) Identity() (string, error) { return "", nil }

// Close waits for what runs and frees the model. Closing twice is fine.
func (e *LocalEmbedder) Close() error { return nil }
