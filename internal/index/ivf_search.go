package index

import (
	"math/bits"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// ivfSearch is the state of one search, kept for the next.
type ivfSearch struct {
	index      *IVF
	query      []float32
	probe      probe
	tables     []byte // of product codes
	terms      kernel.ScanTerms
	scorer     quant.Scorer
	scores     []float32
	candidates kernel.Candidates // rows
	estimates  [kernel.BlockVectors]float32
	rows       [kernel.BlockVectors]uint32
	found      int // rows offered to the candidates
	stats      Stats
}

// defaultRescore is how many candidates a hit are compared exactly.
const defaultRescore = 10

// Search returns k near rows; see [Index]. It scans NProbe lists, and goes on while
// fewer than k rows were found.
func (x *IVF) Search(query []float32, k int, p Params) ([]Hit, Stats) {
	checkQuery(query, x.dimensions)
	matches := p.Filter.matches(x.Len())
	k = min(k, matches)
	if k <= 0 {
		return nil, Stats{Strategy: StrategyLists}
	}
	if x.slab != nil && (p.Exact || matches <= k*defaultRescore) {
		return NewFlat(x.metric, x.dimensions, x.slab).Search(query, k, p)
	}
	s := x.borrow()
	defer x.pool.Put(s)
	s.aim(query, x.width(k, p))
	s.scan(k, p)
	return s.finish(query, k, p), s.stats
}

// borrow returns a search; put it back into the pool.
func (x *IVF) borrow() *ivfSearch {
	if s, ok := x.pool.Get().(*ivfSearch); ok {
		return s
	}
	return &ivfSearch{index: x}
}

// finish returns the k best of the candidates.
func (s *ivfSearch) finish(query []float32, k int, p Params) []Hit {
	hits := s.hits(k)
	if s.index.slab != nil && p.Rescore >= 0 {
		hits = s.index.rescore(query, hits, k)
	}
	return hits[:min(k, len(hits))]
}

// Range returns rows with a score of at least threshold; see [Index].
func (x *IVF) Range(query []float32, threshold float32, p Params) ([]Hit, Stats) {
	return rangeBySearches(x, query, threshold, p)
}

// width returns how many candidates to keep.
func (x *IVF) width(k int, p Params) int {
	switch {
	case x.slab == nil || p.Rescore < 0:
		return k
	case p.Rescore > 0:
		return max(k, int(float64(k)*float64(p.Rescore)))
	}
	return k * defaultRescore
}

// aim prepares a query.
func (s *ivfSearch) aim(query []float32, width int) {
	x := s.index
	s.query = append(s.query[:0], query...)
	if x.metric == Cosine {
		normaliseVector(s.query)
	}
	s.probe.aim(x.coarse, s.query)
	s.candidates.Reset(width)
	s.found, s.stats = 0, Stats{Strategy: StrategyLists}
	by := quant.ByDot
	if x.metric == L2 {
		by = quant.ByL2
	}
	switch {
	case x.codec == nil:
		s.tables, s.terms = s.probe.tables, s.probe.terms
	case x.layout.blocked:
		size := x.layout.groups * kernel.TableSize
		s.tables = slices.Grow(s.tables[:0], size)[:size]
		s.terms = kernel.ScanTerms{}
		s.terms.Step, s.terms.Low = x.codec.(*quant.Product).ByteTables(s.query, by, s.tables)
	default:
		s.scorer = x.codec.Scorer(s.query, by)
	}
}

// scan scans lists, nearest first, until there are enough.
func (s *ivfSearch) scan(k int, p Params) {
	x := s.index
	count := p.nprobe()
	if p.Exact {
		count = x.Lists()
	}
	lists := s.probe.nearest(x.coarse, count)
	for _, list := range lists {
		s.scanList(list, p.Filter)
	}
	if s.found < k && len(lists) < x.Lists() {
		s.scanRest(k, slices.Clone(lists), p.Filter)
	}
}

// scanRest scans the lists that were not scanned, nearest first, until there are enough.
func (s *ivfSearch) scanRest(k int, lists []near, f *Filter) {
	x := s.index
	done := make(map[uint32]bool, len(lists))
	for _, list := range lists {
		done[list.node] = true
	}
	for _, list := range s.probe.nearest(x.coarse, x.Lists()) {
		if s.found >= k {
			return
		}
		if !done[list.node] {
			s.scanList(list, f)
		}
	}
}

func (s *ivfSearch) scanList(list near, f *Filter) {
	codes, rows := s.index.list(int(list.node))
	s.stats.Scored += len(rows)
	if !s.index.layout.blocked {
		s.scanCodes(codes, rows, f)
		return
	}
	size := s.index.layout.size
	if s.index.codec == nil {
		s.terms.Base = list.distance
	}
	for b := range blocks(len(rows)) {
		s.terms.Limit = s.candidates.Limit()
		members := rows[b*kernel.BlockVectors : min((b+1)*kernel.BlockVectors, len(rows))]
		below := kernel.ScanBlock(codes[b*size:(b+1)*size], s.tables, &s.terms, &s.estimates, size)
		s.offer(below, members, f)
	}
}

// offer shows candidates those of up to 32 rows that a filter admits.
func (s *ivfSearch) offer(below uint32, members []uint32, f *Filter) {
	if below == 0 {
		return
	}
	copy(s.rows[:], members)
	if f != nil {
		for rest := below; rest != 0; rest &= rest - 1 {
			if i := bits.TrailingZeros32(rest); !f.Has(int(s.rows[i])) {
				below &^= 1 << i
			}
		}
	}
	s.found += bits.OnesCount32(below)
	s.candidates.Add(&s.rows, &s.estimates, below, nil)
}

// scanCodes scores codes that lie one after another.
func (s *ivfSearch) scanCodes(codes []byte, rows []uint32, f *Filter) {
	size := s.index.layout.size
	s.scores = slices.Grow(s.scores[:0], kernel.BlockVectors)[:kernel.BlockVectors]
	for at := 0; at < len(rows); at += kernel.BlockVectors {
		members := rows[at:min(at+kernel.BlockVectors, len(rows))]
		s.scorer.Score(codes[at*size:(at+len(members))*size], s.scores[:len(members)])
		for i := range members {
			s.estimates[i] = -s.scores[i]
		}
		below := uint32(uint64(1)<<len(members) - 1)
		s.offer(below, members, f)
	}
}

// hits returns the candidates with estimated scores.
func (s *ivfSearch) hits(k int) []Hit {
	x := s.index
	square := x.coarse.space.scale * x.coarse.space.scale
	var hits []Hit
	for i := 0; ; i++ {
		row, distance, ok := s.candidates.At(i)
		if !ok {
			break
		}
		hits = append(hits, Hit{int(row), s.score(distance, square)})
	}
	s.stats.Visited = len(hits)
	return hits
}

// score turns an estimate into a score. Sign codes estimate squared distances in the coarse space, or
// negated products there with vectors around its centre; other codecs negated similarities.
func (s *ivfSearch) score(distance, square float32) float32 {
	x := s.index
	switch {
	case x.codec != nil:
		return -distance
	case x.metric == L2:
		return -distance / square
	case x.metric == Cosine:
		return 1 - distance/square/2
	}
	return kernel.Dot(s.query, x.coarse.space.centre) - distance/square
}

// rescore compares hits with the vectors and keeps the k best.
func (x *IVF) rescore(query []float32, hits []Hit, k int) []Hit {
	d := x.dimensions
	const ahead = 8
	for i := range min(ahead, len(hits)) {
		kernel.Prefetch(floatBytes(x.slab[hits[i].Row*d : (hits[i].Row+1)*d]))
	}
	scale := float32(1)
	if x.metric == Cosine {
		scale = inverseNorm(query)
	}
	best := newTopK(k)
	for i, h := range hits {
		if i+ahead < len(hits) {
			row := hits[i+ahead].Row
			kernel.Prefetch(floatBytes(x.slab[row*d : (row+1)*d]))
		}
		v := x.slab[h.Row*d : (h.Row+1)*d]
		var score float32
		switch x.metric {
		case L2:
			score = -kernel.L2(query, v)
		case Dot:
			score = kernel.Dot(query, v)
		default:
			score = kernel.Dot(query, v) * scale * inverseNorm(v)
		}
		if score >= best.threshold || score != score {
			best.add(h.Row, score)
		}
	}
	return best.sorted()
}
