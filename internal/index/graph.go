package index

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Graph is an approximate index of vectors that no longer change: a graph with
// links to near vectors, in which a search walks from node to node towards the
// query. It follows SymphonyQG (Gou, Gao, Xu and Long, "SymphonyQG: towards
// symphonious integration of quantization and graph", SIGMOD 2025): a node's row
// holds its vector and, for every link, the signs of the rotated difference to
// the neighbour. Reading one row from end to end gives the node's distance and
// estimates of all its neighbours'.
//
// What differs from the paper: vectors are kept in half precision; the search
// reads a row only after it has asked for the next ones (see lag); the metrics
// besides L2 (see space); filters; and nodes that no link leads to become
// entries, so that separate clusters are found. Rows with equal vectors share a node.
//
// A graph's memory is outside the Go heap unless it was opened from a file's
// bytes: Close returns it.
type Graph struct {
	space   *space
	layout  layout
	nodes   int     // distinct vectors
	members members // rows of nodes
	rows    []byte  // a row a node
	sweep   []byte  // blocks of 32 nodes in order, as seen from the centre
	entries []byte  // blocks of nodes where a search may begin, likewise
	lean    *lean   // not nil: instead of vectors in rows, and of sweep
	codes   nodeCodes
	slab    []float32
	memory  *kernel.Slab // nil if rows are someone else's
	pool    sync.Pool    // of *graphSearch
}

// layout is where things are in a row: the vector in half precision; then for
// every 32 links a block of their codes, their factors and their nodes. A block
// of the sweep has no nodes.
type layout struct {
	padded int  // dimensions
	degree int  // links, a multiple of 32
	coded  int  // the first so many dimensions are in codes, a multiple of 32; 0 is all of them
	bare   bool // rows have no vector
}

const (
	factorsSize = 4 * kernel.BlockVectors // two halves a link
	nodesSize   = 4 * kernel.BlockVectors
)

// signs returns how many dimensions have a sign in codes.
func (l layout) signs() int {
	if l.coded > 0 {
		return l.coded
	}
	return l.padded
}

func (l layout) vectorSize() int {
	if l.bare {
		return 0
	}
	return 2 * l.padded
}

func (l layout) codesSize() int { return 4 * l.signs() }
func (l layout) sweepSize() int { return l.codesSize() + factorsSize }
func (l layout) blockSize() int { return l.sweepSize() + nodesSize }
func (l layout) rowSize() int {
	return l.vectorSize() + l.degree/kernel.BlockVectors*l.blockSize()
}

// blocks returns how many blocks hold n nodes.
func blocks(n int) int { return (n + kernel.BlockVectors - 1) / kernel.BlockVectors }

// Len returns the number of vectors.
func (g *Graph) Len() int {
	if g.members.starts != nil {
		return len(g.members.rows)
	}
	return g.nodes
}

// Dimensions returns the length of a vector.
func (g *Graph) Dimensions() int { return g.space.dimensions }

// Metric returns how vectors are compared.
func (g *Graph) Metric() Metric { return g.space.metric }

// Bytes returns the size of the graph, without an attached slab.
func (g *Graph) Bytes() int64 {
	size := int64(len(g.rows)+len(g.sweep)+len(g.entries)+8*len(g.codes.words)) + 4*int64(len(g.members.starts)+2*len(g.members.rows))
	if g.lean != nil {
		size += g.lean.bytes()
	}
	return size
}

// Attach gives the graph the vectors it was built from. Hits are then scored
// with them: without, scores carry the rounding to half precision, about a
// thousandth of the distance. It panics if the shape differs. Call it before the
// first search.
func (g *Graph) Attach(slab []float32) {
	if len(slab) != g.Len()*g.space.dimensions {
		panic(fmt.Sprintf("index: Graph.Attach: %d numbers are not %d vectors of %d dimensions", len(slab), g.Len(), g.space.dimensions))
	}
	g.slab = slab
}

// Close frees the graph's memory; no search may run or follow. Closing twice is
// fine.
func (g *Graph) Close() {
	if g.memory != nil {
		g.memory.Free()
		g.memory = nil
	}
	g.rows, g.sweep, g.entries, g.codes, g.lean, g.nodes, g.members = nil, nil, nil, nodeCodes{}, nil, 0, members{}
}

func (g *Graph) row(node uint32) []byte {
	size := g.layout.rowSize()
	return g.rows[int(node)*size : (int(node)+1)*size]
}

// halves views bytes, aligned to two, as half-precision numbers.
func halves(b []byte) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/2)
}

// blockNodes views the nodes at the end of a block.
func blockNodes(block []byte) *[kernel.BlockVectors]uint32 {
	return (*[kernel.BlockVectors]uint32)(unsafe.Pointer(&block[len(block)-nodesSize]))
}

// Search returns k near rows; see [Index]. A filter that admits few is answered
// by a sweep over the codes of what it admits, any other by a walk that is the
// wider the less it admits.
func (g *Graph) Search(query []float32, k int, p Params) ([]Hit, Stats) {
	checkQuery(query, g.space.dimensions)
	k = min(k, p.Filter.matches(g.Len()))
	if k <= 0 {
		return nil, Stats{Strategy: StrategyGraph}
	}
	if g.admitsFew(k, p) {
		return g.compareAdmitted(query, k, p.Filter)
	}
	if g.lean != nil && g.slab != nil && p.Exact {
		return NewFlat(g.space.metric, g.space.dimensions, g.slab).Search(query, k, p)
	}
	s := g.borrow(query)
	defer g.pool.Put(s)
	s.find(k, p)
	if g.slab != nil && g.lean == nil && s.blurred(k, p.Filter) {
		s.widen(k, p)
	}
	switch {
	case g.slab == nil || p.Rescore < 0:
		return s.best(k, p.Filter), s.stats
	case g.lean != nil:
		return g.rescore(query, s.nearLean(k, p), k), s.stats
	}
	return g.rescore(query, s.nearBest(k, p.Filter), k), s.stats
}

// Range returns rows with a score of at least threshold; see [Index].
func (g *Graph) Range(query []float32, threshold float32, p Params) ([]Hit, Stats) {
	return rangeBySearches(g, query, threshold, p)
}

// rescoreAhead is how many bytes of a vector are asked for ahead: the processor goes on by itself.
const rescoreAhead = 1024

// rescore scores hits with the vectors of the slab and keeps the k best.
func (g *Graph) rescore(query []float32, hits []Hit, k int) []Hit {
	d := g.space.dimensions
	for _, h := range hits {
		v := floatBytes(g.slab[h.Row*d : (h.Row+1)*d])
		kernel.Prefetch(v[:min(len(v), rescoreAhead)])
	}
	var rows [kernel.BlockVectors]uint32
	var scores [kernel.BlockVectors]float32
	for left := hits; len(left) > 0; {
		some := left[:min(len(left), len(rows))]
		for i, h := range some {
			rows[i] = uint32(h.Row)
		}
		g.space.metric.compareRows(query, g.slab, rows[:len(some)], scores[:])
		for i := range some {
			some[i].Score = numberOrLast(scores[i])
		}
		left = left[len(some):]
	}
	slices.SortFunc(hits, compareHits)
	return hits[:min(k, len(hits))]
}

func floatBytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// threads returns how many goroutines an option means.
func threads(option int) int {
	if option > 0 {
		return option
	}
	return runtime.GOMAXPROCS(0)
}
