package model

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// headScratch is what heads of one sequence need on their way.
type headScratch struct {
	keys, values kernel.Panels
	scores, sums []float32
}

// attend fills attended from projections: a row of a sequence looks at the rows
// of the sequence (Vaswani et al. 2017, equation 1) that the layer lets it see.
// Heads of sequences are independent pieces of work, but those that share keys
// go together.
func (p *encoderPass) attend(layer int) {
	groups := p.e.config.KVHeads
	p.run(len(p.spans)*groups, func(i int) {
		w, _ := p.e.scratch.Get().(*headScratch)
		if w == nil {
			w = new(headScratch)
		}
		p.group(w, layer, p.spans[i/groups], i%groups)
		p.e.scratch.Put(w)
	})
}

// group computes the heads of one sequence that share the n-th keys.
func (p *encoderPass) group(w *headScratch, layer int, s rowSpan, n int) {
	c := &p.e.config
	size, each := c.HeadSize, c.Heads/c.KVHeads
	rows := p.projections[s.first*p.wide:]
	keys := rows[c.queries()+n*size:]
	values := rows[c.queries()+(c.KVHeads+n)*size:]
	v := view{count: s.count, causal: c.Causal}
	if c.Windows != nil && c.Windows[layer] < s.count-1 {
		v.window = c.Windows[layer]
	}
	w.keys.PackColumns(keys, p.wide, size, s.count)
	if v.window == 0 {
		w.values.PackRows(values, p.wide, s.count, size)
	}
	for head := n * each; head < (n+1)*each; head++ {
		for first := 0; first < s.count; first += blockRows {
			rows := min(blockRows, s.count-first)
			v.lo, v.hi = v.seen(first)
			_, v.hi = v.seen(first + rows - 1)
			if v.window == 0 { // the values are packed whole
				v.lo, v.hi = 0, s.count
			} else {
				w.values.PackRows(values[v.lo*p.wide:], p.wide, v.hi-v.lo, size)
			}
			p.weights(w, &v, s, head, first, rows)
			p.mix(w, &v, s, head, first, rows)
		}
	}
}

// view is which tokens of a sequence see each other, and the ones from lo on and
// before hi that a block of rows sees.
type view struct {
	count  int
	window int // how far apart at most; 0: any distance
	causal bool
	lo, hi int
}

// seen returns the range of tokens that token i sees.
func (v *view) seen(i int) (from, to int) {
	from, to = 0, v.count
	if v.window > 0 {
		from, to = max(0, i-v.window), min(v.count, i+v.window+1)
	}
	if v.causal {
		to = i + 1
	}
	return from, to
}

// weights fills scores with what each of some rows takes of every token, a row
// as long as the sequence. They are taken a block at a time so that the scores
// of a long sequence stay in the cache.
func (p *encoderPass) weights(w *headScratch, v *view, s rowSpan, head, first, rows int) {
	c := &p.e.config
	queries := p.projections[(s.first+first)*p.wide+head*c.HeadSize:]
	stride := kernel.Stride(s.count)
	scale := float32(1 / math.Sqrt(float64(c.HeadSize)))
	w.scores = resize(w.scores, blockRows*stride)
	w.keys.Multiply(w.scores, stride, queries, p.wide, rows, v.lo/kernel.PanelWidth, (v.hi+kernel.PanelWidth-1)/kernel.PanelWidth)
	for r := range rows {
		row := w.scores[r*stride:]
		if p.e.nearness != nil {
			kernel.Axpy(1, p.e.nearness[head][c.Positions-1-(first+r):][:s.count], row[:s.count])
		}
		from, to := v.seen(first + r)
		clear(row[v.lo:from])
		kernel.Softmax(row[from:to], scale)
		clear(row[to:v.hi])
	}
}

// mix sets a head's part of some rows of attended to the values, weighted by the
// scores.
func (p *encoderPass) mix(w *headScratch, v *view, s rowSpan, head, first, rows int) {
	size := p.e.config.HeadSize
	stride, sums := kernel.Stride(s.count), kernel.Stride(size)
	scores := w.scores[v.lo:]
	out := p.attended[(s.first+first)*p.mixed+head*size:]
	if size%kernel.PanelWidth == 0 {
		w.values.Multiply(out, p.mixed, scores, stride, rows, 0, w.values.Count())
		return
	}
	// Whole panels would reach into the next head's numbers.
	w.sums = resize(w.sums, blockRows*sums)
	w.values.Multiply(w.sums, sums, scores, stride, rows, 0, w.values.Count())
	for r := range rows {
		copy(out[r*p.mixed:], w.sums[r*sums:][:size])
	}
}
