package model

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// headScratch is what one head of one sequence needs on its way.
type headScratch struct {
	keys, values kernel.Panels
	scores, sums []float32
}

// attend fills attended from projections: every row of a sequence looks at all
// rows of the sequence (Vaswani et al. 2017, equation 1). Heads of sequences
// are independent pieces of work.
func (p *encoderPass) attend() {
	heads := p.e.config.Heads
	p.run(len(p.spans)*heads, func(i int) {
		w, _ := p.e.scratch.Get().(*headScratch)
		if w == nil {
			w = new(headScratch)
		}
		p.head(w, p.spans[i/heads], i%heads)
		p.e.scratch.Put(w)
	})
}

// head computes one head of one sequence. Both products have the rows of the
// sequence as their left factor, taken a block at a time so that the scores of
// a long sequence stay in the cache.
func (p *encoderPass) head(w *headScratch, s rowSpan, head int) {
	width, size := p.e.config.Width, p.e.config.HeadSize()
	queries := p.projections[s.first*p.wide+head*size:]
	w.keys.PackColumns(queries[width:], p.wide, size, s.count)
	w.values.PackRows(queries[2*width:], p.wide, s.count, size)
	scale := float32(1 / math.Sqrt(float64(size)))
	scores, sums := kernel.Stride(s.count), kernel.Stride(size)
	w.scores = resize(w.scores, blockRows*scores)
	w.sums = resize(w.sums, blockRows*sums)
	for first := 0; first < s.count; first += blockRows {
		rows := min(blockRows, s.count-first)
		w.keys.Multiply(w.scores, scores, queries[first*p.wide:], p.wide, rows, 0, w.keys.Count())
		for r := range rows {
			kernel.Softmax(w.scores[r*scores:][:s.count], scale)
		}
		out := p.attended[(s.first+first)*p.width+head*size:]
		if size%kernel.PanelWidth == 0 {
			w.values.Multiply(out, p.width, w.scores, scores, rows, 0, w.values.Count())
			continue
		}
		// Whole panels would reach into the next head's numbers.
		w.values.Multiply(w.sums, sums, w.scores, scores, rows, 0, w.values.Count())
		for r := range rows {
			copy(out[r*p.width:], w.sums[r*sums:][:size])
		}
	}
}
