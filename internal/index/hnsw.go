package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/kernel"
)

// HNSW is an approximate index that takes vectors one at a time and forgets them
// again: Malkov and Yashunin 2018, "Efficient and robust approximate nearest
// neighbor search using hierarchical navigable small world graphs". A node lies on
// level 0 and, with falling probability, on higher ones; a search descends from
// the top and walks level 0 with EF candidates. Links are chosen by their algorithm
// 4, without extending candidates or keeping pruned ones.
//
// A deleted row stays in the graph as a way to others and is not found any more;
// its memory comes back when the index is built anew without it.
//
// One goroutine may Add or Delete while any number search: they do not wait for
// each other. Calls of Add and Delete take turns. A search finds every row whose Add returned
// before it began, as far as any is found.
type HNSW struct {
	metric     Metric
	dimensions int
	options    HNSWOptions

	writing sync.Mutex  // held by Add and Delete; guards what follows up to store
	random  *rand.Rand  // draws levels
	builder *hnswSearch // the writer's
	kept    []near      // scratch of the writer

	store   nodeStore
	deleted atomic.Int64  // rows
	entry   atomic.Uint64 // node and its level + 1, the highest; 0 without nodes
	pool    sync.Pool     // of *hnswSearch
}

// HNSWOptions steer an HNSW index. The zero value is good for most data.
type HNSWOptions struct {
	// M is the number of links of a node on each level, twice that on level 0. 0
	// means 16.
	M int
	// EFConstruction is the number of candidates kept while links are chosen; 0
	// means 200.
	EFConstruction int
	// Seed draws the levels.
	Seed uint64
}

const (
	maxM     = 512
	maxLevel = 24
)

// NewHNSW returns an index without vectors. It panics if the metric is binary, or M
// is not between 2 and 512.
func NewHNSW(metric Metric, dimensions int, options HNSWOptions) *HNSW {
	if options.M == 0 {
		options.M = 16
	}
	if options.EFConstruction == 0 {
		options.EFConstruction = 200
	}
	if metric > L1 || dimensions < 1 || options.M < 2 || options.M > maxM || options.EFConstruction < 1 {
		panic(fmt.Sprintf("index: NewHNSW: metric %v, %d dimensions, %+v", metric, dimensions, options))
	}
	h := &HNSW{metric: metric, dimensions: dimensions, options: options, random: rand.New(rand.NewPCG(options.Seed, 4))}
	h.store.shape(dimensions, options.M)
	h.builder = h.newSearch()
	return h
}

// Len returns the number of rows, deleted ones included.
func (h *HNSW) Len() int { return h.store.len() }

// Live returns the number of rows that are not deleted.
func (h *HNSW) Live() int { return h.Len() - int(h.deleted.Load()) }

// Dimensions returns the length of a vector.
func (h *HNSW) Dimensions() int { return h.dimensions }

// Metric returns how vectors are compared.
func (h *HNSW) Metric() Metric { return h.metric }

// Bytes returns the memory of vectors and links.
func (h *HNSW) Bytes() int64 { return h.store.bytes.Load() }

// Vector returns a row's vector, which must not be changed; under Cosine it is of
// norm 1, or zero.
func (h *HNSW) Vector(row int) []float32 { return h.store.vector(uint32(row)) }

// Deleted reports whether a row was deleted.
func (h *HNSW) Deleted(row int) bool { return h.store.deleted(uint32(row)) }

// Add takes a copy of a vector in and returns its row: the number of rows before.
// It fails if the vector has other dimensions or a number that is not finite.
func (h *HNSW) Add(vector []float32) (row int, err error) {
	if len(vector) != h.dimensions {
		return 0, fmt.Errorf("add to an index: a vector of %d dimensions; want %d", len(vector), h.dimensions)
	}
	if err := CheckFinite(vector); err != nil {
		return 0, fmt.Errorf("add to an index: %w", err)
	}
	h.writing.Lock()
	defer h.writing.Unlock()
	if h.Len() == math.MaxInt32 {
		return 0, fmt.Errorf("add to an index: it is full, with %d rows", h.Len())
	}
	level := min(maxLevel, int(-math.Log(1-h.random.Float64())/math.Log(float64(h.options.M))))
	node := h.store.grow(level)
	copy(h.store.vector(node), vector)
	h.normalise(h.store.vector(node))
	h.insert(node, level)
	return int(node), nil
}

// Delete makes a row not be found any more and reports whether it was there.
func (h *HNSW) Delete(row int) bool {
	h.writing.Lock()
	defer h.writing.Unlock()
	if row < 0 || row >= h.Len() || !h.store.markDeleted(uint32(row)) {
		return false
	}
	h.deleted.Add(1)
	return true
}

func (h *HNSW) normalise(v []float32) {
	if h.metric != Cosine {
		return
	}
	length := norm(v)
	if length < negligible {
		clear(v)
		return
	}
	scaleBy(v, float32(1/length))
}

// distance compares two vectors as the graph does: less is nearer.
func (h *HNSW) distance(a, b []float32) float32 {
	switch h.metric {
	case L2:
		return kernel.L2(a, b)
	case L1:
		return kernel.L1(a, b)
	}
	return -kernel.Dot(a, b)
}

// Search returns k near rows that are not deleted; see [Index]. The more rows are
// deleted or not admitted, the wider it walks; where they are nearly all, it compares
// what is left.
func (h *HNSW) Search(query []float32, k int, p Params) ([]Hit, Stats) {
	checkQuery(query, h.dimensions)
	n := h.Len()
	k = min(k, p.Filter.matches(n))
	if k <= 0 || n == 0 {
		return nil, Stats{Strategy: StrategyGraph}
	}
	s := h.borrow(n)
	defer h.pool.Put(s)
	s.query = append(s.query[:0], query...)
	h.normalise(s.query)
	s.find(k, n, p)
	return s.best(k, p.Filter), s.stats
}

// Range returns rows with a score of at least threshold; see [Index].
func (h *HNSW) Range(query []float32, threshold float32, p Params) ([]Hit, Stats) {
	return rangeBySearches(h, query, threshold, p)
}

// rangeBySearches looks for ever more rows until one scores below the threshold.
func rangeBySearches(x Index, query []float32, threshold float32, p Params) ([]Hit, Stats) {
	matches := p.Filter.matches(x.Len())
	for k := 4 * defaultEF; ; k *= 4 {
		if k > matches/8 {
			k, p.Exact = matches, true
		}
		hits, stats := x.Search(query, k, p)
		end := slices.IndexFunc(hits, func(h Hit) bool { return !(h.Score >= threshold) })
		if end >= 0 {
			return hits[:end], stats
		}
		if p.Exact || len(hits) < k {
			return hits, stats
		}
	}
}
