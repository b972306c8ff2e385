package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ragstone/ragstone/eval"
	"github.com/ragstone/ragstone/rag"
)

// tablesDir holds three tables and, in questions.tsv, questions that one cell
// of them answers. They are made up for this and learned from by nobody.
const tablesDir = "test/quality/testdata/tables"

// tablesSection asks for the cells of tables.
func tablesSection(ctx context.Context, b *bench) error {
	raw, err := os.ReadFile(filepath.Join(tablesDir, "questions.tsv"))
	if err != nil {
		return fmt.Errorf("%w; run it in the root of the repository", err)
	}
	embedding, err := b.embedding(ctx)
	if err != nil {
		return err
	}
	corpus, err := rag.OpenCorpus(filepath.Join(b.work, "tables.index"), rag.CorpusOptions{Embedding: embedding})
	if err != nil {
		return err
	}
	defer corpus.Close()
	if _, err := corpus.Sync(ctx, []string{tablesDir}, rag.SyncOptions{Exclude: []string{"questions.tsv"}}); err != nil {
		return err
	}
	var asked, answered, row, exact float64
	for line := range strings.Lines(string(raw)) {
		text, answer, _ := strings.Cut(strings.TrimSpace(line), "\t")
		results, err := b.ask(ctx, corpus, question{text: text, answers: []string{answer}}, true, nil)
		if err != nil {
			return err
		}
		a := results[0].reply.Answer
		asked++
		answered += one(a.Answered)
		if len(a.Citations) > 0 {
			row += one(holds(a.Citations[0].Quote, []string{answer}))
		}
		exact += eval.ExactMatch(a.Text, answer)
	}
	fmt.Fprintf(b.out, "\n| tables: %.0f questions about a cell | %% |\n|---|---|\n| answered | %.0f |\n| its row cited first | %.0f |\n| exact match | %.0f |\n",
		asked, 100*answered/asked, 100*row/asked, 100*exact/asked)
	return nil
}
