package rag

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/lexical"
)

// SearchOptions steer one Search.
type SearchOptions struct {
	K int // passages wanted; zero means 10
}

const defaultK = 10

// candidates is how many passages each retriever brings at least; fusion
// changes little below that (docs/decisions/0005-fusion.md).
const candidates = 100

// Search returns the best passages for a question, best first: those that BM25
// and the vectors bring, in the order of their fused scores, of equal ones by
// path and offset. It returns ErrStale, or a *CorruptError, for an index that
// must be synced first.
func (c *Corpus) Search(ctx context.Context, question string, options SearchOptions) (*Results, error) {
	snap, err := c.usable()
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	defer snap.release()
	if options.K <= 0 {
		options.K = defaultK
	}
	s := &searching{snapshot: snap, results: &Results{Question: question}, depth: max(candidates, options.K)}
	s.places = map[int]int{}
	s.searchWords(question)
	if snap.vectors != nil {
		if err := s.searchVectors(ctx, c.options.Embedding, question); err != nil {
			return nil, fmt.Errorf("search: embed the question: %w", err)
		}
	}
	s.complete()
	s.rank(options.K)
	return s.results, nil
}

// searching is one Search at work.
type searching struct {
	*snapshot
	results *Results
	depth   int
	query   lexical.Query

	found  []found     // candidates
	places map[int]int // passage to its place in found
}

// found is a candidate.
type found struct {
	passage         int
	keyword, vector Standing
	score           float64
}

func (s *searching) candidate(passage int) *found {
	place, ok := s.places[passage]
	if !ok {
		place = len(s.found)
		s.places[passage] = place
		s.found = append(s.found, found{passage: passage})
	}
	return &s.found[place]
}

func (s *searching) searchWords(question string) {
	s.query = s.keywords.Query(question)
	for _, t := range s.query {
		s.results.Terms = append(s.results.Terms, QueryTerm{Term: t.Term, Passages: t.Docs, IDF: t.IDF})
	}
	for i, hit := range s.keywords.Search(s.query, s.depth) {
		s.candidate(hit.Doc).keyword = Standing{i + 1, hit.Score}
		s.results.BestKeyword = max(s.results.BestKeyword, hit.Score)
	}
}

func (s *searching) searchVectors(ctx context.Context, e *Embedding, question string) error {
	vectors, err := embedChecked(ctx, e, []string{e.Identity.QueryPrefix + question})
	if err != nil {
		return err
	}
	s.results.Vector = vectors[0]
	hits, _ := s.vectors.Search(vectors[0], s.depth, index.Params{})
	for i, hit := range hits {
		s.candidate(hit.Row).vector = Standing{i + 1, float64(hit.Score)}
		if i == 0 {
			s.results.BestVector = float64(hit.Score)
		}
	}
	return nil
}

// complete computes the score of either retriever for what the other brought.
func (s *searching) complete() {
	ids := make([]int, len(s.found))
	for i, f := range s.found {
		ids[i] = f.passage
	}
	for i, score := range s.keywords.Scores(s.query, ids) {
		s.found[i].keyword.Score = score
	}
	if s.vectors == nil {
		return
	}
	for i, score := range s.vectors.Scores(s.results.Vector, ids) {
		s.found[i].vector.Score = float64(score)
	}
}

// rank orders the candidates by their fused scores and keeps the k best.
func (s *searching) rank(k int) {
	weight := vectorWeight
	if s.vectors == nil {
		weight = 0
	}
	for i := range s.found {
		f := &s.found[i]
		f.score = fuse(weight, f.keyword.Score, s.results.BestKeyword, f.vector.Score, s.results.BestVector)
	}
	slices.SortFunc(s.found, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.passage, b.passage))
	})
	for i, f := range s.found[:min(k, len(s.found))] {
		s.results.Hits = append(s.results.Hits, Hit{
			Passage: s.passage(f.passage),
			Rank:    i + 1,
			Score:   f.score,
			Keyword: f.keyword,
			Vector:  f.vector,
		})
	}
}
