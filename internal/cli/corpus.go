package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/catalog"
	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/llm"
	"github.com/ragstone/ragstone/rag"
)

// corpusFlags say what is searched and with which embedding model.
type corpusFlags struct {
	exclude    []string
	embedModel string
	keyword    bool
}

func (f *corpusFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.exclude, "exclude", nil, "leave out files that match this .gitignore `pattern`; may be repeated")
	c.Flags().StringVar(&f.embedModel, "embedding-model", config.DefaultEmbeddingModel, "embedding `model`: a name from `ragstone models` or a folder")
	complete(c, "embedding-model", modelNames(catalog.Embed)...)
	c.Flags().BoolVar(&f.keyword, "keyword", false, "search by keyword only, without an embedding model")
}

// openedCorpus is a corpus brought up to date, and the embedder it uses.
type openedCorpus struct {
	*rag.Corpus
	embedder *llm.LocalEmbedder // nil in a keyword-only corpus
}

// Close releases the corpus and then the embedder it uses.
func (c *openedCorpus) Close() error {
	err := c.Corpus.Close()
	if c.embedder != nil {
		err = errors.Join(err, c.embedder.Close())
	}
	return err
}

// openCorpus opens the index of the files and folders and brings it up to
// date, showing progress and what could not be read.
func (a *app) openCorpus(ctx context.Context, roots []string, flags corpusFlags) (_ *openedCorpus, err error) {
	roots, err = absolute(roots)
	if err != nil {
		return nil, err
	}
	opened := &openedCorpus{}
	defer func() {
		if err != nil && opened.embedder != nil {
			opened.embedder.Close()
		}
	}()
	options := rag.CorpusOptions{PDFCache: filepath.Join(a.config.Home, "cache", "pdf"), Indexes: a.indexesDir()}
	if !flags.keyword {
		opened.embedder, err = a.openEmbedder(ctx, flags.embedModel)
		if err != nil {
			return nil, err
		}
	}
	if opened.embedder != nil {
		options.Embedding, err = rag.NewEmbedding(filepath.Base(flags.embedModel), opened.embedder)
		if err != nil {
			return nil, err
		}
	}
	opened.Corpus, err = rag.OpenCorpus(a.indexDir(roots, flags, options.Embedding), options)
	if err != nil {
		return nil, err
	}
	if err := a.sync(ctx, opened.Corpus, roots, flags); err != nil {
		opened.Corpus.Close()
		return nil, err
	}
	return opened, nil
}

// absolute checks that every root exists and makes its path independent of
// the working directory.
func absolute(roots []string) ([]string, error) {
	var paths []string
	for _, root := range roots {
		path, err := filepath.Abs(root)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				return nil, &exitError{exitUsage, fmt.Errorf("there is no file or folder %s", root)}
			}
			return nil, fmt.Errorf("%w; check the permissions", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// indexDir is where the index of these roots lives: one folder for each set of
// roots and patterns and each embedding model, so that none replaces another.
func (a *app) indexDir(roots []string, flags corpusFlags, e *rag.Embedding) string {
	kind := "keyword"
	if e != nil {
		kind = e.Identity.Model
	}
	key := strings.Join(slices.Concat(roots, []string{""}, flags.exclude), "\x00")
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(a.indexesDir(), hex.EncodeToString(sum[:8]), filepath.Base(kind))
}

// openEmbedder loads an embedding model, fetching a missing one. It returns
// nil, and says why, where there is neither model nor network: search then
// goes by keyword.
func (a *app) openEmbedder(ctx context.Context, name string) (*llm.LocalEmbedder, error) {
	dir, err := a.modelPath(ctx, name)
	if err != nil {
		if !a.doesWithout(err) {
			return nil, err
		}
		fmt.Fprintln(a.stderr, "No embedding model: searching by keyword only.")
		return nil, nil
	}
	return llm.OpenEmbedder(ctx, dir, a.modelOptions(name))
}

// doesWithout says whether a model could not be had from any source, which
// leaves the work that needs no model, and then tells why and what to do. The
// sources before the last were told of as they failed.
func (a *app) doesWithout(err error) bool {
	pull, ok := errors.AsType[*catalog.PullError](err)
	if !ok {
		return false
	}
	if n := len(pull.Tried); n > 0 {
		fmt.Fprintf(a.stderr, "%s: %v\n", pull.Tried[n-1].Source, pull.Tried[n-1].Err)
	}
	fmt.Fprintf(a.stderr, "`ragstone pull %s` tries again and says what else you can do.\n", pull.Model)
	return true
}

func (a *app) modelOptions(name string) llm.Options {
	return llm.Options{Name: filepath.Base(name), Threads: a.config.Threads, MaxMemory: a.config.MaxMemory}
}

// sync indexes what changed and tells what could not be read.
func (a *app) sync(ctx context.Context, corpus *rag.Corpus, roots []string, flags corpusFlags) error {
	report, err := a.syncWithProgress(ctx, corpus, roots, flags)
	a.reportProblems(report.Failed)
	switch {
	case errors.Is(err, rag.ErrEmptyCorpus):
		return fmt.Errorf("%s: no documents with text%s", strings.Join(roots, ", "), skippedSummary(report.Skipped))
	case err != nil:
		return err
	}
	if report.Written {
		fmt.Fprintf(a.stderr, "Indexed %s: %d new, %d changed, %d removed; %s.\n",
			plural(report.Files, "file"), report.Added, report.Changed, report.Removed, plural(report.Passages, "passage"))
		if left := unintended(report.Skipped); len(left) > 0 {
			fmt.Fprintf(a.stderr, "Left out %s: %s\n", plural(len(left), "file"), firstFew(left))
		}
	}
	return nil
}

// syncWithProgress shows one progress line for each phase of a Sync.
func (a *app) syncWithProgress(ctx context.Context, corpus *rag.Corpus, roots []string, flags corpusFlags) (rag.SyncReport, error) {
	labels := map[rag.Phase]string{
		rag.PhaseScan: "Looking for files", rag.PhaseRead: "Reading", rag.PhaseEmbed: "Embedding", rag.PhaseWrite: "Writing the index",
	}
	units := map[rag.Phase]string{rag.PhaseRead: "files", rag.PhaseEmbed: "passages"}
	var line *progress
	var phase rag.Phase
	closeLine := func() {
		if line != nil {
			line.Close()
		}
	}
	defer func() { closeLine() }()
	return corpus.Sync(ctx, roots, rag.SyncOptions{
		Exclude: flags.exclude,
		Progress: func(p rag.Progress) {
			if p.Phase != phase {
				closeLine()
				phase, line = p.Phase, a.newProgress(labels[p.Phase], countOf(units[p.Phase]))
			}
			line.Set(int64(p.Done), int64(p.Total))
		},
	})
}

// reportProblems names the files that could not be read, the first time, and
// counts those it has named before.
func (a *app) reportProblems(failed []rag.FileProblem) {
	const shown = 10
	named, known := 0, 0
	for _, p := range failed {
		switch {
		case p.Known:
			known++
		case named < shown:
			fmt.Fprintf(a.stderr, "not read: %s: %s\n", printable(relative(p.Path)), p.Reason)
			fallthrough
		default:
			named++
		}
	}
	if named > shown {
		fmt.Fprintf(a.stderr, "… and %d more files that could not be read\n", named-shown)
	}
	if known > 0 {
		fmt.Fprintf(a.stderr, "Not read, as before: %s.\n", plural(known, "file"))
	}
}

// skippedSummary names the first few files that were left out, and why.
func skippedSummary(skipped []rag.FileProblem) string {
	if len(skipped) == 0 {
		return "; Ragstone reads Markdown, text, source code, HTML, PDF and DOCX"
	}
	return "; left out: " + firstFew(skipped)
}

// unintended are the files that were left out though nobody asked for it:
// neither hidden nor named by a pattern.
func unintended(skipped []rag.FileProblem) []rag.FileProblem {
	return slices.DeleteFunc(slices.Clone(skipped), func(p rag.FileProblem) bool {
		return p.Reason == "hidden" || strings.HasPrefix(p.Reason, "named by ")
	})
}

// firstFew names the first few files with the reason of each.
func firstFew(problems []rag.FileProblem) string {
	const shown = 3
	var names []string
	for _, p := range problems[:min(shown, len(problems))] {
		names = append(names, fmt.Sprintf("%s (%s)", printable(filepath.Base(p.Path)), p.Reason))
	}
	more := ""
	if len(problems) > shown {
		more = fmt.Sprintf(" and %d more", len(problems)-shown)
	}
	return strings.Join(names, ", ") + more
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
