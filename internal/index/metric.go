package index

import (
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Metric is how vectors are compared. Scores are higher for nearer vectors
// under every metric: a similarity is its own score, a distance is negated.
type Metric uint8

const (
	// Cosine scores with the cosine of the angle, −1 to 1; 0 if either vector
	// is zero.
	Cosine Metric = iota
	// Dot scores with the inner product, whatever the norms.
	Dot
	// L2 scores with the negated squared Euclidean distance −Σ(aᵢ−bᵢ)².
	L2
	// L1 scores with the negated Manhattan distance −Σ|aᵢ−bᵢ|.
	L1
	// Hamming scores binary vectors with the negated number of bits that differ.
	Hamming
	// Jaccard scores binary vectors with the number of common ones over the
	// number of ones in either, 0 to 1; two vectors without ones score 1.
	Jaccard
)

var metricNames = [...]string{Cosine: "cosine", Dot: "dot", L2: "l2", L1: "l1", Hamming: "hamming", Jaccard: "jaccard"}

// String returns the metric's name, as ParseMetric reads it.
func (m Metric) String() string {
	if int(m) < len(metricNames) {
		return metricNames[m]
	}
	return fmt.Sprintf("Metric(%d)", int(m))
}

// ParseMetric returns the metric of a name.
func ParseMetric(name string) (Metric, error) {
	for m, n := range metricNames {
		if n == name {
			return Metric(m), nil
		}
	}
	return 0, fmt.Errorf("metric %q is not known; there are %v", name, metricNames)
}

// Distance reports whether the metric is a distance, so that its scores are
// negative.
func (m Metric) Distance() bool { return m == L2 || m == L1 || m == Hamming }

// Binary reports whether the metric compares bits.
func (m Metric) Binary() bool { return m == Hamming || m == Jaccard }

// Value turns a score into what people call the metric's value: the similarity
// itself, the distance without its sign, for L2 not squared any more.
func (m Metric) Value(score float32) float32 {
	switch {
	case m == L2:
		return float32(math.Sqrt(max(0, -float64(score))))
	case m.Distance():
		return -score
	}
	return score
}

// Score turns a metric's value, as Value returns it, into a score.
func (m Metric) Score(value float32) float32 {
	switch {
	case m == L2:
		return -value * value
	case m.Distance():
		return -value
	}
	return value
}

// Compare returns the score of two vectors of the same length under a metric
// that is not binary. Overflow gives minus infinity or, where signs mix, NaN.
func (m Metric) Compare(a, b []float32) float32 {
	switch m {
	case Dot:
		return kernel.Dot(a, b)
	case L2:
		return -kernel.L2(a, b)
	case L1:
		return -kernel.L1(a, b)
	case Cosine:
		return kernel.Dot(a, b) * inverseNorm(a) * inverseNorm(b)
	}
	panic(fmt.Sprintf("index: %v does not compare float vectors", m))
}

// compareRows is Compare of the query and rows of a slab; scores has room for as many or more.
func (m Metric) compareRows(query, slab []float32, rows []uint32, scores []float32) {
	d := len(query)
	if m == L2 {
		kernel.L2Rows(query, slab, rows, scores[:len(rows)])
		for i := range rows {
			scores[i] = -scores[i]
		}
		return
	}
	for i, row := range rows {
		scores[i] = m.Compare(query, slab[int(row)*d:(int(row)+1)*d])
	}
}

// inverseNorm returns 1/|x|, 0 for the zero vector.
func inverseNorm(x []float32) float32 {
	square := float64(kernel.Dot(x, x))
	if square < 1e-30 || square > 1e30 { // float32 lost or will lose it
		square = 0
		for _, v := range x {
			square += float64(v) * float64(v)
		}
	}
	if square == 0 {
		return 0
	}
	return float32(1 / math.Sqrt(square))
}

// numberOrLast puts what is no number behind everything else.
func numberOrLast(score float32) float32 {
	if score != score {
		return float32(math.Inf(-1))
	}
	return score
}
