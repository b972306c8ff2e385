package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/ragstone/ragstone/eval"
	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/lexical"
	"github.com/ragstone/ragstone/rag"
)

// The retrieval section: BM25, vectors and their fusion on two public sets.
// Nothing was chosen on the questions it reports.

// goldenRetrieval holds the figures the section must print, so that a change
// of ranking is a difference in the tree.
const goldenRetrieval = "test/quality/testdata/retrieval.txt"

// bm25 are the constants of the published figures, and of package rag.
var bm25 = lexical.Params{K1: 0.9, B: 0.4}

// depth is how many documents a retriever brings, as in package rag.
const depth = 100

func retrievalSection(ctx context.Context, b *bench) error {
	embedding, err := b.embedding(ctx)
	if err != nil {
		return err
	}
	if b.verbose {
		if err := b.printFusions(ctx, embedding, b.out); err != nil {
			return err
		}
	}
	var figures bytes.Buffer
	if err := b.printRetrieval(ctx, embedding, &figures); err != nil {
		return err
	}
	if _, err := b.out.Write(figures.Bytes()); err != nil {
		return err
	}
	return b.compareGolden(figures.String())
}

// compareGolden fails when the figures are not those in the tree, and leaves
// the new ones where they can be taken over.
func (b *bench) compareGolden(figures string) error {
	want, err := os.ReadFile(goldenRetrieval)
	if err == nil && string(want) == figures {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh := filepath.Join(b.work, "retrieval.txt")
	if err := os.WriteFile(fresh, []byte(figures), 0o644); err != nil {
		return err
	}
	return fmt.Errorf("the figures differ from %s: see `diff %s %s`, and copy the second over the first if the change is meant",
		goldenRetrieval, goldenRetrieval, fresh)
}

func (b *bench) printRetrieval(ctx context.Context, embedding *rag.Embedding, out io.Writer) error {
	scifact, err := loadSciFact(b.shared("data", "scifact"), "test")
	if err != nil {
		return err
	}
	articles, questions, err := loadXQuAD(b.shared("data", "xquad", "xquad.en.json"))
	if err != nil {
		return err
	}
	even := func(q question) bool { return !q.odd() }
	fmt.Fprint(out, tableHead)
	printRow(out, scifact, "BM25, Lucene's analyser", keywordRanking(scifact, lexical.Lucene()))
	for _, c := range []*collection{scifact, xquadParagraphs(articles, questions, "XQuAD en, even half", even)} {
		r, err := b.retrieve(ctx, embedding, c)
		if err != nil {
			return err
		}
		r.print(out)
	}
	whole, err := b.openFolder(ctx, "whole", articles, func(string) bool { return false })
	if err != nil {
		return err
	}
	defer whole.Close()
	return printWholePath(ctx, out, whole, questions, even)
}

// retrieved is what each retriever brought for each query of a collection.
type retrieved struct {
	*collection
	keyword, vector, fused ranking
}

// ranking holds, by query, documents best first.
type ranking [][]scored

type scored struct {
	doc   int
	score float64
}

func compareScored(a, b scored) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.doc, b.doc))
}

// retrieve ranks the documents of a collection for each query, with package
// rag's fusion.
func (b *bench) retrieve(ctx context.Context, embedding *rag.Embedding, c *collection) (*retrieved, error) {
	s, err := b.newSearcher(ctx, embedding, c)
	if err != nil {
		return nil, err
	}
	r := &retrieved{collection: c}
	for i := range c.queries {
		candidates, keyword, vector := s.search(i)
		r.keyword = append(r.keyword, keyword)
		r.vector = append(r.vector, vector)
		r.fused = append(r.fused, fuseCandidates(candidates, rag.Fuse))
	}
	return r, nil
}

// searcher holds both indexes of a collection.
type searcher struct {
	*collection
	words      *lexical.Index
	vectors    *index.Flat
	dimensions int
	questions  []float32
}

func (b *bench) newSearcher(ctx context.Context, embedding *rag.Embedding, c *collection) (*searcher, error) {
	documents := make([]string, len(c.texts))
	for doc := range documents {
		documents[doc] = c.embedded(doc)
	}
	slab, err := b.vectors(ctx, embedding, c.name+", documents", documents)
	if err != nil {
		return nil, err
	}
	questions, err := b.vectors(ctx, embedding, c.name+", questions", c.queries)
	if err != nil {
		return nil, err
	}
	d := embedding.Identity.Dimensions
	return &searcher{c, keywordIndex(c, lexical.Default()), index.NewFlat(index.Dot, d, slab), d, questions}, nil
}

func keywordIndex(c *collection, analyzer *lexical.Analyzer) *lexical.Index {
	b := lexical.NewBuilder(analyzer, bm25)
	for doc := range c.texts {
		b.Add(c.titles[doc], c.texts[doc])
	}
	return b.Build()
}

// keywordRanking ranks by BM25 alone.
func keywordRanking(c *collection, analyzer *lexical.Analyzer) ranking {
	words := keywordIndex(c, analyzer)
	var r ranking
	for _, question := range c.queries {
		var list []scored
		for _, hit := range words.Search(words.Query(question), depth) {
			list = append(list, scored{hit.Doc, hit.Score})
		}
		r = append(r, list)
	}
	return r
}

// candidate is a document with both scores, and its ranks, from 1; rank 0 means
// that the retriever did not bring it.
type candidate struct {
	doc                     int
	keyword, vector         float64
	keywordRank, vectorRank int
}

// search returns the documents either retriever brings, and both rankings.
func (s *searcher) search(query int) (candidates []candidate, keyword, vector []scored) {
	q := s.words.Query(s.queries[query])
	v := s.questions[query*s.dimensions : (query+1)*s.dimensions]
	keywordRank, vectorRank := map[int]int{}, map[int]int{}
	for i, hit := range s.words.Search(q, depth) {
		keyword = append(keyword, scored{hit.Doc, hit.Score})
		keywordRank[hit.Doc] = i + 1
	}
	hits, _ := s.vectors.Search(v, depth, index.Params{})
	for i, hit := range hits {
		vector = append(vector, scored{hit.Row, float64(hit.Score)})
		vectorRank[hit.Row] = i + 1
	}
	both := maps.Clone(keywordRank)
	maps.Copy(both, vectorRank)
	docs := slices.Sorted(maps.Keys(both))
	cosines := s.vectors.Scores(v, docs)
	for i, score := range s.words.Scores(q, docs) {
		doc := docs[i]
		candidates = append(candidates, candidate{doc, score, float64(cosines[i]), keywordRank[doc], vectorRank[doc]})
	}
	return candidates, keyword, vector
}

// fusion joins two scores, each given with the best of its retriever.
type fusion func(keyword, bestKeyword, vector, bestVector float64) float64

func fuseCandidates(candidates []candidate, fuse fusion) []scored {
	var bestKeyword, bestVector float64
	for _, c := range candidates {
		bestKeyword, bestVector = max(bestKeyword, c.keyword), max(bestVector, c.vector)
	}
	return rankBy(candidates, func(c candidate) float64 {
		return fuse(c.keyword, bestKeyword, c.vector, bestVector)
	})
}

// rankBy orders candidates by a score and keeps the best.
func rankBy(candidates []candidate, score func(candidate) float64) []scored {
	list := make([]scored, len(candidates))
	for i, c := range candidates {
		list[i] = scored{c.doc, score(c)}
	}
	slices.SortFunc(list, compareScored)
	return list[:min(depth, len(list))]
}

// measure returns one number a query.
func (c *collection) measure(r ranking, metric eval.Metric) []float64 {
	scores := make([]float64, len(c.queries))
	for i, list := range r {
		names := make([]string, len(list))
		for j, s := range list {
			names[j] = c.ids[s.doc]
		}
		scores[i] = metric.Measure(names, c.relevant[i])
	}
	return scores
}

// print writes a row for each retriever, and how the fusion compares with the
// better one of them.
func (r *retrieved) print(out io.Writer) {
	printRow(out, r.collection, "BM25", r.keyword)
	printRow(out, r.collection, "MiniLM", r.vector)
	printRow(out, r.collection, "fused", r.fused)
	better, name := r.measure(r.keyword, r.metric), "BM25"
	if vector := r.measure(r.vector, r.metric); eval.Mean(vector) > eval.Mean(better) {
		better, name = vector, "MiniLM"
	}
	printComparison(out, r.name, r.metric, name, better, r.measure(r.fused, r.metric))
}

const tableHead = "| set | retriever | nDCG@10 | R@100 | MRR@10 | first | in first 3 |\n|---|---|---|---|---|---|---|\n"

func printRow(out io.Writer, c *collection, retriever string, r ranking) {
	fmt.Fprintf(out, "| %s, %d questions | %s", c.name, len(c.queries), retriever)
	for _, metric := range []eval.Metric{eval.NDCG(10), eval.Recall(100), eval.MRR(10), eval.Success(1), eval.Success(3)} {
		fmt.Fprintf(out, " | %.4f", eval.Mean(c.measure(r, metric)))
	}
	fmt.Fprint(out, " |\n")
}

func printComparison(out io.Writer, set string, metric eval.Metric, better string, a, b []float64) {
	c := eval.PairedBootstrap(a, b, eval.Bootstrap{Seed: 1})
	fmt.Fprintf(out, "| %s | fused − %s, %s: %+.4f, 95 %% from %+.4f to %+.4f | | | | | |\n",
		set, better, metric.Name, c.Difference, c.Low, c.High)
}
