package rag

import (
	"context"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/lexical"
)

// wordEmbedder is an embedding model for tests: each stemmed word has a fixed
// direction, and a text is the sum of its words.
type wordEmbedder struct {
	texts atomic.Int64 // embedded so far
	fail  error
}

const wordDimensions = 24

func (e *wordEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.fail != nil {
		return nil, e.fail
	}
	e.texts.Add(int64(len(texts)))
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = wordVector(text)
	}
	return vectors, nil
}

func wordVector(text string) []float32 {
	sum := make([]float64, wordDimensions)
	sum[0] = 0.01 // a text without words has a direction too
	for _, term := range lexical.Lucene().Terms(text) {
		hash := fnv.New64a()
		hash.Write([]byte(term))
		bits := hash.Sum64()
		for i := range sum {
			sum[i] += float64(int(bits>>(2*i)&3)*2-3) / 3
		}
	}
	var square float64
	for _, x := range sum {
		square += x * x
	}
	vector := make([]float32, wordDimensions)
	for i, x := range sum {
		vector[i] = float32(x / math.Sqrt(square))
	}
	return vector
}

func (e *wordEmbedder) embedding(weights string) *Embedding {
	return &Embedding{
		Embedder: e,
		Identity: EmbeddingIdentity{
			Model: "words", Weights: weights, Pooling: "mean", Precision: "f32",
			Dimensions: wordDimensions, Window: 64,
		},
		Count: func(text string) int { return len(strings.Fields(text)) },
	}
}

// library is a folder of documents under test and the directory of its index.
type library struct {
	*testing.T
	root, dir string
	embedder  *wordEmbedder
	options   CorpusOptions
}

// newLibrary writes the given files. When the test ends the index must be
// whole.
func newLibrary(t *testing.T, files map[string]string) *library {
	t.Helper()
	l := &library{T: t, root: t.TempDir(), dir: filepath.Join(t.TempDir(), "index"), embedder: &wordEmbedder{}}
	l.options = CorpusOptions{Embedding: l.embedder.embedding("w1"), ChunkTokens: 30}
	for name, text := range files {
		l.write(name, text)
	}
	t.Cleanup(func() {
		if err := Check(l.dir); err != nil {
			t.Errorf("the index is not whole: %v", err)
		}
	})
	return l
}

// longAgo is a time of change that a Sync believes.
var longAgo = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// write puts a file in the folder, each time with a later time of change.
func (l *library) write(name, text string) {
	l.Helper()
	path := filepath.Join(l.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.Fatal(err)
	}
	when := longAgo
	if info, err := os.Stat(path); err == nil {
		when = info.ModTime().Add(time.Minute)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		l.Fatal(err)
	}
	if err := os.Chtimes(path, when, when); err != nil {
		l.Fatal(err)
	}
}

// started is a time of change that a Sync does not believe: now.
func (l *library) started() time.Time { return time.Now() }

func (l *library) remove(name string) {
	l.Helper()
	if err := os.Remove(filepath.Join(l.root, filepath.FromSlash(name))); err != nil {
		l.Fatal(err)
	}
}

func (l *library) open() *Corpus {
	l.Helper()
	c, err := OpenCorpus(l.dir, l.options)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { c.Close() })
	return c
}

func (l *library) sync(c *Corpus) SyncReport {
	l.Helper()
	report, err := c.Sync(l.Context(), []string{l.root}, SyncOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return report
}

// synced opens the corpus and brings it up to date.
func (l *library) synced() *Corpus {
	l.Helper()
	c := l.open()
	l.sync(c)
	return c
}

func (l *library) search(c *Corpus, question string, k int) *Results {
	l.Helper()
	results, err := c.Search(l.Context(), question, SearchOptions{K: k})
	if err != nil {
		l.Fatal(err)
	}
	return results
}

// found names the files of a question's best passages.
func (l *library) found(c *Corpus, question string, k int) string {
	l.Helper()
	var names []string
	for _, hit := range l.search(c, question, k).Hits {
		name, err := filepath.Rel(l.root, hit.Path)
		if err != nil {
			l.Fatal(err)
		}
		names = append(names, filepath.ToSlash(name))
	}
	return strings.Join(names, " ")
}

// handbook is a small folder of documents.
func handbook() map[string]string {
	return map[string]string{
		"leave.md":       "# Handbook\n\nWelcome.\n\n## Leave\n\nEvery new hire has 25 days of leave a year. Unused leave expires in March.\n\n## Sickness\n\nA doctor's note is wanted from the third day of illness.\n",
		"pay.txt":        "Salaries are paid on the last working day of the month.\n\nOvertime is paid at one and a half times the rate.\n",
		"code/server.go": "package server\n\n// maxIdleConns bounds the pool of connections.\nconst maxIdleConns = 16\n",
	}
}
