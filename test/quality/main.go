// Command quality measures how well Ragstone finds and answers, on public data
// with known answers, and prints a table for each section:
//
//	retrieval  BM25, vectors and their fusion on SciFact and XQuAD
//	answers    questions asked of 48 articles, with and without the answer there
//	languages  the same in German and Spanish
//	tables     questions that one cell of a table answers
//	learn      the numbers of rag/weights.go, fitted on the odd half
//	learn-languages  the gate of the other languages, likewise
//
// It needs the shared test data and the two default models.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/llm"
	"github.com/ragstone/ragstone/rag"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

// bench holds what the sections share; models are loaded when first asked for.
type bench struct {
	config config.Config
	root   string // of the shared test data
	work   string // for folders and their indexes; kept between runs
	out    io.Writer

	verbose bool
	trace   bool
	cached  bool // remember the model's scores between runs

	embedder *llm.LocalEmbedder
	local    *llm.Local
	cache    *scoreCache
}

func run(ctx context.Context) error {
	b := &bench{out: os.Stdout}
	flag.StringVar(&b.root, "shared", "../shared", "folder of the shared test data")
	flag.StringVar(&b.work, "work", filepath.Join(os.TempDir(), "ragstone-quality"), "folder for indexes, kept between runs")
	flag.BoolVar(&b.verbose, "v", false, "print every question")
	flag.BoolVar(&b.cached, "cache", false, "remember the model's scores in the work folder; CPU times then mean nothing")
	flag.Parse()
	var err error
	if b.config, err = config.Load(); err != nil {
		return err
	}
	defer b.close()
	sections := map[string]func(context.Context, *bench) error{
		"retrieval": retrievalSection, "answers": answersSection, "languages": languagesSection, "tables": tablesSection, "learn": learnSection,
		"learn-languages": learnLanguagesSection,
	}
	names := flag.Args()
	if len(names) == 0 {
		names = []string{"retrieval", "answers", "languages", "tables"}
	}
	for _, name := range names {
		section, ok := sections[name]
		if !ok {
			return fmt.Errorf("no section %q: want retrieval, answers, languages, tables, learn or learn-languages", name)
		}
		if err := section(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) close() {
	if b.embedder != nil {
		b.embedder.Close()
	}
	if b.local != nil {
		b.local.Close()
	}
	if b.cache != nil {
		if err := b.cache.save(); err != nil {
			fmt.Fprintln(os.Stderr, "quality: the scores are not kept:", err)
		}
	}
}

func (b *bench) shared(elem ...string) string {
	return filepath.Join(append([]string{b.root}, elem...)...)
}

func (b *bench) model(name string) string { return filepath.Join(b.config.Home, "models", name) }

// embedding is the default embedder as a corpus wants it.
func (b *bench) embedding(ctx context.Context) (*rag.Embedding, error) {
	const name = "all-minilm-l6-v2"
	if b.embedder == nil {
		e, err := llm.OpenEmbedder(ctx, b.model(name), llm.Options{Name: name, Threads: b.config.Threads})
		if err != nil {
			return nil, err
		}
		b.embedder = e
	}
	return rag.NewEmbedding(name, b.embedder)
}

// extract is the default model as an answerer.
func (b *bench) extract(ctx context.Context) (*rag.Extract, error) {
	const name = "smollm2-135m-instruct"
	if b.local == nil {
		local, err := llm.OpenLocal(ctx, b.model(name), llm.Options{Name: name, Threads: b.config.Threads})
		if err != nil {
			return nil, err
		}
		b.local = local
	}
	var scorer llm.Scorer = b.local
	if b.cached {
		if b.cache == nil {
			cache, err := openScoreCache(filepath.Join(b.work, "scores.gob"), b.local)
			if err != nil {
				return nil, err
			}
			b.cache = cache
		}
		scorer = b.cache
	}
	return &rag.Extract{Scorer: scorer, Model: name, Embedder: b.embedder, Trace: b.trace}, nil
}
