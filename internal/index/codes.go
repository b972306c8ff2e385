package index

import (
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/internal/quant"
)

// Codes compares the query with every code of a slab of vectors, and the best
// candidates with the vectors themselves where it is given them.
//
// Product codes of four bits are scanned 32 at a time, from a copy in blocks that the first search
// makes. Batches of queries share the decoding of others.
type Codes struct {
	metric Metric
	codec  quant.Codec
	codes  []byte
	slab   []float32 // nil: scores are estimates
	blocks codeBlocks
}

// NewCodes returns an index of codes that lie one after another, in place. Under
// Cosine they encode vectors divided by their norm. slab has the vectors, or is nil. It panics
// if the shapes do not fit or the metric is not Cosine, Dot or L2.
func NewCodes(metric Metric, codec quant.Codec, codes []byte, slab []float32) *Codes {
	n := len(codes) / codec.CodeSize()
	if metric > L2 || n*codec.CodeSize() != len(codes) || slab != nil && len(slab) != n*codec.Dimensions() {
		panic(fmt.Sprintf("index: NewCodes: metric %v, %d bytes of %s codes, %d numbers of %d dimensions", metric, len(codes), codec.Name(), len(slab), codec.Dimensions()))
	}
	return &Codes{metric: metric, codec: codec, codes: codes, slab: slab}
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
	width := c.width(k, p)
	hits := c.nearest(c.placed(query), width, p.Filter)
	if width == k {
		return hits, Stats{StrategyScan, matches, matches}
	}
	return c.rescore(query, hits, k), Stats{StrategyScan, len(hits), matches}
}

// width returns how many candidates to keep.
func (c *Codes) width(k int, p Params) int {
	switch {
	case c.slab == nil || p.Rescore < 0:
		return k
	case p.Rescore > 0:
		return max(k, int(float64(k)*float64(p.Rescore)))
	}
	return k * defaultRescore
}

// rescore compares hits with the vectors and keeps the k best.
func (c *Codes) rescore(query []float32, hits []Hit, k int) []Hit {
	best := newTopK(k)
	for _, h := range hits {
		best.add(h.Row, c.metric.Compare(query, c.slab[h.Row*c.Dimensions():(h.Row+1)*c.Dimensions()]))
	}
	return best.sorted()
}

// Range returns rows with a score of at least threshold; see [Index].
func (c *Codes) Range(query []float32, threshold float32, p Params) ([]Hit, Stats) {
	return rangeBySearches(c, query, threshold, p)
}

// placed returns a query as codes are compared with it: of norm 1 under Cosine.
func (c *Codes) placed(query []float32) []float32 {
	if c.metric != Cosine {
		return query
	}
	q := slices.Clone(query)
	normaliseVector(q)
	return q
}

func (c *Codes) similarity() quant.Similarity {
	if c.metric == L2 {
		return quant.ByL2
	}
	return quant.ByDot
}

// nearest returns the best rows by estimate.
func (c *Codes) nearest(query []float32, width int, f *Filter) []Hit {
	if product, ok := c.codec.(*quant.Product); ok && product.Bits() == 4 {
		return c.scanBlocks(product, query, width, f)
	}
	scorer, size, best := c.codec.Scorer(query, c.similarity()), c.codec.CodeSize(), newTopK(width)
	var scores [tileRows]float32
	if f != nil {
		for row := range f.rows(c.Len()) {
			scorer.Score(c.codes[row*size:(row+1)*size], scores[:1])
			best.add(row, scores[0])
		}
		return best.sorted()
	}
	for start := 0; start < c.Len(); start += tileRows {
		n := min(tileRows, c.Len()-start)
		scorer.Score(c.codes[start*size:(start+n)*size], scores[:n])
		best.addAll(start, scores[:n])
	}
	return best.sorted()
}
