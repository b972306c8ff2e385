package rag

import (
	"context"

	"github.com/ragstone/ragstone/llm"
)

// NewEmbedding describes a local embedding model to a corpus. Model is the name
// people know it by; what decides its numbers is read from the embedder, its
// precision and prefixes among it. It fails when the weights cannot be read to
// identify them.
func NewEmbedding(model string, e *llm.LocalEmbedder) (*Embedding, error) {
	weights, err := e.Identity()
	if err != nil {
		return nil, err
	}
	return &Embedding{
		Embedder: bareEmbedder{e},
		Count:    e.Count,
		Identity: EmbeddingIdentity{
			Model: model, Weights: weights, Pooling: e.Pooling(), Precision: e.Precision(),
			Dimensions: e.Dimensions(), Window: e.Window(),
			QueryPrefix: e.QueryPrefix(), PassagePrefix: e.PassagePrefix(),
		},
	}, nil
}

// bareEmbedder embeds texts as they are: the corpus puts the prefixes before
// them.
type bareEmbedder struct{ e *llm.LocalEmbedder }

func (b bareEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return b.e.EmbedBare(ctx, texts)
}
