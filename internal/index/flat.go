// Package index finds the vectors nearest to a query.
//
// Flat is the exact search: it computes the inner product with every vector,
// which for vectors of norm 1 is the cosine. It reads each vector once, so its
// speed is that of memory: about 10 GB a second and core, which is six million
// numbers in 2.5 ms. Approximate indexes over it come with package vector.
//
// An index reads its slab of vectors in place and never changes it; the slab
// may be mapped memory. All methods are safe for concurrent use. Results do
// not depend on the number of processors: equal scores are ordered by row.
package index

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Hit is a row of the slab and its inner product with the query.
type Hit struct {
	Row   int
	Score float32
}

// compareHits puts the higher score first, and of equal ones the earlier row.
func compareHits(a, b Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Row, b.Row))
}

// Flat is an exact index over vectors that lie one after another.
type Flat struct {
	dimensions int
	slab       []float32
}

// NewFlat returns an index of the vectors in slab. It panics if slab is not a
// whole number of vectors.
func NewFlat(dimensions int, slab []float32) *Flat {
	if dimensions <= 0 || len(slab)%dimensions != 0 {
		panic(fmt.Sprintf("index: NewFlat: %d numbers are not vectors of %d dimensions", len(slab), dimensions))
	}
	return &Flat{dimensions, slab}
}

// Len returns the number of vectors.
func (f *Flat) Len() int { return len(f.slab) / f.dimensions }

// Dimensions returns the length of a vector.
func (f *Flat) Dimensions() int { return f.dimensions }

// Vector returns a row of the slab, which must not be changed.
func (f *Flat) Vector(row int) []float32 {
	return f.slab[row*f.dimensions : (row+1)*f.dimensions : (row+1)*f.dimensions]
}

const (
	tileRows = 256     // rows scored by one kernel call
	partSize = 1 << 20 // numbers below which a second goroutine is not worth starting
)

// Search returns the k rows with the highest inner products, best first. A
// product that is no number comes last. It panics if the query has another
// number of dimensions.
func (f *Flat) Search(query []float32, k int) []Hit {
	f.checkQuery(query)
	k = min(k, f.Len())
	if k <= 0 {
		return nil
	}
	parts := min(runtime.GOMAXPROCS(0), 1+len(f.slab)/partSize)
	found := make([][]Hit, parts)
	var wait sync.WaitGroup
	for part := range parts {
		from, to := f.Len()*part/parts, f.Len()*(part+1)/parts
		if part == parts-1 {
			found[part] = f.scan(query, from, to, k)
			break
		}
		wait.Go(func() { found[part] = f.scan(query, from, to, k) })
	}
	wait.Wait()
	best := slices.Concat(found...)
	slices.SortFunc(best, compareHits)
	return best[:k]
}

// Scores returns the inner products of the given rows.
func (f *Flat) Scores(query []float32, rows []int) []float32 {
	f.checkQuery(query)
	scores := make([]float32, len(rows))
	for i, row := range rows {
		scores[i] = numberOrLast(kernel.Dot(query, f.Vector(row)))
	}
	return scores
}

func (f *Flat) checkQuery(query []float32) {
	if len(query) != f.dimensions {
		panic(fmt.Sprintf("index: a query of %d dimensions, and the vectors have %d", len(query), f.dimensions))
	}
}

// scan returns the k best of the rows from (inclusive) to (exclusive).
func (f *Flat) scan(query []float32, from, to, k int) []Hit {
	var scores [tileRows]float32
	best := make([]Hit, 0, min(k, to-from)+1)
	for start := from; start < to; start += tileRows {
		n := min(tileRows, to-start)
		kernel.DotRows(query, f.slab[start*f.dimensions:(start+n)*f.dimensions], scores[:n])
		for i, score := range scores[:n] {
			score = numberOrLast(score)
			// Rows come in order, so an equal score does not enter.
			if len(best) == k && score <= best[k-1].Score {
				continue
			}
			best = insert(best, Hit{start + i, score}, k)
		}
	}
	return best
}

// insert puts a hit in its place among the best k.
func insert(best []Hit, hit Hit, k int) []Hit {
	at, _ := slices.BinarySearchFunc(best, hit, compareHits)
	best = slices.Insert(best, at, hit)
	return best[:min(k, len(best))]
}

func numberOrLast(score float32) float32 {
	if score != score {
		return float32(math.Inf(-1))
	}
	return score
}
