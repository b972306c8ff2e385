package vector

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Fusion is how the hits of several parts become one ranking.
type Fusion struct {
	// Method is the formula. The zero value is RRF.
	Method FusionMethod
	// RankConstant is RRF's k. 0 means 60.
	RankConstant int
}

// FusionMethod is a formula of fusion. A part that did not find a point
// contributes nothing to it.
type FusionMethod string

// The methods.
const (
	// RRF is reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): the sum
	// of weight / (k + rank). It looks at ranks only.
	RRF FusionMethod = "rrf"
	// RelativeScore scales each part's scores to 0 (its worst hit) … 1 (its
	// best) and adds them up, weighted.
	RelativeScore FusionMethod = "relative"
	// Distribution scales each part's scores so that three standard deviations
	// below its mean are 0 and three above are 1, and adds them up, weighted.
	Distribution FusionMethod = "distribution"
	// Convex is the convex combination of Bruch, Gai and Ingber 2023 with the
	// scaling they recommend: from the lowest score the part's metric can give
	// (−1 for cosine, 0 for sparse, keyword and Jaccard; its worst hit where
	// there is none) to its best hit. Weights are divided by their sum.
	Convex FusionMethod = "convex"
)

const defaultRankConstant = 60

func (f Fusion) validate() error {
	switch f.Method {
	case "", RRF, RelativeScore, Distribution, Convex:
	default:
		return invalid("there is no fusion method %q", f.Method)
	}
	if f.RankConstant < 0 {
		return invalid("fusion with the rank constant %d", f.RankConstant)
	}
	return nil
}

// fuse ranks by each part and then by all.
func (s *Snapshot) fuse(ctx context.Context, sc *scope, q *Query, k int, plan *Plan) ([]found, error) {
	byKey := map[string]*found{}
	var order []*found
	plan.Parts = make([]Plan, len(q.Parts))
	total := 0.0
	for i := range q.Parts {
		total += cmp.Or(q.Parts[i].Weight, 1)
	}
	for i := range q.Parts {
		p := &q.Parts[i]
		hits, err := s.nearest(ctx, sc, p, q, cmp.Or(p.K, max(4*k, minCandidates)), &plan.Parts[i])
		if err != nil {
			return nil, err
		}
		value, lowest, err := s.partScale(p)
		if err != nil {
			return nil, err
		}
		weight := cmp.Or(p.Weight, 1)
		if q.Fusion.Method == Convex {
			weight /= total
		}
		scale := q.Fusion.scale(hits, lowest)
		for rank, h := range hits {
			key := string(h.key())
			f := byKey[key]
			if f == nil {
				f = &found{located: h.located, parts: make([]PartScore, len(q.Parts))}
				byKey[key] = f
				order = append(order, f)
			}
			f.score += weight * scale(rank, h.score)
			f.parts[i] = PartScore{rank + 1, value(h.score)}
		}
	}
	plan.sum()
	all := make([]found, len(order))
	for i, f := range order {
		all[i] = *f
	}
	if q.Limit != nil {
		all = slices.DeleteFunc(all, func(f found) bool { return f.score < *q.Limit })
	}
	slices.SortFunc(all, compareFound)
	return all[:min(k, len(all))], nil
}

// scale returns what a hit of a part is worth, by its rank from 0 and score.
func (f Fusion) scale(hits []found, lowest float64) func(rank int, score float64) float64 {
	if f.Method == "" || f.Method == RRF {
		k := float64(cmp.Or(f.RankConstant, defaultRankConstant))
		return func(rank int, _ float64) float64 { return 1 / (k + float64(rank) + 1) }
	}
	if len(hits) == 0 {
		return nil
	}
	low, high := hits[len(hits)-1].score, hits[0].score
	switch f.Method {
	case Distribution:
		mean, deviation := distribution(hits)
		low, high = mean-3*deviation, mean+3*deviation
	case Convex:
		if !math.IsInf(lowest, -1) {
			low = lowest
		}
	}
	return func(_ int, score float64) float64 {
		if !(high > low) {
			return 1 // all are as good as the best
		}
		return min(1, max(0, (score-low)/(high-low)))
	}
}

func distribution(hits []found) (mean, deviation float64) {
	for _, h := range hits {
		mean += h.score / float64(len(hits))
	}
	for _, h := range hits {
		deviation += (h.score - mean) * (h.score - mean) / float64(len(hits))
	}
	return mean, math.Sqrt(deviation)
}

// partScale returns how a part's scores are shown, and the lowest it can give.
func (s *Snapshot) partScale(p *Part) (value func(float64) float64, lowest float64, err error) {
	value, err = s.valueOf(&Query{Vector: p.Vector, Multi: p.Multi, Like: p.Like, Using: p.Using})
	if err != nil {
		return nil, 0, err
	}
	if p.Sparse != nil || p.Text != "" {
		return value, 0, nil
	}
	number, _ := s.layout.dense(p.Using)
	switch spec := s.layout.fields[number].spec; {
	case p.Multi != nil:
		return value, math.Inf(-1), nil
	case spec.Metric == "" || spec.Metric == Cosine:
		return value, -1, nil
	case spec.Metric == Jaccard:
		return value, 0, nil
	}
	return value, math.Inf(-1), nil
}

// sum makes a plan's figures those of its parts together; the points are the
// same for all.
func (p *Plan) sum() {
	p.Strategies = map[string]int{}
	for _, part := range p.Parts {
		for name, n := range part.Strategies {
			p.Strategies[name] += n
		}
		p.Points, p.Estimated, p.Matched = part.Points, part.Estimated, part.Matched
		p.Visited += part.Visited
		p.Scored += part.Scored
	}
}
