package rag

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wideEmbedder gives vectors as long as MiniLM's at no cost.
type wideEmbedder struct{}

func (wideEmbedder) Embed(_ context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = make([]float32, 384)
		vectors[i][len(text)%384] = 1
	}
	return vectors, nil
}

// benchmarkCorpus indexes 500 files of 20 passages, 100 words each.
func benchmarkCorpus(b *testing.B) (root, dir string, options CorpusOptions) {
	root, dir = b.TempDir(), filepath.Join(b.TempDir(), "index")
	random := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(random, 1.1, 3, 50_000)
	when := time.Now().Add(-time.Hour)
	for file := range 500 {
		var text strings.Builder
		for range 20 {
			for range 100 {
				fmt.Fprintf(&text, "word%d ", zipf.Uint64())
			}
			text.WriteString("\n\n")
		}
		path := filepath.Join(root, fmt.Sprintf("%d.txt", file))
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			b.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			b.Fatal(err)
		}
	}
	options = CorpusOptions{ChunkTokens: 110, Embedding: &Embedding{
		Embedder: wideEmbedder{},
		Identity: EmbeddingIdentity{Model: "wide", Weights: "w", Dimensions: 384, Window: 128},
		Count:    func(text string) int { return strings.Count(text, " ") + 1 },
	}}
	c, err := OpenCorpus(dir, options)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	report, err := c.Sync(b.Context(), []string{root}, SyncOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d passages", report.Passages)
	return root, dir, options
}

func BenchmarkOpenCorpus(b *testing.B) {
	_, dir, options := benchmarkCorpus(b)
	for b.Loop() {
		c, err := OpenCorpus(dir, options)
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}

func BenchmarkSyncUnchanged(b *testing.B) {
	root, dir, options := benchmarkCorpus(b)
	c, err := OpenCorpus(dir, options)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		if report, err := c.Sync(b.Context(), []string{root}, SyncOptions{}); err != nil || report.Written {
			b.Fatalf("%+v, %v", report, err)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	_, dir, options := benchmarkCorpus(b)
	c, err := OpenCorpus(dir, options)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		if _, err := c.Search(b.Context(), "word1 word20 word300 word4000", SearchOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
