package rag

import "github.com/ragstone/ragstone/llm"

// NewEmbedding describes a local embedding model to a corpus. Model is the name
// people know it by; what decides its numbers is read from the embedder. It
// fails when the weights cannot be read to identify them.
func NewEmbedding(model string, e *llm.LocalEmbedder) (*Embedding, error) {
	weights, err := e.Identity()
	if err != nil {
		return nil, err
	}
	return &Embedding{
		Embedder: e,
		Count:    e.Count,
		Identity: EmbeddingIdentity{
			Model: model, Weights: weights, Precision: "f32",
			Dimensions: e.Dimensions(), Window: e.Window(),
		},
	}, nil
}
