package index

import (
	"fmt"

	"github.com/ragstone/ragstone/internal/quant"
)

// Codes compares the query with every code of a slab of vectors, and the best
// candidates with the vectors themselves where it is given them.
type Codes struct {
	metric Metric
	codec  quant.Codec
	codes  []byte
	slab   []float32 // nil: scores are estimates
}

// NewCodes returns an index of codes that lie one after another, in place. Under
// Cosine they encode vectors divided by their norm. slab has the vectors, or is nil. It panics
// if the shapes do not fit or the metric is not Cosine, Dot or L2.
func NewCodes(metric Metric, codec quant.Codec, codes []byte, slab []float32) *Codes {
	n := len(codes) / codec.CodeSize()
	if metric > L2 || n*codec.CodeSize() != len(codes) || slab != nil && len(slab) != n*codec.Dimensions() {
		panic(fmt.Sprintf("index: NewCodes: metric %v, %d bytes of %s codes, %d numbers of %d dimensions", metric, len(codes), codec.Name(), len(slab), codec.Dimensions()))
	}
	return &Codes{metric, codec, codes, slab}
}

// EncodeCodes encodes a slab for NewCodes, and returns an index that rescores with
// the slab.
func EncodeCodes(metric Metric, codec quant.Codec, slab []float32) (*Codes, error) {
	if err := checkSlab(codec.Dimensions(), slab); err != nil {
		return nil, fmt.Errorf("encode vectors: %w", err)
	}
	return NewCodes(metric, codec, quant.EncodeAll(codec, normalised(metric, codec.Dimensions(), slab)), slab), nil
}

// Len returns the number of vectors.
func (c *Codes) Len() int { return len(c.codes) / c.codec.CodeSize() }

// Dimensions returns the length of a vector.
func (c *Codes) Dimensions() int { return c.codec.Dimensions() }

// Metric returns how vectors are compared.
func (c *Codes) Metric() Metric { return c.metric }

// Bytes returns the size of the codes.
func (c *Codes) Bytes() int64 { return int64(len(c.codes)) }

// Search returns the k best rows by code, or of Rescore times as many candidates those
// that are best by vector; see [Index]. Exact compares all vectors, where there are vectors.
func (c *Codes) Search(query []float32, k int, p Params) ([]Hit, Stats) {
	checkQuery(query, c.Dimensions())
	matches := p.Filter.matches(c.Len())
	k = min(k, matches)
	if k <= 0 {
		return nil, Stats{Strategy: StrategyScan}
	}
	if c.slab != nil && p.Exact {
		return NewFlat(c.metric, c.Dimensions(), c.slab).Search(query, k, p)
	}
	width := k
	if c.slab != nil && p.Rescore >= 0 {
		width = k * defaultRescore
		if p.Rescore > 0 {
			width = max(k, int(float64(k)*float64(p.Rescore)))
		}
	}
	best := newTopK(width)
	c.scan(query, p.Filter, best.add)
	hits := best.sorted()
	if width > k {
		best = newTopK(k)
		for _, h := range hits {
			best.add(h.Row, c.metric.Compare(query, c.slab[h.Row*c.Dimensions():(h.Row+1)*c.Dimensions()]))
		}
		return best.sorted(), Stats{StrategyScan, len(hits), matches}
	}
	return hits, Stats{StrategyScan, matches, matches}
}

// Range returns rows with a score of at least threshold; see [Index].
func (c *Codes) Range(query []float32, threshold float32, p Params) ([]Hit, Stats) {
	return rangeBySearches(c, query, threshold, p)
}

// scan shows the estimated scores of the rows that a filter admits.
func (c *Codes) scan(query []float32, f *Filter, show func(row int, score float32)) {
	by := quant.ByDot
	if c.metric == L2 {
		by = quant.ByL2
	}
	q := append([]float32(nil), query...)
	if c.metric == Cosine {
		normaliseVector(q)
	}
	scorer, size := c.codec.Scorer(q, by), c.codec.CodeSize()
	var scores [tileRows]float32
	if f != nil {
		for row := range f.rows(c.Len()) {
			scorer.Score(c.codes[row*size:(row+1)*size], scores[:1])
			show(row, scores[0])
		}
		return
	}
	for start := 0; start < c.Len(); start += tileRows {
		n := min(tileRows, c.Len()-start)
		scorer.Score(c.codes[start*size:(start+n)*size], scores[:n])
		for i, score := range scores[:n] {
			show(start+i, score)
		}
	}
}
