package rag

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/vector"
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
	if snap.db == nil || question == "" {
		return s.results, nil
	}
	if snap.hasVectors() {
		e := c.options.Embedding
		vectors, err := embedChecked(ctx, e, []string{e.Identity.QueryPrefix + question})
		if err != nil {
			return nil, fmt.Errorf("search: embed the question: %w", err)
		}
		s.results.Vector = vectors[0]
	}
	if err := s.ask(ctx, options.K); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return s.results, nil
}

// searching is one Search at work.
type searching struct {
	*snapshot
	results *Results
	depth   int
}

// query asks for all candidates, fused as Fuse does it.
func (s *searching) query() vector.Query {
	q := vector.Query{
		Namespace: passageSpace,
		Parts:     []vector.Part{{Text: s.results.Question, Using: keywordIndex, K: s.depth, Weight: 1 - vectorWeight}},
		Fusion:    vector.Fusion{Method: vector.Share, Complete: true},
		K:         2 * s.depth,
		With:      vector.With{WithoutPayload: true},
	}
	if s.results.Vector != nil {
		q.Parts = append(q.Parts, vector.Part{Vector: s.results.Vector, K: s.depth, Weight: vectorWeight})
	}
	return q
}

// ask fills the results with the k best passages.
func (s *searching) ask(ctx context.Context, k int) error {
	terms, err := s.view.Terms(passageSpace, keywordIndex, s.results.Question)
	if err != nil {
		return err
	}
	for _, t := range terms {
		s.results.Terms = append(s.results.Terms, QueryTerm{Term: t.Term, Passages: t.Points, IDF: t.IDF})
	}
	found, err := s.view.Search(ctx, s.query())
	if err != nil {
		return err
	}
	s.results.BestKeyword = found.Plan.Parts[0].Best
	if len(found.Plan.Parts) > 1 {
		s.results.BestVector = found.Plan.Parts[1].Best
	}
	hits := make([]Hit, 0, len(found.Hits))
	for _, h := range found.Hits {
		id, ok := s.place(h.ID)
		if !ok {
			return &CorruptError{s.dir, fmt.Sprintf("passage %v belongs to no document", h.ID)}
		}
		hit := Hit{Passage: Passage{ID: id}, Score: h.Score, Keyword: Standing(h.Parts[0])}
		if len(h.Parts) > 1 {
			hit.Vector = Standing(h.Parts[1])
		}
		hits = append(hits, hit)
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	for i, hit := range hits[:min(k, len(hits))] {
		hit.Rank = i + 1
		if hit.Passage, err = s.passage(hit.ID); err != nil {
			return err
		}
		s.results.Hits = append(s.results.Hits, hit)
	}
	return nil
}
