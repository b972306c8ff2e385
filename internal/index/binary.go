package index

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Binary is the exact index of binary vectors, under Hamming or Jaccard.
type Binary struct {
	metric Metric
	size   int // bytes of a vector
	slab   []byte
}

// NewBinary returns an index of vectors of so many bytes each, in place. It panics
// if slab is not a whole number of vectors or the metric is not binary.
func NewBinary(metric Metric, size int, slab []byte) *Binary {
	if !metric.Binary() || size < 1 || len(slab)%size != 0 {
		panic(fmt.Sprintf("index: NewBinary: metric %v, %d bytes in vectors of %d", metric, len(slab), size))
	}
	return &Binary{metric, size, slab}
}

// Len returns the number of vectors.
func (b *Binary) Len() int { return len(b.slab) / b.size }

// Metric returns how vectors are compared.
func (b *Binary) Metric() Metric { return b.metric }

// Search returns the k best rows, best first: min(k, matches). It panics if the query has
// another size.
func (b *Binary) Search(query []byte, k int, p Params) ([]Hit, Stats) {
	k = max(0, min(k, p.Filter.matches(b.Len())))
	if b.metric == Hamming && p.Filter == nil && k > 0 && len(query) == b.size {
		return b.searchAll(query, k), Stats{StrategyScan, b.Len(), b.Len()}
	}
	best := newTopK(k)
	stats := b.scan(query, p.Filter, best.add)
	return best.sorted(), stats
}

// Range returns every row with a score of at least threshold, best first.
func (b *Binary) Range(query []byte, threshold float32, p Params) ([]Hit, Stats) {
	var hits []Hit
	stats := b.scan(query, p.Filter, func(row int, score float32) {
		if score >= threshold {
			hits = append(hits, Hit{row, score})
		}
	})
	slices.SortFunc(hits, compareHits)
	return hits, stats
}

func (b *Binary) scan(query []byte, f *Filter, show func(row int, score float32)) Stats {
	if len(query) != b.size {
		panic(fmt.Sprintf("index: a query of %d bytes, and the vectors have %d", len(query), b.size))
	}
	count := 0
	for row := range b.Len() {
		if f.Has(row) {
			show(row, CompareBits(b.metric, query, b.slab[row*b.size:(row+1)*b.size]))
			count++
		}
	}
	return Stats{StrategyScan, count, count}
}

// searchAll is Search under Hamming without a filter.
func (b *Binary) searchAll(query []byte, k int) []Hit {
	best := newTopK(k)
	var differ [tileRows]uint32
	limit := uint32(math.MaxUint32) // what differs in more bits is not among the best
	for start := 0; start < b.Len(); start += tileRows {
		n := min(tileRows, b.Len()-start)
		kernel.Hamming(query, b.slab[start*b.size:(start+n)*b.size], differ[:n])
		for i, bits := range differ[:n] {
			if bits >= limit {
				continue
			}
			best.add(start+i, -float32(bits))
			if worst := -best.threshold; worst <= math.MaxInt32 {
				limit = uint32(worst)
			}
		}
	}
	return best.sorted()
}

// CompareBits returns the score of two binary vectors of the same size.
func CompareBits(m Metric, x, y []byte) float32 {
	differ, common, ones := 0, 0, 0
	for len(x) >= 8 {
		a, b := binary.LittleEndian.Uint64(x), binary.LittleEndian.Uint64(y)
		differ += bits.OnesCount64(a ^ b)
		common += bits.OnesCount64(a & b)
		ones += bits.OnesCount64(a | b)
		x, y = x[8:], y[8:]
	}
	for i, a := range x {
		differ += bits.OnesCount8(a ^ y[i])
		common += bits.OnesCount8(a & y[i])
		ones += bits.OnesCount8(a | y[i])
	}
	switch {
	case m == Hamming:
		return -float32(differ)
	case ones == 0:
		return 1
	}
	return float32(common) / float32(ones)
}
