package model

import (
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// expertWork is what choosing among experts needs.
type expertWork struct {
	weights []float32 // of each row, one an expert; 0 for those it does not go through
	rows    [][]int   // by expert: the rows that go through it
	input   kernel.Activations
	output  []float32
}

// mix is the feed-forward half of a layer with experts (Shazeer et al. 2017):
// each row goes through the units that the router scores highest, and added gets
// the sum of what they make of it, weighted by the softmax of the scores. A row
// adds its experts up in the order of their numbers, whatever the other rows
// do.
func (d *Decoder) mix(layer int) {
	w, c, l := &d.work, &d.config, &d.layers[layer]
	e := &w.experts
	grow(&e.weights, w.rows*c.Experts)
	d.multiply(&w.normed, kernel.Product{Matrix: l.router, Out: e.weights})
	d.eachRow(func(r int) { w.check(layer, c.choose(e.weights[r*c.Experts:(r+1)*c.Experts])) })
	e.assign(w.rows, c.Experts)
	clear(w.added)
	for i := range l.experts {
		if rows := e.rows[i]; len(rows) > 0 {
			d.expert(&l.experts[i], i, rows)
		}
	}
}

// choose replaces scores by the weights of the experts to use: the softmax of
// all, 0 for those that are not among the highest. Of equal scores the first
// counts. It returns the sum of the weights before they are scaled, which is not
// finite when a score is not.
func (c *DecoderConfig) choose(scores []float32) (sum float32) {
	softmax(scores)
	for range c.ExpertsUsed {
		best := -1
		for i, v := range scores {
			if v >= 0 && (best < 0 || v > scores[best]) {
				best = i
			}
		}
		if best < 0 {
			clear(scores)
			return float32(math.NaN())
		}
		sum += scores[best]
		scores[best] = -1 - scores[best] // taken
	}
	inverse := float32(1)
	if c.ExpertsToOne {
		inverse = 1 / sum
	}
	for i, v := range scores {
		scores[i] = 0
		if v < 0 {
			scores[i] = (-1 - v) * inverse
		}
	}
	return sum
}

// softmax is kernel.Softmax with the same bits at every level. A row has few
// experts.
func softmax(x []float32) {
	peak, sum := slices.Max(x), 0.0
	for _, v := range x {
		sum += math.Exp(float64(v - peak))
	}
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v-peak)) / sum)
	}
}

// assign lists the rows of each expert.
func (e *expertWork) assign(rows, experts int) {
	if len(e.rows) < experts {
		e.rows = make([][]int, experts)
	}
	for i := range e.rows {
		e.rows[i] = e.rows[i][:0]
	}
	for r := range rows {
		for i, weight := range e.weights[r*experts : (r+1)*experts] {
			if weight != 0 {
				e.rows[i] = append(e.rows[i], r)
			}
		}
	}
}

// expert runs some rows through one expert and adds what comes out.
func (d *Decoder) expert(u *gatedUnit, index int, rows []int) {
	w, c := &d.work, &d.config
	e := &w.experts
	e.input.Resize(len(rows), c.Width)
	grow(&e.output, len(rows)*c.Width)
	d.each(len(rows), func(i int) {
		copy(e.input.Row(i), w.normed.Row(rows[i]))
		quantize(&e.input, i, u.gate, u.up)
	})
	d.gated(u, &e.input, e.output)
	d.each(len(rows), func(i int) {
		out := e.output[i*c.Width : (i+1)*c.Width]
		scale(out, e.weights[rows[i]*c.Experts+index])
		kernel.Axpy(1, out, w.added[rows[i]*c.Width:(rows[i]+1)*c.Width])
	})
}
