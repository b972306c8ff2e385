package index

import (
	"github.com/ragstone/ragstone/internal/kernel"
)

// hnswSearch is the state of one search, kept for the next.
type hnswSearch struct {
	index      *HNSW
	query      []float32
	candidates kernel.Candidates
	seen       []uint64 // nodes that were met
	met        []uint32
	fresh      []uint32 // neighbours to be compared
	scanned    []near   // what a scan found
	stats      Stats
}

func (h *HNSW) newSearch() *hnswSearch { return &hnswSearch{index: h} }

func (h *HNSW) borrow(nodes int) *hnswSearch {
	s, ok := h.pool.Get().(*hnswSearch)
	if !ok {
		s = h.newSearch()
	}
	s.reset(nodes)
	return s
}

// reset makes room for so many nodes, none met. Later nodes are passed by.
func (s *hnswSearch) reset(nodes int) {
	s.forget()
	if words := (nodes + 63) / 64; len(s.seen) < words {
		s.seen = make([]uint64, words+words/4)
	}
	s.scanned, s.stats = s.scanned[:0], Stats{}
}

func (s *hnswSearch) forget() {
	for _, node := range s.met {
		s.seen[node>>6] = 0
	}
	s.met = s.met[:0]
}

// meet reports whether a node is met for the first time.
func (s *hnswSearch) meet(node uint32) bool {
	if int(node>>6) >= len(s.seen) {
		return false
	}
	word, bit := &s.seen[node>>6], uint64(1)<<(node&63)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	s.met = append(s.met, node)
	return true
}

// find walks, or compares all where that is less work, until the candidates hold
// the k best of the first n rows.
func (s *hnswSearch) find(k, n int, p Params) {
	h := s.index
	ef := p.ef(k)
	matches := p.Filter.matches(n)
	live := max(1, min(matches, h.Live()))
	width := int(int64(ef) * int64(n) / int64(live))
	s.stats.Strategy = StrategyGraph
	if p.Filter != nil {
		s.stats.Strategy = StrategyFilteredGraph
	}
	if entry, top := h.top(); !p.Exact && top >= 0 && width*h.options.M < matches {
		s.walk(s.descend(entry, top, 0), 0, width)
		if s.admitted(p.Filter) >= min(ef/2+k/2, live) {
			return
		}
	}
	s.stats.Strategy = StrategyScan
	s.scan(n, p.Filter)
}

// descend walks greedily from the entry down to just above a level.
func (s *hnswSearch) descend(entry uint32, top, level int) near {
	h := s.index
	best := near{h.distance(s.query, h.store.vector(entry)), entry}
	for l := top; l > level; l-- {
		for moved := true; moved; {
			moved = false
			s.fresh = h.store.links(best.node, l).read(s.fresh[:0])
			for _, node := range s.fresh {
				if d := h.distance(s.query, h.store.vector(node)); d < best.distance {
					best, moved = near{d, node}, true
				}
			}
		}
	}
	return best
}

// walk goes from start towards the query on one level, keeping the ef nearest.
func (s *hnswSearch) walk(start near, level, ef int) {
	s.forget()
	s.candidates.Reset(ef)
	s.candidates.Add(&[kernel.BlockVectors]uint32{start.node}, &[kernel.BlockVectors]float32{start.distance}, 1, nil)
	s.meet(start.node)
	for {
		node, ok := s.candidates.Take()
		if !ok {
			break
		}
		s.expand(node, level)
	}
	s.stats.Visited += len(s.met)
	s.stats.Scored += len(s.met)
}

// expand compares the neighbours of a node that were not met yet.
func (s *hnswSearch) expand(node uint32, level int) {
	store := &s.index.store
	s.fresh = store.links(node, level).read(s.fresh[:0])
	count := 0
	for _, next := range s.fresh {
		if s.meet(next) {
			kernel.Prefetch(floatBytes(store.vector(next)))
			s.fresh[count] = next
			count++
		}
	}
	var nodes [kernel.BlockVectors]uint32
	var distances [kernel.BlockVectors]float32
	for fresh := s.fresh[:count]; len(fresh) > 0; {
		n := copy(nodes[:], fresh)
		for i, next := range nodes[:n] {
			distances[i] = s.index.distance(s.query, store.vector(next))
		}
		s.candidates.Add(&nodes, &distances, uint32(1<<n-1), nil)
		fresh = fresh[n:]
	}
}

// admitted counts the candidates that may be returned.
func (s *hnswSearch) admitted(f *Filter) (count int) {
	for i := 0; ; i++ {
		node, _, ok := s.candidates.At(i)
		if !ok {
			return count
		}
		if f.Has(int(node)) && !s.index.store.deleted(node) {
			count++
		}
	}
}

// scan compares all of the first n rows that a filter admits.
func (s *hnswSearch) scan(n int, f *Filter) {
	s.candidates.Reset(1)
	show := func(row int) {
		node := uint32(row)
		if !s.index.store.deleted(node) {
			s.scanned = append(s.scanned, near{s.index.distance(s.query, s.index.store.vector(node)), node})
		}
	}
	if f == nil {
		for row := range n {
			show(row)
		}
	} else {
		for row := range f.rows(n) {
			show(row)
		}
	}
	s.stats.Visited += len(s.scanned)
	s.stats.Scored += len(s.scanned)
}

// best returns the k best rows of candidates or scan.
func (s *hnswSearch) best(k int, f *Filter) []Hit {
	best := newTopK(k)
	if s.stats.Strategy == StrategyScan {
		for _, x := range s.scanned {
			best.add(int(x.node), s.score(x.distance))
		}
		return best.sorted()
	}
	for i := 0; ; i++ {
		node, distance, ok := s.candidates.At(i)
		if !ok {
			return best.sorted()
		}
		if f.Has(int(node)) && !s.index.store.deleted(node) {
			best.add(int(node), s.score(distance))
		}
	}
}

// score turns a distance into a score: both L2 and L1 are negated, and so is the
// negated product.
func (s *hnswSearch) score(distance float32) float32 { return -distance }
