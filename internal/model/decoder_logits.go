package model

import (
	"errors"
	"math"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/kernel"
)

// What numbers that are not finite end in.
var (
	errNotFinite       = errors.New("the last layer's numbers are not finite: the weights are damaged or do not suit this model")
	errOutputNotFinite = errors.New("the output matrix made logits that are not finite: its weights are damaged")
)

// outputs computes the logits that are wanted of a chunk.
func (d *Decoder) outputs(spans []span) error {
	w := &d.work
	var rows []int
	var into [][]float32
	for _, s := range spans {
		for i, r := range s.in.Rows {
			if r >= s.first && r < s.first+s.n {
				rows = append(rows, s.row+r-s.first)
				into = append(into, s.in.Logits[i])
			}
		}
	}
	for ; len(rows) > 0; rows, into = rows[min(logitRows, len(rows)):], into[min(logitRows, len(into)):] {
		n := min(logitRows, len(rows))
		w.last.Resize(n, d.config.Width)
		for i, r := range rows[:n] {
			if v := float64(kernel.RMSNorm(w.last.Row(i), w.x.Row(r), d.norm, float32(d.config.Epsilon))); math.IsNaN(v) || math.IsInf(v, 0) {
				return errNotFinite
			}
			quantize(&w.last, i, d.output)
		}
		vocab := d.config.Vocab
		if n == 1 {
			d.multiply(&w.last, kernel.Product{Matrix: d.output, Out: into[0]})
		} else {
			grow(&w.logits, n*vocab)
			d.multiply(&w.last, kernel.Product{Matrix: d.output, Out: w.logits})
			d.pool.Run(n, func(i int) { copy(into[i], w.logits[i*vocab:]) })
		}
		if err := d.finish(into[:n]); err != nil {
			return err
		}
	}
	return nil
}

// finish scales and caps logits and checks that all are finite.
func (d *Decoder) finish(rows [][]float32) error {
	c := &d.config
	const piece = 16 << 10
	pieces := (c.Vocab + piece - 1) / piece
	var broken atomic.Bool
	d.pool.Run(len(rows)*pieces, func(i int) {
		first := i % pieces * piece
		x := rows[i/pieces][first:min(c.Vocab, first+piece)]
		if square := float64(kernel.Dot(x, x)); math.IsNaN(square) || math.IsInf(square, 0) {
			broken.Store(true)
		}
		switch {
		case c.LogitCap != 0:
			kernel.SoftCap(x, float32(c.LogitScale), float32(c.LogitCap))
		case c.LogitScale != 1:
			scale(x, float32(c.LogitScale))
		}
	})
	if broken.Load() {
		return errOutputNotFinite
	}
	return nil
}
