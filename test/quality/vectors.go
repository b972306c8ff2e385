package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/rag"
)

// vectors embeds texts with the default model, as sentence-transformers does:
// cut where the model's window ends. They are kept in the work folder under a
// hash of model and texts, since embedding SciFact takes minutes.
func (b *bench) vectors(ctx context.Context, embedding *rag.Embedding, what string, texts []string) ([]float32, error) {
	path := filepath.Join(b.work, "vectors", vectorsName(embedding.Identity.Weights, texts))
	dimensions := embedding.Identity.Dimensions
	if data, err := os.ReadFile(path); err == nil && len(data) == 4*dimensions*len(texts) {
		slab := make([]float32, dimensions*len(texts))
		_, err := binary.Decode(data, binary.LittleEndian, slab)
		return slab, err
	}
	var slab []float32
	const batch = 64
	for done := 0; done < len(texts); done += batch {
		fmt.Fprintf(os.Stderr, "\rembedding %s: %d of %d ", what, done, len(texts))
		vectors, err := b.embedder.EmbedCut(ctx, texts[done:min(done+batch, len(texts))])
		if err != nil {
			return nil, fmt.Errorf("embed %s: %w", what, err)
		}
		for _, v := range vectors {
			slab = append(slab, v...)
		}
	}
	fmt.Fprintf(os.Stderr, "\rembedded %s: %d texts\n", what, len(texts))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	data, err := binary.Append(nil, binary.LittleEndian, slab)
	if err != nil {
		return nil, err
	}
	return slab, disk.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// vectorsName names a cache file after everything its content depends on.
func vectorsName(model string, texts []string) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n", model)
	for _, text := range texts {
		fmt.Fprintf(hash, "%d\n%s", len(text), text)
	}
	return fmt.Sprintf("%x.f32", hash.Sum(nil)[:12])
}
