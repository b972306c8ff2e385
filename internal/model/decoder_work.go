package model

import (
	"math"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/kernel"
)

// workspace is the numbers of a chunk on their way through the layers, a row
// for each token.
type workspace struct {
	rows       int
	owner      []int              // the span of each row
	x          kernel.Activations // between layers: the residual stream
	normed     kernel.Activations // input of the query, key, value, gate and up matrices
	attended   kernel.Activations // input of the projection
	gated      kernel.Activations // input of the down matrix
	last       kernel.Activations // rows whose logits are wanted
	query      []float32
	key, value []float32
	added      []float32 // what a half layer adds to x
	up         []float32
	turns      [2]turns // in layers that see all, and in layers with a window
	attention  [2]attention
	experts    expertWork
	logits     []float32
	broken     atomic.Int32 // 2 + the layer whose numbers are not finite, −1 being the embedding; 0 while all are
}

// logitRows is how many rows of logits are computed at a time.
const logitRows = 32

// workBytes is about the memory that workspace takes for a full chunk.
func (c *DecoderConfig) workBytes() int64 {
	heads, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	row := 4*c.Width + 2*heads + 2*kv + 3*c.FeedForward + c.Rotary.Dims + c.LocalRotary.Dims // floats
	row += 2*c.Width + heads + c.FeedForward                                                 // their quantised forms
	if c.Experts > 0 {
		row += 3*c.Width + 2*c.Experts
	}
	return 4 * (int64(min(chunkRows, c.Context))*int64(row) + logitRows*int64(c.Vocab))
}

// round says whether what goes into products is rounded to 8 bits.
func (w *workspace) round(coarse bool) {
	for _, a := range []*kernel.Activations{&w.normed, &w.attended, &w.gated, &w.last, &w.experts.input} {
		a.Coarse = coarse
	}
}

func (w *workspace) resize(c *DecoderConfig, rows int) {
	w.rows = rows
	heads, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	w.x.Resize(rows, c.Width)
	w.normed.Resize(rows, c.Width)
	w.attended.Resize(rows, heads)
	w.gated.Resize(rows, c.FeedForward)
	grow(&w.query, rows*heads)
	grow(&w.key, rows*kv)
	grow(&w.value, rows*kv)
	grow(&w.added, rows*c.Width)
	grow(&w.up, rows*c.FeedForward)
}

// grow makes a slice n long; its contents are undefined then.
func grow(s *[]float32, n int) {
	if cap(*s) < n {
		*s = make([]float32, n)
	}
	*s = (*s)[:n]
}

// turns are the rotations of a chunk's positions, row after row.
type turns struct {
	pairs    int
	cos, sin []float32
}

// fill computes the rotations of positions.
func (t *turns) fill(d *Decoder, r *rotation, positions []int) {
	t.pairs = len(r.frequencies)
	grow(&t.cos, len(positions)*t.pairs)
	grow(&t.sin, len(positions)*t.pairs)
	d.eachRow(func(row int) {
		cos, sin := t.row(row)
		kernel.RotaryAngles(cos, sin, positions[row], r.frequencies)
		if r.scale != 1 {
			scale(cos, r.scale)
			scale(sin, r.scale)
		}
	})
}

func (t *turns) row(i int) (cos, sin []float32) {
	return t.cos[i*t.pairs : (i+1)*t.pairs], t.sin[i*t.pairs : (i+1)*t.pairs]
}

// scale multiplies numbers.
func scale(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

// check remembers the layer in which a mean square was not finite.
func (w *workspace) check(layer int, meanSquare float32) {
	if v := float64(meanSquare); math.IsNaN(v) || math.IsInf(v, 0) {
		w.broken.CompareAndSwap(0, int32(layer)+2)
	}
}

// eachRow calls fn for every row of the chunk.
func (d *Decoder) eachRow(fn func(row int)) { d.each(d.work.rows, fn) }

// each calls fn for 0 … n−1, on all threads where the work is worth it.
func (d *Decoder) each(n int, fn func(i int)) {
	const piece = 8
	if n <= piece {
		for i := range n {
			fn(i)
		}
		return
	}
	d.pool.Run((n+piece-1)/piece, func(p int) {
		for i := p * piece; i < min(n, (p+1)*piece); i++ {
			fn(i)
		}
	})
}

// quantize prepares a row for the matrices that read it.
func quantize(a *kernel.Activations, row int, readers ...*kernel.Matrix) {
	for _, m := range readers {
		if m.Quantized() {
			a.Quantize(row)
			return
		}
	}
}

func (d *Decoder) multiply(a *kernel.Activations, products ...kernel.Product) {
	kernel.Multiply(d.pool, a, products...)
}
