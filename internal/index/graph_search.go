package index

import (
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// graphSearch is the state of one search, kept for the next.
type graphSearch struct {
	graph      *Graph
	query      []float32 // in the graph's space
	ruler      ruler
	tables     []byte
	terms      kernel.ScanTerms
	candidates kernel.Candidates
	starts     kernel.Candidates
	estimates  [kernel.BlockVectors]float32
	seen       []uint64                    // nodes that were reached
	reached    []reached                   // in the order of the walk
	asked      askedCodes                  // of the query, where nodes' codes are looked at
	nodes      [kernel.BlockVectors]uint32 // offered to candidates
	lean       leanSearch
	stats      Stats
}

// reached is a node whose distance was computed.
type reached struct {
	node     uint32
	distance float32
}

// lag is how many nodes are taken ahead of the one whose row is read: their rows
// are on their way from memory meanwhile. The walk is a little less greedy, by
// about a twentieth more steps, and twice as fast.
const lag = 2

// starts is the number of nodes a walk begins with.
const starts = 16

func (g *Graph) newSearch() *graphSearch {
	return &graphSearch{
		graph:  g,
		query:  make([]float32, g.layout.padded),
		tables: make([]byte, g.layout.codesSize()),
		seen:   make([]uint64, (g.nodes+63)/64),
	}
}

// borrow returns a search for a query; put it back into the pool.
func (g *Graph) borrow(query []float32) *graphSearch {
	s, ok := g.pool.Get().(*graphSearch)
	if !ok {
		s = g.newSearch()
	}
	s.ruler = g.space.aim(query, s.query)
	s.prepare()
	return s
}

// prepare makes the tables of the query and forgets the search before.
func (s *graphSearch) prepare() {
	step, total := kernel.SignTables(s.query[:s.graph.layout.signs()], s.tables)
	s.terms.Step, s.terms.Low = 2*step, -step*float32(total)
	if s.graph.lean != nil {
		s.prepareLean()
	}
	s.stats = Stats{}
	s.forget()
}

func (s *graphSearch) forget() {
	for _, r := range s.reached {
		s.seen[r.node>>6] = 0
	}
	s.reached = s.reached[:0]
	for _, node := range s.lean.met {
		s.seen[node>>6] = 0
	}
	s.lean.met = s.lean.met[:0]
}

// find reaches nodes enough for the k best rows that a filter admits.
func (s *graphSearch) find(k int, p Params) {
	g, ef := s.graph, p.ef(k)
	switch {
	case g.lean != nil:
		s.findLean(k, ef, p)
	case p.Exact || p.Filter.matches(g.Len()) <= ef:
		s.stats.Strategy = StrategyScan
		s.scan(g.members.nodes(p.Filter))
	case p.Filter != nil:
		s.filtered(k, ef, p.Filter)
	default:
		s.stats.Strategy = StrategyGraph
		s.walk(ef)
		if s.short(k) { // a node can take two places among so few
			s.forget()
			s.walk(4 * ef)
		}
		if s.short(k) { // the walk ended in a small cluster
			s.stats.Strategy = StrategyScan
			s.scan(nil)
		}
	}
}

// short reports whether fewer nodes were reached than k or all.
func (s *graphSearch) short(k int) bool { return len(s.reached) < min(k, s.graph.nodes) }

// best returns the k best of the reached nodes that a filter admits.
func (s *graphSearch) best(k int, f *Filter) []Hit {
	best := newTopK(k)
	s.stats.Visited += len(s.reached)
	for _, r := range slices.Backward(s.reached) { // the nearest were reached last
		if score := s.ruler.score(r.distance); score >= best.threshold {
			s.show(best, r.node, score, f)
		}
	}
	return best.sorted()
}

// show shows the rows of a node that a filter admits.
func (s *graphSearch) show(best *topK, node uint32, score float32, f *Filter) {
	var one [1]uint32
	for _, row := range s.graph.members.of(node, &one) {
		if f.Has(int(row)) {
			best.add(int(row), score)
		}
	}
}

// nearBest returns the k best and what the rounding of vectors to half precision may hide
// behind them, up to a few times as many.
func (s *graphSearch) nearBest(k int, f *Filter) []Hit {
	hits := s.best(k, f)
	if len(hits) < k || len(s.reached) <= k {
		return hits
	}
	// A vector is off by e = |v|·2⁻¹² or so in no particular direction, and a squared distance d by
	// 2·√d·e/√D + e².
	const e = halvesError
	distance := (hits[k-1].Score - s.ruler.offset) / s.ruler.factor
	margin := float32(6*math.Sqrt(max(0, float64(distance))/float64(s.graph.layout.padded))*e + 4*e*e)
	limit := s.ruler.score(distance + margin)
	wide := newTopK(min(8*k+64, len(s.reached)))
	for _, r := range s.reached {
		if score := s.ruler.score(r.distance); score >= limit {
			s.show(wide, r.node, score, f)
		}
	}
	if within := wide.sorted(); len(within) > k {
		return within
	}
	return hits
}

// walk goes from the entries towards the query, keeping the ef nearest
// candidates by estimate, until all of them are reached.
func (s *graphSearch) walk(ef int) {
	s.candidates.Reset(ef)
	s.start()
	var queue [lag + 1]uint32
	queued := 0
	for {
		queued = s.fill(&queue, queued)
		if queued == 0 {
			break
		}
		node, newest := queue[0], queue[queued-1]
		queued--
		queue[0], queue[1] = queue[1], queue[2]
		s.step(node, (int(newest)-int(node))*s.graph.layout.rowSize())
	}
	s.stats.Scored += len(s.reached) * s.graph.layout.degree
}

// fill takes candidates until the queue is full, and asks for all of their rows
// but the last one's, which step does.
func (s *graphSearch) fill(queue *[lag + 1]uint32, queued int) int {
	fresh := false
	for queued <= lag {
		node, ok := s.candidates.Take()
		if !ok {
			break
		}
		word, bit := &s.seen[node>>6], uint64(1)<<(node&63)
		if *word&bit != 0 {
			continue
		}
		*word |= bit
		if s.graph.lean != nil {
			kernel.Prefetch(s.graph.lean.code(node))
		}
		if fresh {
			kernel.Prefetch(s.graph.row(queue[queued-1]))
		}
		queue[queued], fresh = node, true
		queued++
	}
	return queued
}

// step reads a node's row: its distance, then estimates of its neighbours. ahead
// is how far the row to be asked for is from it.
func (s *graphSearch) step(node uint32, ahead int) {
	l := s.graph.layout
	row := s.graph.row(node)
	var distance float32
	if s.graph.lean != nil {
		distance = s.leanDistance(node)
	} else {
		distance = kernel.L2Halves(s.query, halves(row[:l.vectorSize()]), ahead)
	}
	s.reached = append(s.reached, reached{node, distance})
	s.terms.Base = distance
	for at := l.vectorSize(); at < len(row); at += l.blockSize() {
		block := row[at : at+l.blockSize()]
		s.terms.Limit = s.candidates.Limit()
		if below := kernel.ScanBlock(block, s.tables, &s.terms, &s.estimates, ahead); below != 0 {
			s.candidates.Add(blockNodes(block), &s.estimates, below, s.seen)
		}
	}
}

// start makes the entries nearest to the query candidates.
func (s *graphSearch) start() {
	s.findStarts()
	var distances [kernel.BlockVectors]float32
	found := 0
	for ; found < starts; found++ {
		node, distance, ok := s.starts.At(found)
		if !ok {
			break
		}
		s.nodes[found], distances[found] = node, distance
	}
	s.candidates.Add(&s.nodes, &distances, 1<<found-1, nil)
}

// findStarts finds the entries nearest to the query.
func (s *graphSearch) findStarts() {
	s.starts.Reset(starts)
	s.terms.Base = kernel.Dot(s.query, s.query)
	for entries := s.graph.entries; len(entries) > 0; entries = entries[s.graph.layout.blockSize():] {
		block := entries[:s.graph.layout.blockSize()]
		s.terms.Limit = s.starts.Limit()
		if below := kernel.ScanBlock(block, s.tables, &s.terms, &s.estimates, 0); below != 0 {
			s.starts.Add(blockNodes(block), &s.estimates, below, nil)
		}
		s.stats.Scored += kernel.BlockVectors
	}
}
