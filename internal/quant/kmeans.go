package quant

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/kernel"
)

// KMeans returns k centroids of a slab of vectors, one after another: Lloyd's
// algorithm from k vectors drawn at random, a number of rounds. A centroid that
// loses all its vectors takes half of the largest group. With fewer vectors than k
// the rest of the centroids are vectors again. The result does not depend on threads.
func KMeans(dimensions int, slab []float32, k, rounds int, seed uint64, threads int) []float32 {
	n := len(slab) / dimensions
	centroids := make([]float32, k*dimensions)
	if n == 0 {
		return centroids
	}
	random := rand.New(rand.NewPCG(seed, 5))
	order := random.Perm(n)
	for c := range k {
		row := order[c%n]
		copy(centroids[c*dimensions:], slab[row*dimensions:(row+1)*dimensions])
	}
	if n <= k {
		return centroids
	}
	nearest := make([]uint32, n)
	for range rounds {
		Assign(dimensions, slab, centroids, nearest, threads)
		move(dimensions, slab, centroids, nearest)
	}
	return centroids
}

// Assign sets nearest[i] to the centroid nearest to the i-th vector, of equally near
// ones the first.
func Assign(dimensions int, slab, centroids []float32, nearest []uint32, threads int) {
	k := len(centroids) / dimensions
	squares := make([]float32, k)
	for c := range squares {
		v := centroids[c*dimensions : (c+1)*dimensions]
		squares[c] = kernel.Dot(v, v)
	}
	var panels kernel.Panels
	panels.PackColumns(centroids, dimensions, dimensions, k)
	stride := panels.Count() * kernel.PanelWidth
	const piece = 96
	var next atomic.Int64
	work := func() {
		products := make([]float32, piece*stride)
		for {
			from := int(next.Add(piece)) - piece
			if from >= len(nearest) {
				return
			}
			rows := min(piece, len(nearest)-from)
			panels.Multiply(products, stride, slab[from*dimensions:(from+rows)*dimensions], dimensions, rows, 0, panels.Count())
			for i := range rows {
				nearest[from+i] = leastSquare(squares, products[i*stride:])
			}
		}
	}
	var wait sync.WaitGroup
	for range max(1, threads) - 1 {
		wait.Go(work)
	}
	work()
	wait.Wait()
}

// leastSquare returns the centroid with the least |c|² − 2⟨x, c⟩.
func leastSquare(squares, products []float32) (at uint32) {
	least := float32(math.Inf(1))
	products = products[:len(squares)]
	for c, s := range squares {
		if d := s - 2*products[c]; d < least {
			least, at = d, uint32(c)
		}
	}
	return at
}

// move puts every centroid into the middle of its vectors.
func move(dimensions int, slab, centroids []float32, nearest []uint32) {
	k := len(centroids) / dimensions
	counts := make([]int, k)
	clear(centroids)
	for i, c := range nearest {
		counts[c]++
		kernel.Axpy(1, slab[i*dimensions:(i+1)*dimensions], centroids[int(c)*dimensions:(int(c)+1)*dimensions])
	}
	for c, count := range counts {
		v := centroids[c*dimensions : (c+1)*dimensions]
		for i := range v {
			v[i] /= float32(max(count, 1))
		}
	}
	for c, count := range counts {
		if count == 0 {
			split(dimensions, centroids, counts, c)
		}
	}
}

// split gives an empty centroid half of the largest group: both move a little
// apart, as in FAISS.
func split(dimensions int, centroids []float32, counts []int, empty int) {
	largest := 0
	for c, count := range counts {
		if count > counts[largest] {
			largest = c
		}
	}
	from, to := centroids[largest*dimensions:(largest+1)*dimensions], centroids[empty*dimensions:(empty+1)*dimensions]
	const apart = 1.0 / 1024
	for i, v := range from {
		sign := float32(1 - 2*(i%2))
		from[i], to[i] = v*(1+sign*apart), v*(1-sign*apart)
	}
	counts[empty] = counts[largest] / 2
	counts[largest] -= counts[empty]
}
