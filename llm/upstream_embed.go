package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// wireEmbeddingRequest is the body of POST /embeddings.
type wireEmbeddingRequest struct {
	Model          string   `json:"model"`
	Input          []string `json:"input"`
	EncodingFormat string   `json:"encoding_format"`
}

// wireEmbeddings is the answer.
type wireEmbeddings struct {
	Data []struct {
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	} `json:"data"`
}

// upstreamBatch is the most texts of one request; OpenAI takes 2,048, others
// much less.
const upstreamBatch = 64

// Embed implements Embedder. Texts are sent some at a time; what happens to
// one that is too long is the server's affair.
func (u *Upstream) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for at := 0; at < len(texts); at += upstreamBatch {
		end := min(at+upstreamBatch, len(texts))
		if err := u.embed(ctx, texts[at:end], vectors[at:end]); err != nil {
			return nil, u.hideKey(err)
		}
	}
	for i, v := range vectors {
		if len(v) == 0 || len(v) != len(vectors[0]) {
			return nil, fmt.Errorf("the upstream's vectors have %d and %d dimensions", len(vectors[0]), len(vectors[i]))
		}
	}
	return vectors, nil
}

func (u *Upstream) embed(ctx context.Context, texts []string, vectors [][]float32) error {
	body, err := u.post(ctx, "/embeddings", &wireEmbeddingRequest{u.Model, texts, "float"})
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxAnswerBytes+1))
	if err != nil {
		return fmt.Errorf("read the upstream's vectors: %w", err)
	}
	if len(data) > maxAnswerBytes {
		return fmt.Errorf("the upstream's vectors take more than %d bytes", maxAnswerBytes)
	}
	var answer wireEmbeddings
	if err := json.Unmarshal(data, &answer); err != nil {
		return fmt.Errorf("read the upstream's vectors: %w", err)
	}
	for _, d := range answer.Data {
		if d.Index < 0 || d.Index >= len(texts) || vectors[d.Index] != nil {
			return fmt.Errorf("the upstream's vectors are numbered wrongly: %d of %d texts", d.Index, len(texts))
		}
		vectors[d.Index] = d.Embedding
	}
	if len(answer.Data) != len(texts) {
		return fmt.Errorf("the upstream returned %d vectors for %d texts", len(answer.Data), len(texts))
	}
	return nil
}
