package kernel

import (
	"fmt"
	"math"
)

// PageTokens is the number of tokens whose keys and values share a page.
const PageTokens = 32

// SegmentPages is the number of pages that Attend reduces in one go. Keys are
// always cut into segments at the same absolute positions, so that a query's
// numbers do not depend on what else is computed beside it.
const (
	SegmentPages  = 8
	SegmentTokens = SegmentPages * PageTokens
)

// MaxQueries is the largest number of queries that Attend takes.
const MaxQueries = 8

// PageSize returns the half-precision numbers in the page of one head: its
// keys, transposed to dim rows of 32 tokens, and behind them its values, 32
// rows of dim. Transposed keys let a register hold 32 tokens' scores, which
// needs no sum across a register. dim must be a multiple of 16.
func PageSize(dim int) int { return 2 * dim * PageTokens }

// StoreKV writes the key and value of the token at a slot, 0 to 31, of a page.
func StoreKV(page []uint16, slot int, key, value []float32) {
	dim := len(key)
	if len(value) != dim || len(page) != PageSize(dim) || slot < 0 || slot >= PageTokens {
		panic(fmt.Sprintf("kernel.StoreKV: slot %d of a page of %d for a key of %d and a value of %d", slot, len(page), dim, len(value)))
	}
	storeKV(page[slot:dim*PageTokens], page[(PageTokens+slot)*dim:][:dim], key, value)
}

func storeKVGeneric(keys, values []uint16, key, value []float32) {
	for d, k := range key {
		keys[d*PageTokens] = ToFloat16(k)
	}
	for d, v := range value {
		values[d] = ToFloat16(v)
	}
}

// Partial is the attention of up to MaxQueries queries to a run of keys: sums
// that are still to be divided by Weight, relative to a largest score. The
// zero value has seen no key. Not safe for concurrent use.
type Partial struct {
	dim    int
	peak   [MaxQueries]float32 // the largest scaled score
	weight [MaxQueries]float32 // Σ exp(score − peak)
	sum    []float32           // Σ exp(score − peak)·value, dim a query
	scores [MaxQueries * SegmentTokens]float32
}

// Attend replaces p by the attention of queries, dim numbers each one after
// another, to one segment. pages are the pages of the segment for the queries'
// key-value head, visible[i] is how many of its tokens query i may look at:
// any number, held to what the segment has. Score i, j is scale·(query i · key
// j).
//
// Against exact arithmetic on the stored keys and values the relative error of
// a weight is about 2⁻²²·(dim+|score|); all levels give the same bits. scale is
// positive.
func (p *Partial) Attend(queries []float32, pages [][]uint16, visible []int, scale float32) {
	n := len(visible)
	if n < 1 || n > MaxQueries || len(queries)%n != 0 || len(pages) > SegmentPages {
		panic(fmt.Sprintf("kernel.Attend: %d numbers of %d queries and %d pages", len(queries), n, len(pages)))
	}
	dim := len(queries) / n
	p.reset(dim, n)
	most := 0 // tokens that any query sees
	for _, v := range visible {
		most = max(most, min(v, len(pages)*PageTokens))
	}
	for i, page := range pages[:(most+PageTokens-1)/PageTokens] {
		if len(page) != PageSize(dim) {
			panic(fmt.Sprintf("kernel.Attend: a page of %d for heads of %d", len(page), dim))
		}
		attentionScores(queries, n, page, pages[min(i+1, len(pages)-1)], p.scores[i*PageTokens:])
	}
	for i, v := range visible {
		row := p.scores[i*SegmentTokens:][:most]
		v = max(0, min(v, most))
		clear(row[v:])
		p.peak[i], p.weight[i] = float32(math.Inf(-1)), 0
		if v > 0 {
			p.peak[i], p.weight[i] = attentionWeights(row[:v], scale)
		}
	}
	for i := 0; i*PageTokens < most; i++ {
		attentionValues(p.scores[i*PageTokens:], n, min(PageTokens, most-i*PageTokens), pages[i][dim*PageTokens:], p.sum)
	}
}

// reset makes p an attention to nothing.
func (p *Partial) reset(dim, queries int) {
	if dim < 16 || dim%16 != 0 {
		panic(fmt.Sprintf("kernel.Attend: heads of %d, which is not a multiple of 16", dim))
	}
	p.dim = dim
	if cap(p.sum) < dim*MaxQueries {
		p.sum = make([]float32, dim*MaxQueries)
	}
	p.sum = p.sum[:dim*queries]
	clear(p.sum)
}

// Add merges the attention of the same queries to a later segment into p. What
// comes out depends on the order of the segments, which the caller keeps.
func (p *Partial) Add(later *Partial) {
	for i := range len(p.sum) / p.dim {
		peak := max(p.peak[i], later.peak[i])
		if math.IsInf(float64(peak), -1) {
			continue
		}
		a := float32(math.Exp(float64(p.peak[i] - peak)))
		b := float32(math.Exp(float64(later.peak[i] - peak)))
		p.peak[i] = peak
		p.weight[i] = float32(p.weight[i]*a) + float32(later.weight[i]*b)
		x, y := p.sum[i*p.dim:(i+1)*p.dim], later.sum[i*p.dim:(i+1)*p.dim]
		for d := range x {
			x[d] = float32(x[d]*a) + float32(y[d]*b)
		}
	}
}

// Result writes query i's attention into out, which has dim numbers.
func (p *Partial) Result(i int, out []float32) {
	inverse := 1 / p.weight[i]
	for d, v := range p.sum[i*p.dim : (i+1)*p.dim] {
		out[d] = v * inverse
	}
}

// attentionScoresGeneric is the definition of a page's scores, unscaled: row i
// of out, SegmentTokens apart, gets the dot products of query i and 32 keys.
func attentionScoresGeneric(queries []float32, n int, page []uint16, out []float32) {
	dim := len(queries) / n
	var acc [MaxQueries][PageTokens]float32
	var keys [PageTokens]float32
	for d := range dim {
		toFloat32s(page[d*PageTokens:], keys[:])
		for i := range n {
			q, acc := queries[i*dim+d], &acc[i]
			for j, k := range keys {
				acc[j] = fma32(q, k, acc[j])
			}
		}
	}
	for i := range n {
		copy(out[i*SegmentTokens:], acc[i][:])
	}
}

// attentionWeights replaces scores x by the weights exp(scale·x − peak); it
// returns the peak and the weights' sum.
func attentionWeights(x []float32, scale float32) (peak, sum float32) {
	peak = maximum(x) * scale
	return peak, expSum(x, x, scale, peak)
}

// attentionValuesGeneric is the definition of adding the first tokens of a page's
// values to the n sums, each times its weight; rows of weights are
// SegmentTokens apart.
func attentionValuesGeneric(weights []float32, n, tokens int, values []uint16, sum []float32) {
	dim := len(sum) / n
	var some [PageTokens]float32 // numbers of one token's value
	for j := range tokens {
		for from := 0; from < dim; from += len(some) {
			some := some[:min(len(some), dim-from)]
			toFloat32s(values[j*dim+from:], some)
			for i := range n {
				w, acc := weights[i*SegmentTokens+j], sum[i*dim+from:]
				for d, v := range some {
					acc[d] = fma32(w, v, acc[d])
				}
			}
		}
	}
}

// toFloat32s converts as many half-precision numbers as dst takes.
func toFloat32s(src []uint16, dst []float32) {
	for i := range dst {
		dst[i] = Float16(src[i])
	}
}
