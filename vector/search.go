package vector

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/index"
)

// found is a point and its score, of which higher is always better.
type found struct {
	located
	score float64
	parts []PartScore // of fused queries
}

// compareFound puts the better first, and of equal ones the lower key.
func compareFound(a, b found) int {
	if c := cmp.Compare(b.score, a.score); c != 0 {
		return c
	}
	return bytes.Compare(a.key(), b.key())
}

// Search is Snapshot.Search now.
func (c *Collection) Search(ctx context.Context, q Query) (*Result, error) {
	return read(c, func(s *Snapshot) (*Result, error) { return s.Search(ctx, q) })
}

// SearchBatch answers several queries on one snapshot.
func (c *Collection) SearchBatch(ctx context.Context, queries []Query) ([]*Result, error) {
	return read(c, func(s *Snapshot) ([]*Result, error) {
		results := make([]*Result, len(queries))
		for i, q := range queries {
			var err error
			if results[i], err = s.Search(ctx, q); err != nil {
				return nil, fmt.Errorf("query %d: %w", i, err)
			}
		}
		return results, nil
	})
}

// Search finds the points nearest to what the query says. It returns fewer
// hits than asked for only if no more points fit.
func (s *Snapshot) Search(ctx context.Context, q Query) (*Result, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	sc, err := s.scope(q.Namespace, q.Filter)
	if err != nil {
		return nil, err
	}
	defer sc.release()
	r := &Result{}
	switch {
	case q.GroupBy != "":
		err = s.searchGroups(ctx, sc, &q, r)
	default:
		var hits []found
		if hits, err = s.rank(ctx, sc, &q, q.wanted(), &r.Plan); err == nil {
			r.Hits, err = s.hits(hits[min(q.Offset, len(hits)):], &q)
		}
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// rank returns the k best points, best first; all within the limit if k is
// below zero.
func (s *Snapshot) rank(ctx context.Context, sc *scope, q *Query, k int, plan *Plan) ([]found, error) {
	if q.K == allHits {
		k = math.MaxInt32
	}
	switch {
	case len(q.Parts) > 0:
		return s.fuse(ctx, sc, q, k, plan)
	case q.Diverse != nil:
		return s.diversify(ctx, sc, q, k, plan)
	}
	p := q.part()
	return s.nearest(ctx, sc, &p, q, k, plan)
}

// nearest ranks the points by one target.
func (s *Snapshot) nearest(ctx context.Context, sc *scope, p *Part, q *Query, k int, plan *Plan) ([]found, error) {
	r, err := s.ranker(sc, p, q)
	if err != nil {
		return nil, err
	}
	plan.Strategies = map[string]int{}
	floor := math.Inf(-1)
	if q.Limit != nil && len(q.Parts) == 0 {
		floor = r.floor(*q.Limit)
	}
	all := make([]found, 0, min(k, 2*minCandidates))
	for _, g := range s.view.segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows := sc.rows(g)
		from, to := g.namespace(sc.namespace)
		plan.Points += to - from
		plan.Estimated += rows.estimated
		plan.Matched += rows.count
		if rows.count == 0 {
			continue
		}
		hits, stats, err := r.segment(g, rows, k)
		if err != nil {
			return nil, err
		}
		plan.Strategies[string(stats.Strategy)]++
		plan.Visited += stats.Visited
		plan.Scored += stats.Scored
		for _, h := range hits {
			all = append(all, found{located: located{segment: g, row: h.row}, score: h.score})
		}
	}
	memory := 0
	points := sc.memory(func(v *row) {
		memory++
		if score, ok := r.memory(v); ok {
			all = append(all, found{located: located{memory: v}, score: score})
		}
	})
	if points > 0 {
		plan.Strategies["memory"]++
		plan.Points, plan.Estimated, plan.Matched = plan.Points+points, plan.Estimated+memory, plan.Matched+memory
		plan.Visited, plan.Scored = plan.Visited+memory, plan.Scored+memory
	}
	all = slices.DeleteFunc(all, func(f found) bool { return !(f.score >= floor) || r.excluded(f.located) })
	slices.SortFunc(all, compareFound)
	return all[:min(k, len(all))], nil
}

// ranker scores points by one target. Scores are higher for better points.
type ranker interface {
	// segment returns the k best of the selected rows of a segment.
	segment(g *segment, rows selection, k int) ([]rowScore, index.Stats, error)
	// memory scores a version in memory; ok is false if it cannot be found.
	memory(v *row) (score float64, ok bool)
	// floor is the score that Query.Limit stands for.
	floor(limit float64) float64
	// excluded says that a point must not be among the hits.
	excluded(located) bool
}

type rowScore struct {
	row   int
	score float64
}

func (s *Snapshot) ranker(sc *scope, p *Part, q *Query) (ranker, error) {
	switch {
	case p.Sparse != nil:
		return s.sparseRanker(p)
	case p.Text != "":
		return s.keywordRanker(sc.namespace, p)
	case p.Multi != nil:
		return s.multiRanker(p)
	case p.Like != nil:
		return s.likeRanker(sc, p, q)
	}
	return s.denseRanker(p.Using, p.Vector, q)
}

// hits returns what is wanted of the points found.
func (s *Snapshot) hits(all []found, q *Query) ([]Hit, error) {
	value, err := s.valueOf(q)
	if err != nil {
		return nil, err
	}
	hits := make([]Hit, len(all))
	for i, f := range all {
		p, err := s.point(f.located, q.With)
		if err != nil {
			return nil, err
		}
		hits[i] = Hit{Point: p, Score: value(f.score), Parts: f.parts}
	}
	return hits, nil
}

// valueOf returns how a query's scores are shown.
func (s *Snapshot) valueOf(q *Query) (func(float64) float64, error) {
	same := func(score float64) float64 { return score }
	if q.Vector == nil && q.Multi == nil && q.Like == nil || len(q.Parts) > 0 {
		return same, nil
	}
	number, err := s.layout.dense(q.Using)
	if err != nil {
		return nil, invalid("%w", err)
	}
	if s.layout.fields[number].kind == multiField || q.Multi != nil {
		return same, nil
	}
	return shown(s.layout.fields[number].spec.Metric.kernel()), nil
}

// shown returns how a metric's scores are shown: distances without sign.
func shown(m index.Metric) func(float64) float64 {
	return func(score float64) float64 { return float64(m.Value(float32(score))) }
}
