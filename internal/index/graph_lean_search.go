package index

import (
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// leanSearch is what a search of a lean graph needs besides.
type leanSearch struct {
	query []int8
	terms kernel.NibbleTerms
	met   []uint32    // nodes whose bit in seen is set
	fresh [2][]uint32 // of them those that are not scored yet: asked for in this and in the last step
}

// prepareLean rounds the query to 8 bits.
func (s *graphSearch) prepareLean() {
	l := &s.lean
	if l.query == nil {
		l.query = make([]int8, s.graph.layout.width())
	}
	step, sum := kernel.RoundBytes(s.query, l.query[:len(s.query)])
	l.terms = kernel.NibbleTerms{Base: kernel.Dot(s.query, s.query), Step: step, Low: -7.5 * step * float32(sum)}
}

// reachLean walks a lean graph.
func (s *graphSearch) reachLean(ef int) {
	if s.graph.layout.bare {
		s.walk(ef)
	} else {
		s.walkLean(ef)
	}
}

// leanDistance estimates the distance of a node by its code.
func (s *graphSearch) leanDistance(node uint32) float32 {
	l := s.graph.lean
	one := [1]uint32{node}
	kernel.ScoreNibbles(s.lean.query, l.codes, l.factors, one[:], &s.lean.terms, &s.estimates)
	return s.estimates[0]
}

// walkLean walks like walk does, but estimates of neighbours come from their own codes, and
// the candidates in the end are what was found. Links are asked for one step, and codes
// another, before they are read.
func (s *graphSearch) walkLean(ef int) {
	s.candidates.Reset(ef)
	s.startLean()
	l := s.graph.lean
	var links []uint32
	s.lean.fresh[0], s.lean.fresh[1] = s.lean.fresh[0][:0], s.lean.fresh[1][:0]
	for turn := 0; ; turn ^= 1 {
		node, ok := s.candidates.Take()
		fresh := s.meet(links, s.lean.fresh[turn][:0])
		s.lean.fresh[turn] = fresh
		if links = nil; ok {
			links = l.linksOf(node)
			kernel.Prefetch(wordBytes(links))
		}
		waiting := s.lean.fresh[turn^1]
		s.scoreLean(waiting)
		if !ok && len(fresh) == 0 && len(waiting) == 0 {
			break
		}
	}
	s.found()
}

// meet appends those of some nodes that were not met yet, and asks for their codes.
func (s *graphSearch) meet(nodes, fresh []uint32) []uint32 {
	l := s.graph.lean
	for len(nodes) > 0 {
		some := nodes[:min(len(nodes), kernel.BlockVectors)]
		fresh = slices.Grow(fresh, kernel.BlockVectors)
		room := (*[kernel.BlockVectors]uint32)(fresh[len(fresh) : len(fresh)+kernel.BlockVectors])
		met := room[:kernel.Unseen(some, s.seen, l.codes, len(s.lean.query)/2, room)]
		s.lean.met = append(s.lean.met, met...)
		fresh, nodes = fresh[:len(fresh)+len(met)], nodes[len(some):]
	}
	return fresh
}

// scoreLean makes nodes candidates.
func (s *graphSearch) scoreLean(nodes []uint32) {
	l := s.graph.lean
	s.stats.Scored += len(nodes)
	for len(nodes) > 0 {
		some := nodes[:min(len(nodes), kernel.BlockVectors)]
		s.lean.terms.Limit = s.candidates.Limit()
		if below := kernel.ScoreNibbles(s.lean.query, l.codes, l.factors, some, &s.lean.terms, &s.estimates); below != 0 {
			copy(s.nodes[:], some)
			s.candidates.Add(&s.nodes, &s.estimates, below, nil)
		}
		nodes = nodes[len(some):]
	}
}

// startLean makes the entries nearest to the query candidates.
func (s *graphSearch) startLean() {
	s.findStarts()
	var nodes [starts]uint32
	count := 0
	for ; count < starts; count++ {
		node, _, ok := s.starts.At(count)
		if !ok {
			break
		}
		nodes[count] = node
	}
	s.scoreLean(s.meet(nodes[:count], s.lean.fresh[0][:0]))
}

// found takes the candidates as reached, the nearest last, as best expects them.
func (s *graphSearch) found() {
	for i := 0; ; i++ {
		node, distance, ok := s.candidates.At(i)
		if !ok {
			break
		}
		s.reached = append(s.reached, reached{node, distance})
	}
	slices.Reverse(s.reached)
}

// findLean finds nodes enough for the k best rows that a filter admits.
func (s *graphSearch) findLean(k, ef int, p Params) {
	n := s.graph.nodes
	nodes := s.graph.members.nodes(p.Filter)
	matches := nodes.matches(n)
	s.stats.Strategy = StrategyCodes
	switch {
	case p.Exact || matches <= ef:
		s.scanLean(max(1, matches), nodes)
	case nodes == nil:
		s.stats.Strategy = StrategyGraph
		s.reachLean(ef)
		if s.short(k) { // a node can take two places among so few
			s.forget()
			s.reachLean(4 * ef)
		}
		if s.short(k) { // the walk ended in a small cluster
			s.scanLean(ef, nil)
		}
	default:
		width := int(int64(ef) * int64(n) / int64(matches))
		if width*leanStepCost < matches {
			s.reachLean(width)
			if s.metOf(nodes) >= (ef+k)/2 {
				s.stats.Strategy = StrategyFilteredGraph
				return
			}
		}
		s.scanLean(ef, nodes) // what the filter admits lies elsewhere
	}
}

// metOf counts the nodes reached that a filter admits.
func (s *graphSearch) metOf(f *Filter) (count int) {
	for _, r := range s.reached {
		if f.Has(int(r.node)) {
			count++
		}
	}
	return count
}

// leanStepCost is what a step of the walk takes, compared with the estimate of a node in a
// scan.
const leanStepCost = 32

// scanLean estimates every node that a filter admits and keeps the best.
func (s *graphSearch) scanLean(ef int, f *Filter) {
	s.forget()
	s.candidates.Reset(ef)
	some := s.lean.fresh[0][:0]
	for node := range s.graph.nodes {
		if f.Has(node) {
			some = append(some, uint32(node))
		}
		if len(some) == kernel.BlockVectors {
			s.scoreLean(some)
			some = some[:0]
		}
	}
	s.scoreLean(some)
	s.found()
}

// leanError is the error of an estimated product of a query and a vector, as a share of
// the vector's norm and of their distance, times the root of the dimensions: the tangent of the angle
// between a vector and its code. What of the query is parallel to the vector has no error.
const leanError = 0.1

// leanMargin is how many of these errors below the k-th best estimate a row is still
// compared with the query.
const leanMargin = 2

// nearLean returns the k best by estimate and what its error may hide behind them, or
// Rescore times as many as k.
func (s *graphSearch) nearLean(k int, p Params) []Hit {
	if p.Rescore > 0 {
		return s.best(max(k, int(float64(k)*float64(p.Rescore))), p.Filter)
	}
	hits := s.best(8*k+64, p.Filter)
	if len(hits) <= k || s.ruler.factor == 0 {
		return hits
	}
	distance := (hits[k-1].Score - s.ruler.offset) / s.ruler.factor
	square := s.lean.terms.Base // of the query; the vectors near it are about as long
	// Of a small distance the rounding of the query is the greater part of the error.
	distance = max(distance, square/64)
	spread := math.Sqrt(float64(square*distance) / float64(s.graph.layout.padded))
	limit := hits[k-1].Score + s.ruler.factor*leanMargin*2*leanError*float32(spread)
	end := k
	for end < len(hits) && hits[end].Score >= limit {
		end++
	}
	return hits[:end]
}
