package kernel

import (
	"fmt"
	"math"
)

// AttendWindow is Attend for queries that do not see every earlier token: query
// i looks at the tokens from[i] ≤ j < to[i] of the segment, held to what the
// segment has. A positive softCap bends score s to softCap·tanh(s/softCap)
// before the softmax, as [SoftCap] does.
//
// A query that sees nothing of the segment adds nothing to a Partial that this
// one is added to. All levels give the same bits, and a query's numbers do not
// depend on what the others of the call may see.
func (p *Partial) AttendWindow(queries []float32, pages [][]uint16, from, to []int, scale, softCap float32) {
	n := len(to)
	if n < 1 || n > MaxQueries || len(from) != n || len(queries)%n != 0 || len(pages) > SegmentPages {
		panic(fmt.Sprintf("kernel.AttendWindow: %d numbers of %d queries with %d beginnings and %d pages", len(queries), n, len(from), len(pages)))
	}
	dim := len(queries) / n
	p.reset(dim, n)
	held := len(pages) * PageTokens
	first, most := held, 0 // the tokens that any query sees
	for i := range n {
		if lo, hi := max(0, from[i]), min(to[i], held); lo < hi {
			first, most = min(first, lo), max(most, hi)
		}
	}
	start := first / PageTokens
	for i := start; i*PageTokens < most; i++ {
		if len(pages[i]) != PageSize(dim) {
			panic(fmt.Sprintf("kernel.AttendWindow: a page of %d for heads of %d", len(pages[i]), dim))
		}
		attentionScores(queries, n, pages[i], pages[min(i+1, len(pages)-1)], p.scores[i*PageTokens:])
	}
	for i := range n {
		p.peak[i], p.weight[i] = float32(math.Inf(-1)), 0
		row := p.scores[i*SegmentTokens:][:most]
		lo, hi := max(0, from[i]), min(to[i], most)
		if lo >= hi {
			clear(row[min(start*PageTokens, most):])
			continue
		}
		clear(row[start*PageTokens : lo])
		clear(row[hi:])
		seen, s := row[lo:hi], scale
		if softCap > 0 {
			SoftCap(seen, scale, softCap)
			s = 1
		}
		p.peak[i], p.weight[i] = attentionWeights(seen, s)
	}
	for i := start; i*PageTokens < most; i++ {
		attentionValues(p.scores[i*PageTokens:], n, min(PageTokens, most-i*PageTokens), pages[i][dim*PageTokens:], p.sum)
	}
}
