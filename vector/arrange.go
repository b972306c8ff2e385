package vector

import (
	"cmp"
	"context"
	"math"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/vector/internal/payload"
)

// diversify picks k of the nearest by maximal marginal relevance.
func (s *Snapshot) diversify(ctx context.Context, sc *scope, q *Query, k int, plan *Plan) ([]found, error) {
	p := q.part()
	candidates, err := s.nearest(ctx, sc, &p, q, max(k, cmp.Or(q.Diverse.Candidates, max(4*k, minCandidates))), plan)
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	at, err := s.layout.dense(q.Using)
	if err != nil {
		return nil, invalid("%w", err)
	}
	spec := s.layout.fields[at].spec
	metric := spec.Metric.kernel()
	vectors := make([][]byte, len(candidates))
	for i, c := range candidates {
		vectors[i] = c.record().fields[at]
	}
	compare := func(a, b []byte) float64 {
		if spec.Storage == Binary {
			return float64(index.CompareBits(metric, a, b))
		}
		return number(metric.Compare(spec.decode(a)[0], spec.decode(b)[0]))
	}
	near := make([]float64, len(candidates)) // to the nearest chosen one
	for i := range near {
		near[i] = math.Inf(-1)
	}
	var chosen []found
	taken := make([]bool, len(candidates))
	for len(chosen) < min(k, len(candidates)) {
		next, highest := -1, math.Inf(-1)
		for i, c := range candidates {
			worth := q.Diverse.Lambda * c.score
			if len(chosen) > 0 {
				worth -= (1 - q.Diverse.Lambda) * near[i]
			}
			if !taken[i] && (next < 0 || worth > highest) {
				next, highest = i, worth
			}
		}
		taken[next] = true
		chosen = append(chosen, candidates[next])
		for i := range candidates {
			if !taken[i] {
				near[i] = max(near[i], compare(vectors[i], vectors[next]))
			}
		}
	}
	return chosen, nil
}

// searchGroups asks for more and more hits until there are enough groups.
func (s *Snapshot) searchGroups(ctx context.Context, sc *scope, q *Query, r *Result) error {
	path, err := payload.ParsePath(q.GroupBy)
	if err != nil {
		return invalid("group by: %w", err)
	}
	groups, size := q.wanted(), cmp.Or(q.GroupSize, defaultGroupSize)
	for k := max(4*groups*size, 100); ; k *= 4 {
		r.Plan = Plan{}
		all, err := s.rank(ctx, sc, q, k, &r.Plan)
		if err != nil {
			return err
		}
		grouped, full := groupFound(all, path, groups, size)
		if !full && len(all) == k {
			continue
		}
		for _, g := range grouped[min(q.Offset, len(grouped)):] {
			hits, err := s.hits(g.hits, q)
			if err != nil {
				return err
			}
			value, err := g.value.Decode()
			if err != nil {
				return err
			}
			r.Groups = append(r.Groups, Group{value, hits})
		}
		return nil
	}
}

type foundGroup struct {
	value payload.Value
	hits  []found
}

// groupFound sorts hits into groups by their first scalar value at a path; full
// says that there are as many groups as wanted, each with as many hits.
func groupFound(all []found, path payload.Path, groups, size int) (list []foundGroup, full bool) {
	at := map[string]int{}
	complete := 0
	for _, f := range all {
		var value payload.Value
		f.matched().payload.Leaves(path, func(v payload.Value) bool {
			value, _ = scalar(v)
			return value == nil
		})
		if value == nil {
			continue
		}
		i, ok := at[string(value)]
		if !ok {
			if len(list) == groups {
				continue // a worse group
			}
			i = len(list)
			at[string(value)] = i
			list = append(list, foundGroup{value: value})
		}
		if g := &list[i]; len(g.hits) < size {
			if g.hits = append(g.hits, f); len(g.hits) == size {
				complete++
			}
		}
	}
	return list, complete == groups
}
