package index

import (
	"container/heap"
	"slices"
)

// Search returns k near rows; see [Index]. NProbe buckets of every table are
// looked into; if fewer than k admitted rows lie there, all are compared.
func (x *LSH) Search(query []float32, k int, p Params) ([]Hit, Stats) {
	checkQuery(query, x.dimensions)
	flat := NewFlat(x.metric, x.dimensions, x.slab)
	k = min(k, p.Filter.matches(x.Len()))
	if k <= 0 {
		return nil, Stats{Strategy: StrategyLists}
	}
	if p.Exact {
		return flat.Search(query, k, p)
	}
	rows := x.candidates(query, p)
	if len(rows) < k {
		return flat.Search(query, k, p)
	}
	best := newTopK(k)
	for _, row := range rows {
		best.add(int(row), x.metric.Compare(query, x.slab[int(row)*x.dimensions:(int(row)+1)*x.dimensions]))
	}
	return best.sorted(), Stats{StrategyLists, len(rows), len(rows)}
}

// Range returns rows with a score of at least threshold; see [Index].
func (x *LSH) Range(query []float32, threshold float32, p Params) ([]Hit, Stats) {
	return rangeBySearches(x, query, threshold, p)
}

// candidates returns the admitted rows of the buckets probed, each once.
func (x *LSH) candidates(query []float32, p Params) []uint32 {
	seen := make([]uint64, (x.Len()+63)/64)
	var rows []uint32
	for i := range x.tables {
		t := &x.tables[i]
		for _, key := range t.probes(x.width, query, p.nprobe()) {
			for _, row := range t.bucket(key) {
				if word, bit := &seen[row>>6], uint64(1)<<(row&63); *word&bit == 0 && p.Filter.Has(int(row)) {
					*word |= bit
					rows = append(rows, row)
				}
			}
		}
	}
	return rows
}

// step is a change of one number of a hash to the neighbouring cell, and what it costs: the
// square of the distance to the border.
type step struct {
	number int
	by     int32
	cost   float32
}

// probes returns the keys of the query's bucket and those nearest to it.
func (t *lshTable) probes(width float32, query []float32, count int) []uint64 {
	h := lshHash{cells: make([]int32, len(t.offsets)), within: make([]float32, len(t.offsets))}
	h.hash(t, width, query)
	keys := append(make([]uint64, 0, count), h.key())
	steps := h.steps(width)
	sets := stepSets{steps: steps}
	if len(steps) > 0 {
		sets.push([]int{0})
	}
	for len(keys) < count && len(sets.sets) > 0 {
		set := heap.Pop(&sets).(stepSet)
		// The next sets in order of cost are among those where the last step is replaced by,
		// or joined by, the one after it.
		if last := set.steps[len(set.steps)-1]; last+1 < len(steps) {
			sets.push(append(slices.Clone(set.steps[:len(set.steps)-1]), last+1))
			sets.push(append(slices.Clone(set.steps), last+1))
		}
		if key, ok := h.keyAfter(steps, set.steps); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// steps lists the possible steps, cheapest first.
func (h *lshHash) steps(width float32) (steps []step) {
	for i, w := range h.within {
		if width == 0 {
			steps = append(steps, step{i, 1 - 2*h.cells[i], w * w})
			continue
		}
		steps = append(steps, step{i, -1, w * w}, step{i, 1, (1 - w) * (1 - w)})
	}
	slices.SortFunc(steps, func(a, b step) int {
		switch {
		case a.cost < b.cost:
			return -1
		case a.cost > b.cost:
			return 1
		}
		return a.number - b.number
	})
	return steps
}

// keyAfter returns the key after some steps, unless two concern the same number.
func (h *lshHash) keyAfter(steps []step, set []int) (key uint64, ok bool) {
	ok = true
	for i, s := range set {
		for _, other := range set[:i] {
			ok = ok && steps[other].number != steps[s].number
		}
		h.cells[steps[s].number] += steps[s].by
	}
	key = h.key()
	for _, s := range set {
		h.cells[steps[s].number] -= steps[s].by
	}
	return key, ok
}

// stepSets is a heap of sets of steps by cost.
type stepSets struct {
	steps []step
	sets  []stepSet
}

type stepSet struct {
	steps []int
	cost  float32
}

func (s *stepSets) push(set []int) {
	cost := float32(0)
	for _, i := range set {
		cost += s.steps[i].cost
	}
	heap.Push(s, stepSet{set, cost})
}

// Len implements heap.Interface.
func (s *stepSets) Len() int { return len(s.sets) }

// Less implements heap.Interface.
func (s *stepSets) Less(i, j int) bool { return s.sets[i].cost < s.sets[j].cost }

// Swap implements heap.Interface.
func (s *stepSets) Swap(i, j int) { s.sets[i], s.sets[j] = s.sets[j], s.sets[i] }

// Push implements heap.Interface.
func (s *stepSets) Push(x any) { s.sets = append(s.sets, x.(stepSet)) }

// Pop implements heap.Interface.
func (s *stepSets) Pop() any {
	last := s.sets[len(s.sets)-1]
	s.sets = s.sets[:len(s.sets)-1]
	return last
}
