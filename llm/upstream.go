package llm

import (
	"context"
	"iter"
	"time"
)

// Upstream is a model of a server that speaks OpenAI's API. It is a Generator
// and an Embedder, safe for concurrent use. Texts are sent to URL's host and
// nowhere else: a redirect to another host is an error.
type Upstream struct {
	URL   string // base, such as https://api.openai.com/v1
	Key   string // bearer token; empty sends none. It never appears in an error
	Model string // the name the server knows the model by

	// IdleTimeout ends a request on which the server has been silent so long.
	// Default two minutes.
	IdleTimeout time.Duration
}

// Generate implements Generator with chat completions for Messages and
// completions for a Prompt.
func (u *Upstream) Generate(ctx context.Context, req Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {}
}

// Embed implements Embedder.
func (u *Upstream) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return nil, nil
}
