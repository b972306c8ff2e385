package model

import (
	"math"
	"slices"
	"sort"

	"github.com/ragstone/ragstone/internal/kernel"
)

// expertWork is what choosing among experts needs.
type expertWork struct {
	weights []float32 // of each row, one an expert; 0 for those it does not go through
	rows    [][]int   // by expert: the rows that go through it

	// Of the experts that are run together: their rows, one expert's behind
	// another's.
	group    []expertRows
	input    kernel.Activations
	output   []float32
	products []kernel.Product
}

// expertRows are the rows of one expert in a group.
type expertRows struct{ expert, first, n int }

// leastTogether is how many rows experts have together that are run in one go, or
// as many as the chunk has. One token goes through several experts: one by one
// their products would be too short for several threads.
const leastTogether = 64

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
	for next := 0; next < len(l.experts); {
		next = e.gather(next, max(leastTogether, w.rows))
		d.runGroup(l.experts)
	}
}

// gather makes a group of the experts from one on that have rows, as many as fit
// into most rows, and returns the expert after them.
func (e *expertWork) gather(from, most int) (next int) {
	e.group = e.group[:0]
	total := 0
	for i := from; i < len(e.rows); i++ {
		n := len(e.rows[i])
		if total+n > most {
			return i
		}
		if n > 0 {
			e.group = append(e.group, expertRows{i, total, n})
			total += n
		}
	}
	return len(e.rows)
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

// runGroup runs a group's rows through their experts and adds what comes out.
func (d *Decoder) runGroup(experts []gatedUnit) {
	w, c := &d.work, &d.config
	e, n := &w.experts, c.FeedForward
	if len(e.group) == 0 {
		return
	}
	last := e.group[len(e.group)-1]
	total := last.first + last.n
	e.input.Resize(total, c.Width)
	w.gated.Resize(total, n)
	grow(&w.up, total*n)
	grow(&e.output, total*c.Width)
	d.each(total, func(i int) {
		g := e.of(i)
		copy(e.input.Row(i), w.normed.Row(e.rows[g.expert][i-g.first]))
		quantize(&e.input, i, experts[g.expert].gate, experts[g.expert].up)
	})
	e.products = e.products[:0]
	for _, g := range e.group {
		e.products = append(e.products,
			kernel.Product{Matrix: experts[g.expert].gate, Out: w.gated.All()[g.first*n:], First: g.first, Rows: g.n},
			kernel.Product{Matrix: experts[g.expert].up, Out: w.up[g.first*n:], First: g.first, Rows: g.n})
	}
	d.multiply(&e.input, e.products...)
	d.each(total, func(i int) { d.gate(i, experts[e.of(i).expert].down) })
	e.products = e.products[:0]
	for _, g := range e.group {
		e.products = append(e.products, kernel.Product{Matrix: experts[g.expert].down, Out: e.output[g.first*c.Width:], First: g.first, Rows: g.n})
	}
	d.multiply(&w.gated, e.products...)
	for _, g := range e.group { // one after another: a row's sum is in the order of experts
		d.each(g.n, func(i int) {
			row, out := e.rows[g.expert][i], e.output[(g.first+i)*c.Width:(g.first+i+1)*c.Width]
			scale(out, e.weights[row*c.Experts+g.expert])
			kernel.Axpy(1, out, w.added[row*c.Width:(row+1)*c.Width])
		})
	}
}

// of returns whose row of the group the i-th is.
func (e *expertWork) of(i int) expertRows {
	at := sort.Search(len(e.group), func(k int) bool { return e.group[k].first > i })
	return e.group[at-1]
}
