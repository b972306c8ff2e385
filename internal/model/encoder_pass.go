package model

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// encoderPass carries a group of sequences through the layers. Their rows lie
// one after another, without padding: products do not care where a sequence
// ends, and attention is computed sequence by sequence.
type encoderPass struct {
	e       *Encoder
	run     func(n int, fn func(i int))
	threads int
	spans   []rowSpan
	rows    int

	// Matrices of rows; the number before each is its stride.
	width, wide, mixed, hidden int
	x                          []float32       // the residual stream
	normed                     []float32       // x, normalised
	projections                []float32       // queries, keys and values side by side
	attended                   []float32       // the heads' results side by side
	inner                      []float32       // between the two feed-forward products
	change                     []float32       // what is added to x
	bytes                      kernel.ByteRows // the left factor of a product in Int8
}

// rowSpan is the rows of one sequence.
type rowSpan struct{ first, count int }

// pass fills out with the vectors of sequences, or the scores of pairs. run is
// called with what can go in parallel, on so many threads.
func (e *Encoder) pass(ctx context.Context, sequences []Sequence, out [][]float32, threads int, run func(int, func(int))) error {
	p, _ := e.passes.Get().(*encoderPass)
	if p == nil {
		p = &encoderPass{e: e}
	}
	defer e.passes.Put(p)
	p.run, p.threads = run, threads
	p.prepare(sequences)
	p.embed(sequences)
	for i := range e.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !p.layer(i) {
			return fmt.Errorf("layer %d: a number is not finite", i)
		}
	}
	if e.final.gain != nil && !p.normalise(&e.final, p.x) {
		return fmt.Errorf("layer %d: a number is not finite", len(e.layers)-1)
	}
	for i := range sequences {
		if e.head != nil {
			out[i] = e.scores(p.x, p.width, p.spans[i])
		} else {
			out[i] = e.vector(p.x, p.width, p.spans[i])
		}
	}
	return nil
}

// prepare lays out the rows and makes room for them.
func (p *encoderPass) prepare(sequences []Sequence) {
	c := &p.e.config
	p.spans, p.rows = p.spans[:0], 0
	for _, s := range sequences {
		p.spans = append(p.spans, rowSpan{p.rows, len(s.Tokens)})
		p.rows += len(s.Tokens)
	}
	p.width, p.wide = kernel.Stride(c.Width), kernel.Stride(c.projections())
	p.mixed, p.hidden = kernel.Stride(c.queries()), kernel.Stride(c.inner())
	p.x = resize(p.x, p.rows*p.width)
	p.projections = resize(p.projections, p.rows*p.wide)
	p.attended = resize(p.attended, p.rows*p.mixed)
	p.inner = resize(p.inner, p.rows*p.hidden)
	p.change = resize(p.change, p.rows*p.width)
	if c.PreNorm {
		p.normed = resize(p.normed, p.rows*p.width)
	}
}

// resize returns a slice of n numbers, x's memory where it is large enough.
func resize(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}

// embed fills x: the sum of a token's, its position's and its segment's rows,
// normalised (Devlin et al. 2019, figure 2); an architecture has some of these.
func (p *encoderPass) embed(sequences []Sequence) {
	e, c := p.e, &p.e.config
	w := c.Width
	p.run(len(sequences), func(i int) {
		place := c.FirstRow
		for j, id := range sequences[i].Tokens {
			row := p.row(p.x, p.width, p.spans[i].first+j)
			copy(row, e.words[int(id)*w:][:w])
			if e.types != nil {
				kernel.Axpy(1, e.types[int(sequences[i].segment(j))*w:][:w], row)
			}
			if e.positions != nil {
				at := place
				if id == c.Padding {
					at = int(c.Padding)
				} else {
					place++
				}
				kernel.Axpy(1, e.positions[at*w:][:w], row)
			}
			if e.first.gain != nil {
				e.first.apply(row, c)
			}
		}
	})
}

// row returns a row of the model's width in a matrix.
func (p *encoderPass) row(m []float32, stride, i int) []float32 {
	return m[i*stride:][:p.e.config.Width]
}

// apply normalises a row and says whether its numbers were finite.
func (n *layerNorm) apply(row []float32, c *EncoderConfig) bool {
	var v float64
	if c.RMSNorm {
		v = float64(kernel.RMSNorm(row, row, n.gain, float32(c.Epsilon)))
	} else {
		v = float64(kernel.LayerNorm(row, n.gain, n.bias, float32(c.Epsilon)))
	}
	return !math.IsNaN(v) && !math.IsInf(v, 0)
}

// layer takes x through one layer: attention and a feed-forward network, each
// added to x, each with a normalisation after the sum (Vaswani et al. 2017,
// section 3.1) or before all else (Xiong et al. 2020). It reports false when
// numbers are no longer finite.
func (p *encoderPass) layer(i int) bool {
	e := p.e
	l, c := &e.layers[i], &e.config
	in, ok := p.input(&l.attended)
	p.multiply(&l.attention, p.projections, p.wide, in, p.width, nil)
	p.turn(i)
	p.attend(i)
	p.multiply(&l.projected, p.change, p.width, p.attended, p.mixed, nil)
	ok = p.add(&l.attended) && ok

	in, finite := p.input(&l.output)
	if c.Gated {
		p.multiply(&l.up, p.inner, p.hidden, in, p.width, nil)
		p.eachRow(func(r int) bool {
			row := p.inner[r*p.hidden:][:2*c.FeedForward]
			c.Activation.gate(row[:c.FeedForward], row[c.FeedForward:])
			return true
		})
	} else {
		p.multiply(&l.up, p.inner, p.hidden, in, p.width, c.Activation.apply)
	}
	p.multiply(&l.down, p.change, p.width, p.inner, p.hidden, nil)
	return p.add(&l.output) && ok && finite
}

// input returns what one half of a layer reads: x, normalised where the
// architecture normalises first.
func (p *encoderPass) input(n *layerNorm) (in []float32, finite bool) {
	if !p.e.config.PreNorm || n.gain == nil {
		return p.x, true
	}
	return p.normed, p.normalise(n, p.normed)
}

// normalise sets the rows of into, which may be x, to those of x normalised.
func (p *encoderPass) normalise(n *layerNorm, into []float32) bool {
	return p.eachRow(func(r int) bool {
		row := p.row(into, p.width, r)
		copy(row, p.row(p.x, p.width, r))
		return n.apply(row, &p.e.config)
	})
}

// add adds change to x, and normalises where the architecture does it last.
func (p *encoderPass) add(n *layerNorm) bool {
	c := &p.e.config
	return p.eachRow(func(r int) bool {
		row := p.row(p.x, p.width, r)
		kernel.Axpy(1, p.row(p.change, p.width, r), row)
		return c.PreNorm || n.apply(row, c)
	})
}

// turn prepares queries and keys for comparison: each head is normalised, then
// rotated by its token's position, where the architecture does so.
func (p *encoderPass) turn(layer int) {
	l, c := &p.e.layers[layer], &p.e.config
	if l.queryNorm == nil && c.Rotary == nil {
		return
	}
	var table *rotaryTable
	if c.Rotary != nil {
		table = p.e.rotary[c.Rotary[layer]]
	}
	p.run(len(p.spans), func(i int) {
		s := p.spans[i]
		var cos, sin []float32
		if table != nil {
			cos, sin = table.upTo(s.count)
		}
		for j := range s.count {
			row := p.projections[(s.first+j)*p.wide:][:(c.Heads+c.KVHeads)*c.HeadSize]
			if l.queryNorm != nil {
				for h := range c.Heads + c.KVHeads {
					gain := l.queryNorm
					if h >= c.Heads {
						gain = l.keyNorm
					}
					head := row[h*c.HeadSize:][:c.HeadSize]
					kernel.RMSNorm(head, head, gain, float32(c.Epsilon))
				}
			}
			if table != nil {
				n := c.HeadSize / 2
				kernel.Rotate(row, c.HeadSize, kernel.Halves, cos[j*n:][:n], sin[j*n:][:n])
			}
		}
	})
}

// eachRow calls fn for every row, some at a time, and says whether every call
// returned true.
func (p *encoderPass) eachRow(fn func(r int) bool) bool {
	blocks, _ := p.cut(1)
	good := make([]bool, blocks)
	p.run(blocks, func(i int) {
		ok := true
		first, last := share(i, blocks, p.rows)
		for r := first; r < last; r++ {
			ok = fn(r) && ok
		}
		good[i] = ok
	})
	return !slices.Contains(good, false)
}

// multiply sets dst to m times b, and applies then to each row's new numbers
// if it is not nil.
func (p *encoderPass) multiply(b *linear, dst []float32, dstStride int, m []float32, stride int, then func([]float32)) {
	if !b.exact {
		p.quantize(b, m, stride)
	}
	tall, broad := p.cut(b.count())
	p.run(tall*broad, func(i int) {
		first, last := share(i/broad, tall, p.rows)
		from, to := share(i%broad, broad, b.count())
		if b.exact {
			b.panels.Multiply(dst[first*dstStride:], dstStride, m[first*stride:], stride, last-first, from, to)
		} else {
			b.multiplyBytes(dst[first*dstStride:], dstStride, &p.bytes, first, last, from, to)
		}
		if then == nil {
			return
		}
		for r := first; r < last; r++ {
			then(dst[r*dstStride:][from*kernel.PanelWidth : min(to*kernel.PanelWidth, b.columns())])
		}
	})
}

// quantize makes m the left factor of a product in Int8. The rotated rows go
// into change, which is free whenever a product begins, or where they do not fit
// into m, which is then one that is read only once.
func (p *encoderPass) quantize(b *linear, m []float32, stride int) {
	k := b.bytes.Rows()
	turned, turnedStride := m, stride
	if stride == p.width {
		turned, turnedStride = p.change, p.width
	}
	p.bytes.Resize(p.rows, k)
	p.eachRow(func(r int) bool {
		p.bytes.Quantize(r, m[r*stride:][:k], b.balance, turned[r*turnedStride:][:k])
		return true
	})
}

// blockRows is the rows of a piece of work: a multiple of a tile's height
// whose numbers stay in a core's own cache.
const blockRows = 48

// cut returns into how many parts the rows and the panels of a product are cut:
// by rows, and where those are few also by panels, until every thread has
// enough pieces.
func (p *encoderPass) cut(panels int) (tall, broad int) {
	tall = (p.rows + blockRows - 1) / blockRows
	pieces := 3 * p.threads
	if p.threads == 1 || tall >= pieces {
		return tall, 1
	}
	return tall, min(panels, (pieces+tall-1)/tall)
}

// share returns the i-th of n nearly equal parts of total.
func share(i, n, total int) (from, to int) { return total * i / n, total * (i + 1) / n }
