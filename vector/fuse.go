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
	// Complete makes each part score what only others found, so that no point is
	// without a part's share for want of a larger K. Such points have a score and
	// the rank 0 in that part. It says nothing to RRF, which has no use for scores.
	Complete bool
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
	// Share scales each part's scores to shares of its best hit's, none below 0,
	// and adds them up, weighted; weights are divided by their sum. It is for
	// similarities.
	Share FusionMethod = "share"
)

const defaultRankConstant = 60

func (f Fusion) validate() error {
	switch f.Method {
	case "", RRF, RelativeScore, Distribution, Convex, Share:
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
	f := fusing{s: s, sc: sc, q: q, plan: plan, byKey: map[string]*found{}, hits: make([][]found, len(q.Parts))}
	plan.Parts = make([]Plan, len(q.Parts))
	for i := range q.Parts {
		if err := f.ask(ctx, i, cmp.Or(q.Parts[i].K, max(4*k, minCandidates))); err != nil {
			return nil, err
		}
		f.total += cmp.Or(q.Parts[i].Weight, 1)
	}
	for i := range q.Parts {
		if err := f.score(i); err != nil {
			return nil, err
		}
	}
	plan.sum()
	all := make([]found, len(f.order))
	for i, one := range f.order {
		all[i] = *one
	}
	if q.Limit != nil {
		all = slices.DeleteFunc(all, func(f found) bool { return f.score < *q.Limit })
	}
	slices.SortFunc(all, compareFound)
	return all[:min(k, len(all))], nil
}

// fusing is one fused query at work.
type fusing struct {
	s     *Snapshot
	sc    *scope
	q     *Query
	plan  *Plan
	total float64   // of the parts' weights
	hits  [][]found // of each part

	byKey map[string]*found // all that any part found
	order []*found
}

// ask takes the k best points by a part.
func (f *fusing) ask(ctx context.Context, part, k int) (err error) {
	f.hits[part], err = f.s.nearest(ctx, f.sc, &f.q.Parts[part], f.q, k, &f.plan.Parts[part])
	for _, h := range f.hits[part] {
		if key := string(h.key()); f.byKey[key] == nil {
			one := &found{located: h.located, parts: make([]PartScore, len(f.q.Parts))}
			f.byKey[key] = one
			f.order = append(f.order, one)
		}
	}
	return err
}

// score adds a part's share to the points that it found, and with
// Fusion.Complete to the others.
func (f *fusing) score(part int) error {
	p, hits := &f.q.Parts[part], f.hits[part]
	value, lowest, err := f.s.partScale(p)
	if err != nil || len(hits) == 0 {
		return err
	}
	f.plan.Parts[part].Best = value(hits[0].score)
	weight := cmp.Or(p.Weight, 1)
	if f.q.Fusion.Method == Convex || f.q.Fusion.Method == Share {
		weight /= f.total
	}
	scale := f.q.Fusion.scale(hits, lowest)
	for rank, h := range hits {
		one := f.byKey[string(h.key())]
		one.score += weight * scale(rank, h.score)
		one.parts[part] = PartScore{rank + 1, value(h.score)}
	}
	if !f.q.Fusion.Complete || f.q.Fusion.ranks() {
		return nil
	}
	return f.complete(part, func(one *found, score float64) {
		one.score += weight * scale(0, score)
		one.parts[part] = PartScore{0, value(score)}
	})
}

// complete scores, by one part, what it did not find itself.
func (f *fusing) complete(part int, take func(*found, float64)) error {
	r, err := f.s.ranker(f.sc, &f.q.Parts[part], f.q)
	if err != nil {
		return err
	}
	missing := map[*segment]map[int]*found{}
	for _, one := range f.order {
		switch {
		case one.parts[part].Rank > 0 || r.excluded(one.located):
		case one.memory != nil:
			if score, ok := r.memory(one.memory); ok {
				take(one, score)
			}
		default:
			if missing[one.segment] == nil {
				missing[one.segment] = map[int]*found{}
			}
			missing[one.segment][one.row] = one
		}
	}
	for g, rows := range missing {
		words := f.sc.rowSet(g.rows)
		for row := range rows {
			words.add(row)
		}
		scored, _, err := r.segment(g, selection{words, len(rows), len(rows)}, len(rows))
		if err != nil {
			return err
		}
		for _, h := range scored {
			take(rows[h.row], h.score)
		}
	}
	return nil
}

// ranks reports whether the method looks at ranks and not at scores.
func (f Fusion) ranks() bool { return f.Method == "" || f.Method == RRF }

// scale returns what a hit of a part is worth, by its rank from 0 and score.
func (f Fusion) scale(hits []found, lowest float64) func(rank int, score float64) float64 {
	if f.ranks() {
		k := float64(cmp.Or(f.RankConstant, defaultRankConstant))
		return func(rank int, _ float64) float64 { return 1 / (k + float64(rank) + 1) }
	}
	if len(hits) == 0 {
		return nil
	}
	low, high := hits[len(hits)-1].score, hits[0].score
	switch f.Method {
	case Share:
		return func(_ int, score float64) float64 {
			if !(high > 0) {
				return 0
			}
			return max(0, score/high)
		}
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
