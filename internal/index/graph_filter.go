package index

import (
	"math"
	"math/bits"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Under a filter there are four ways to the nearest admitted nodes, and which is
// the cheapest depends on how many they are and where they lie:
//
//   - a scan compares all of them;
//   - codes are estimates of all of them, one by one, to compare the best;
//   - a sweep is the same in blocks of 32 nodes, admitted or not;
//   - a walk of the whole graph, wide enough that it meets EF of them.
//
// The first three cost the same wherever the nodes lie. A walk is cheap where what
// lies near the query is mostly admitted, and hopeless where none of it is. So where
// few are admitted, a walk as wide as without a filter looks first which it is
// (compare the estimates of correlation in Patel et al. 2024, "ACORN", section 5).
//
// What things cost, compared with each other, at 128 and 768 dimensions alike.
const (
	codeCost    = 1  // the estimate of a node by its code
	compareCost = 4  // comparing a node's vector, anywhere in memory
	blockCost   = 4  // estimates of a block of the sweep
	stepCost    = 24 // a step of the walk
)

const (
	// probeBelow is the share of admitted nodes below which a narrow walk looks
	// what share it is near the query.
	probeBelow = 0.3
	// codesWidth is how many estimated nodes are compared for every one of ef, more
	// below 192 dimensions: from the centre estimates are coarser than from a
	// neighbour.
	codesWidth = 4
)

// filtered reaches nodes enough for the k best rows that a filter admits, of which
// there are more than ef.
func (s *graphSearch) filtered(k, ef int, f *Filter) {
	g := s.graph
	rows := g.Len()
	matches := f.matches(rows)
	direct := s.directCost(ef, min(matches, g.nodes))
	share := float64(matches) / float64(rows)
	if share < probeBelow && 2*ef*stepCost < direct {
		share = s.probe(ef, f)
		if share*float64(ef) >= float64(ef+k)/2 {
			return
		}
		s.forget()
	}
	if width := int(float64(ef) / share); width*stepCost < direct {
		s.stats.Strategy = StrategyFilteredGraph
		s.walk(width)
		if s.admitted(f) >= (ef+k)/2 {
			return
		}
		s.forget() // what the filter admits lies elsewhere
	}
	s.direct(ef, g.members.nodes(f))
}

// probe walks as without a filter and returns the share of what it found that a filter
// admits, never quite none.
func (s *graphSearch) probe(ef int, f *Filter) float64 {
	s.stats.Strategy = StrategyFilteredGraph
	s.walk(ef)
	return (float64(s.admitted(f)) + 0.5) / float64(ef)
}

// admitted counts the nodes no farther than the last candidate that a filter admits. What
// else was reached, on the way to these, does not count.
func (s *graphSearch) admitted(f *Filter) (count int) {
	limit := s.candidates.Limit()
	for _, r := range s.reached {
		if r.distance <= limit && s.graph.members.admits(r.node, f) {
			count++
		}
	}
	return count
}

// compared is how many of the best by estimate are compared.
func (s *graphSearch) compared(ef int) int {
	return ef * codesWidth * max(1, 192/s.graph.layout.padded)
}

// directCost is what direct costs where so many nodes are admitted.
func (s *graphSearch) directCost(ef, nodes int) int {
	width := s.compared(ef)
	if nodes <= 2*width {
		return nodes * compareCost
	}
	return width*compareCost + min(nodes*codeCost, blocks(s.graph.nodes)*blockCost)
}

// direct reaches the best of the nodes that a filter of nodes admits, without the
// graph's links.
func (s *graphSearch) direct(ef int, f *Filter) {
	width := s.compared(ef)
	nodes := f.matches(s.graph.nodes)
	if nodes <= 2*width {
		s.stats.Strategy = StrategyScan
		s.scan(f)
		return
	}
	s.stats.Strategy = StrategyCodes
	best := smallest{width: width, limit: float32(math.Inf(1)), list: s.swept[:0]}
	if nodes*codeCost < blocks(s.graph.nodes)*blockCost {
		s.estimate(f, &best)
	} else {
		s.sweep(f, &best)
	}
	s.swept = best.kept()
	for _, x := range s.swept {
		s.reached = append(s.reached, reached{x.node, 0})
	}
	s.measure()
}

// estimate shows best the nodes that a filter admits, by their codes.
func (s *graphSearch) estimate(f *Filter, best *smallest) {
	c, q := &s.graph.codes, &s.asked
	c.ask(s.query, q)
	for i, word := range f.below(s.graph.nodes) {
		for ; word != 0; word &= word - 1 {
			node := uint32(i<<6 + bits.TrailingZeros64(word))
			s.stats.Scored++
			if distance := c.estimate(q, node); distance < best.limit {
				best.add(near{distance, node})
			}
		}
	}
}

// sweep shows best the nodes that a filter admits, by the codes of whole blocks.
func (s *graphSearch) sweep(f *Filter, best *smallest) {
	g := s.graph
	s.terms.Base = kernel.Dot(s.query, s.query)
	size := g.layout.sweepSize()
	for b := range blocks(g.nodes) {
		admitted := f.block(b)
		if admitted == 0 {
			continue
		}
		s.stats.Scored += bits.OnesCount32(admitted)
		s.terms.Limit = best.limit
		below := kernel.ScanBlock(g.sweep[b*size:(b+1)*size], s.tables, &s.terms, &s.estimates, size)
		for below &= admitted; below != 0; below &= below - 1 {
			i := bits.TrailingZeros32(below)
			best.add(near{s.estimates[i], uint32(b*kernel.BlockVectors + i)})
		}
	}
}

// scan reaches every node that a filter of nodes admits.
func (s *graphSearch) scan(f *Filter) {
	s.forget()
	if f == nil {
		for node := range s.graph.nodes {
			s.reached = append(s.reached, reached{uint32(node), 0})
		}
	} else {
		for i, word := range f.below(s.graph.nodes) {
			for ; word != 0; word &= word - 1 {
				s.reached = append(s.reached, reached{uint32(i<<6 + bits.TrailingZeros64(word)), 0})
			}
		}
	}
	s.measure()
}

// measure computes the distances of what was reached at once. These nodes are
// not marked in seen.
func (s *graphSearch) measure() {
	const ahead = 12 // vectors on their way
	size := s.graph.layout.vectorSize()
	for i := range s.reached {
		if i+ahead < len(s.reached) {
			kernel.Prefetch(s.graph.row(s.reached[i+ahead].node)[:size])
		}
		s.reached[i].distance = kernel.L2Halves(s.query, halves(s.graph.row(s.reached[i].node)[:size]), 0)
	}
}
