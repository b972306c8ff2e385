// Package index finds the vectors nearest to a query, exactly or nearly so.
//
// # Terms
//
// A slab is vectors one after another; a row is a vector's place in it, from
// 0. Rows are all that an index knows: ids, payloads and deletions over
// immutable data are the business of package vector, which hides deleted rows
// with a filter. A hit is a row and its score. Recall is the share of the true
// k nearest that a search returns.
//
// # Indexes
//
//   - [Flat] compares the query with every vector, under any metric; [Codes]
//     does so on quantised vectors (internal/quant), [Binary] on bits.
//   - [Graph] is for vectors that no longer change: a graph whose rows hold a
//     vector and its neighbours' one-bit codes. It is the fastest here.
//   - [HNSW] takes vectors one at a time and forgets them again.
//   - [IVF] groups vectors around centroids and scans the nearest groups.
//   - [LSH] hashes vectors and looks into the buckets near the query's.
//
// # Scores
//
// A higher score is better under every metric: see [Metric]. Equal scores are
// ordered by row, and a score that is no number comes last.
//
// # Promises
//
// A search returns min(k, matches) hits, whatever the filter and the data; an
// approximate one may miss better ones. Exact results do not depend on the
// number of processors, and an index built from the same vectors with the same
// options is the same, bytes included. Searches are safe for concurrent use; what HNSW promises
// besides is said there. An index reads its slab in place and never changes it; the slab
// may be mapped memory.
//
// NaN and infinity are refused where an index is built or grows, with an error
// that names the row. A query is checked by the caller ([CheckFinite]): a
// search with such a query returns hits in no useful order.
package index

import (
	"fmt"
	"math"
)

// Hit is a row and its score: higher is better, see [Metric].
type Hit struct {
	Row   int
	Score float32
}

// before puts the higher score first, and of equal ones the earlier row.
func (h Hit) before(other Hit) bool {
	return h.Score > other.Score || h.Score == other.Score && h.Row < other.Row
}

func compareHits(a, b Hit) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// Index is what searches have in common.
type Index interface {
	// Len returns the number of rows, deleted ones included.
	Len() int
	// Dimensions returns the length of a vector.
	Dimensions() int
	// Metric returns how vectors are compared.
	Metric() Metric
	// Search returns the k best rows, best first: min(k, matches) of them. It
	// panics if the query has another number of dimensions.
	Search(query []float32, k int, p Params) ([]Hit, Stats)
	// Range returns the rows with a score of at least threshold, best first.
	// Approximate indexes may miss some, never add any beyond what their
	// scores' precision allows.
	Range(query []float32, threshold float32, p Params) ([]Hit, Stats)
	// Bytes returns the memory or mapped file that the index occupies, without
	// the slab.
	Bytes() int64
}

// Params are the choices of one search. The zero value searches everything
// with the index's defaults.
type Params struct {
	// EF is the number of candidates that a Graph or HNSW keeps: more finds
	// more and takes longer. 0 means 64; it is raised to k.
	EF int
	// NProbe is the number of lists that an IVF scans, or of buckets an LSH
	// looks into per table. 0 means 8.
	NProbe int
	// Rescore is how many candidates, as a multiple of k, are compared again
	// with the vectors themselves, where the index searches codes and has been
	// given a slab. 0 means the index's default; below 0 none are, and scores
	// are estimates.
	Rescore float32
	// Filter admits rows. Nil admits all.
	Filter *Filter
	// Exact asks for the true nearest: every admitted row is compared.
	Exact bool
}

const (
	defaultEF     = 64
	defaultNProbe = 8
)

func (p Params) ef(k int) int {
	if p.EF > 0 {
		return max(p.EF, k)
	}
	return max(defaultEF, k)
}

func (p Params) nprobe() int {
	if p.NProbe > 0 {
		return p.NProbe
	}
	return defaultNProbe
}

// Strategy says how a search went about its work.
type Strategy string

const (
	// StrategyScan compared every admitted row.
	StrategyScan Strategy = "scan"
	// StrategyGraph walked a graph.
	StrategyGraph Strategy = "graph"
	// StrategyFilteredGraph walked a graph under a filter, looking past rows
	// that it does not admit.
	StrategyFilteredGraph Strategy = "filtered graph"
	// StrategyCodes estimated every admitted row by its code and compared the best.
	StrategyCodes Strategy = "codes"
	// StrategyLists scanned the lists or buckets nearest to the query.
	StrategyLists Strategy = "lists"
)

// Stats says what a search did.
type Stats struct {
	Strategy Strategy
	Visited  int // rows whose vector or full code was compared
	Scored   int // rows whose score was at least estimated
}

// CheckFinite returns an error that names the first number of x that is NaN or
// infinite, nil if there is none.
func CheckFinite(x []float32) error {
	for i, v := range x {
		if v-v != 0 {
			return fmt.Errorf("number %d is %v: vectors hold finite numbers only", i, v)
		}
	}
	return nil
}

// checkSlab checks the shape and the numbers of what an index is built from.
func checkSlab(dimensions int, slab []float32) error {
	if dimensions <= 0 || len(slab)%dimensions != 0 {
		return fmt.Errorf("%d numbers are not vectors of %d dimensions", len(slab), dimensions)
	}
	if len(slab)/dimensions > math.MaxInt32 {
		return fmt.Errorf("%d vectors; an index holds at most %d", len(slab)/dimensions, math.MaxInt32)
	}
	for row := 0; row*dimensions < len(slab); row++ {
		if err := CheckFinite(slab[row*dimensions : (row+1)*dimensions]); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
	}
	return nil
}

func checkQuery(query []float32, dimensions int) {
	if len(query) != dimensions {
		panic(fmt.Sprintf("index: a query of %d dimensions, and the vectors have %d", len(query), dimensions))
	}
}
