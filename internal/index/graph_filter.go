package index

import (
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
	compareCost = 10 // comparing a node's vector, anywhere in memory
	blockCost   = 10 // estimates of a block of the sweep
	stepCost    = 60 // a step of the walk
)

const (
	// fewRows is how many comparisons more getting ready is worth.
	fewRows = 64
	// probeBelow is the share of admitted nodes below which a narrow walk looks
	// what share it is near the query.
	probeBelow = 0.3
	// codesWidth is how many estimated nodes are compared for every one of ef, more
	// below 192 dimensions: from the centre estimates are coarser than from a
	// neighbour.
	codesWidth = 4
)

// admitsFew reports whether a filter admits so few rows that comparing the vectors
// themselves, where they are attached, is less work than getting ready for anything else.
func (g *Graph) admitsFew(k int, p Params) bool {
	return p.Filter != nil && g.slab != nil && p.Filter.matches(g.Len()) <= 3*g.layout.compared(p.ef(k))+fewRows
}

// compareAdmitted compares every row that a filter admits.
func (g *Graph) compareAdmitted(query []float32, k int, f *Filter) ([]Hit, Stats) {
	best, count := newTopK(k), 0
	var rows [kernel.BlockVectors]uint32
	var scores [kernel.BlockVectors]float32
	some := 0
	compare := func() {
		g.space.metric.compareRows(query, g.slab, rows[:some], scores[:some])
		for i, row := range rows[:some] {
			if !(scores[i] < best.threshold) {
				best.add(int(row), scores[i])
			}
		}
		count, some = count+some, 0
	}
	for i, word := range f.below(g.Len()) {
		for ; word != 0; word &= word - 1 {
			rows[some] = uint32(i<<6 + bits.TrailingZeros64(word))
			if some++; some == len(rows) {
				compare()
			}
		}
	}
	compare()
	return best.sorted(), Stats{StrategyScan, count, count}
}

// filtered reaches nodes enough for the k best rows that a filter admits, of which
// there are more than ef.
func (s *graphSearch) filtered(k, ef int, f *Filter) {
	g := s.graph
	rows := g.Len()
	matches := f.matches(rows)
	direct := s.directCost(ef, min(matches, g.nodes))
	share := float64(matches) / float64(rows)
	if share < probeBelow && 4*ef*stepCost < direct {
		s.walk(ef)
		admitted, of := s.admitted(f)
		if 4*admitted >= 3*of && s.reaches(k, f) {
			s.stats.Strategy = StrategyFilteredGraph
			return
		}
		share = (float64(admitted) + 0.5) / float64(of)
		s.forget()
	}
	if width := int(float64(ef) / share); width*stepCost < direct {
		s.walk(width)
		if admitted, _ := s.admitted(f); 3*admitted >= ef && s.reaches(k, f) {
			s.stats.Strategy = StrategyFilteredGraph
			return
		}
		s.forget() // what the filter admits lies elsewhere
	}
	s.direct(ef, g.members.nodes(f))
}

// admitted counts the nodes among the final candidates, and those of them that a filter
// admits. What was reached on the way does not count: it is not near. A node that is there
// twice counts once, since its mark in seen is taken away; the walk has to be over.
func (s *graphSearch) admitted(f *Filter) (count, of int) {
	for i := 0; ; i++ {
		node, _, ok := s.candidates.At(i)
		if !ok {
			return count, of
		}
		if word, bit := &s.seen[node>>6], uint64(1)<<(node&63); *word&bit != 0 {
			*word &^= bit
			of++
			if s.graph.members.admits(node, f) {
				count++
			}
		}
	}
}

// reaches reports whether a filter admits k of the nodes reached.
func (s *graphSearch) reaches(k int, f *Filter) bool {
	for _, r := range s.reached {
		if s.graph.members.admits(r.node, f) {
			if k--; k <= 0 {
				return true
			}
		}
	}
	return false
}

// compared is how many of the best by estimate are compared.
func (l layout) compared(ef int) int { return ef * codesWidth * max(1, 192/l.padded) }

// directCost is what direct costs where so many nodes are admitted.
func (s *graphSearch) directCost(ef, nodes int) int {
	width := s.graph.layout.compared(ef)
	if nodes <= 2*width {
		return nodes * compareCost
	}
	return width*compareCost + min(nodes*codeCost, blocks(s.graph.nodes)*blockCost)
}

// direct reaches the best of the nodes that a filter of nodes admits, without the
// graph's links.
func (s *graphSearch) direct(ef int, f *Filter) {
	width := s.graph.layout.compared(ef)
	nodes := f.matches(s.graph.nodes)
	if nodes <= 2*width {
		s.stats.Strategy = StrategyScan
		s.scan(f)
		return
	}
	s.stats.Strategy = StrategyCodes
	s.candidates.Reset(width)
	if nodes*codeCost < blocks(s.graph.nodes)*blockCost {
		s.estimate(f)
	} else {
		s.sweep(f)
	}
	for i := 0; ; i++ {
		node, _, ok := s.candidates.At(i)
		if !ok {
			break
		}
		s.reached = append(s.reached, reached{node, 0})
	}
	s.measure()
}

// estimate offers the candidates the nodes that a filter admits, by their codes.
func (s *graphSearch) estimate(f *Filter) {
	c, q := &s.graph.codes, &s.asked
	c.ask(s.query, q)
	var nodes [kernel.BlockVectors]uint32
	count := 0
	offer := func() {
		s.stats.Scored += count
		q.terms.Limit = s.candidates.Limit()
		if below := kernel.ScorePlanes(c.words, nodes[:count], q.planes, &q.terms, &s.estimates); below != 0 {
			s.candidates.Add(&nodes, &s.estimates, below, nil)
		}
		count = 0
	}
	for i, word := range f.below(s.graph.nodes) {
		for ; word != 0; word &= word - 1 {
			nodes[count] = uint32(i<<6 + bits.TrailingZeros64(word))
			if count++; count == len(nodes) {
				offer()
			}
		}
	}
	offer()
}

// sweep offers the candidates the nodes that a filter admits, by the codes of whole
// blocks.
func (s *graphSearch) sweep(f *Filter) {
	g := s.graph
	s.terms.Base = kernel.Dot(s.query, s.query)
	size := g.layout.sweepSize()
	var nodes [kernel.BlockVectors]uint32
	for b := range blocks(g.nodes) {
		admitted := f.block(b)
		if admitted == 0 {
			continue
		}
		s.stats.Scored += bits.OnesCount32(admitted)
		s.terms.Limit = s.candidates.Limit()
		below := kernel.ScanBlock(g.sweep[b*size:(b+1)*size], s.tables, &s.terms, &s.estimates, size)
		if below &= admitted; below != 0 {
			for i := range nodes {
				nodes[i] = uint32(b*kernel.BlockVectors + i)
			}
			s.candidates.Add(&nodes, &s.estimates, below, nil)
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
