package model

import (
	"context"
	"fmt"
	"math"

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
	width, wide, hidden int
	x                   []float32 // the residual stream
	projections         []float32 // queries, keys and values side by side
	attended            []float32 // the heads' results side by side
	inner               []float32 // between the two feed-forward products
	change              []float32 // what is added to x
}

// rowSpan is the rows of one sequence.
type rowSpan struct{ first, count int }

// pass fills out with the vectors of sequences. run is called with what can go
// in parallel, on so many threads.
func (e *Encoder) pass(ctx context.Context, sequences [][]int32, out [][]float32, threads int, run func(int, func(int))) error {
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
		if !p.layer(&e.layers[i]) {
			return fmt.Errorf("layer %d: a number is not finite", i)
		}
	}
	for i := range sequences {
		out[i] = e.vector(p.x, p.width, p.spans[i])
	}
	return nil
}

// prepare lays out the rows and makes room for them.
func (p *encoderPass) prepare(sequences [][]int32) {
	c := &p.e.config
	p.spans, p.rows = p.spans[:0], 0
	for _, s := range sequences {
		p.spans = append(p.spans, rowSpan{p.rows, len(s)})
		p.rows += len(s)
	}
	p.width, p.wide, p.hidden = kernel.Stride(c.Width), kernel.Stride(3*c.Width), kernel.Stride(c.FeedForward)
	p.x = resize(p.x, p.rows*p.width)
	p.projections = resize(p.projections, p.rows*p.wide)
	p.attended = resize(p.attended, p.rows*p.width)
	p.inner = resize(p.inner, p.rows*p.hidden)
	p.change = resize(p.change, p.rows*p.width)
}

// resize returns a slice of n numbers, x's memory where it is large enough.
func resize(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}

// embed fills x: the sum of a token's, its position's and its segment's rows,
// normalised (Devlin et al. 2019, figure 2).
func (p *encoderPass) embed(sequences [][]int32) {
	e, w := p.e, p.e.config.Width
	p.run(len(sequences), func(i int) {
		for j, id := range sequences[i] {
			row := p.row(p.x, p.width, p.spans[i].first+j)
			copy(row, e.words[int(id)*w:][:w])
			kernel.Axpy(1, e.types[:w], row)
			kernel.Axpy(1, e.positions[j*w:][:w], row)
			e.embedded.apply(row, e.config.Epsilon)
		}
	})
}

// row returns a row of the model's width in a matrix.
func (p *encoderPass) row(m []float32, stride, i int) []float32 {
	return m[i*stride:][:p.e.config.Width]
}

// apply normalises a row and says whether its numbers were finite.
func (n *layerNorm) apply(row []float32, epsilon float64) bool {
	v := float64(kernel.LayerNorm(row, n.gain, n.bias, float32(epsilon)))
	return !math.IsNaN(v) && !math.IsInf(v, 0)
}

// layer takes x through one layer of the post-norm transformer (Vaswani et al.
// 2017, section 3.1). It reports false when numbers are no longer finite.
func (p *encoderPass) layer(l *encoderLayer) bool {
	p.multiply(&l.attention, p.projections, p.wide, p.x, p.width, nil)
	p.attend()
	p.multiply(&l.projected, p.change, p.width, p.attended, p.width, nil)
	finite := p.add(&l.attended)
	p.multiply(&l.up, p.inner, p.hidden, p.x, p.width, kernel.GELU)
	p.multiply(&l.down, p.change, p.width, p.inner, p.hidden, nil)
	return p.add(&l.output) && finite
}

// multiply sets dst to m times b, and applies then to each row's new numbers
// if it is not nil.
func (p *encoderPass) multiply(b *kernel.Panels, dst []float32, dstStride int, m []float32, stride int, then func([]float32)) {
	tall, broad := p.cut(b.Count())
	p.run(tall*broad, func(i int) {
		first, last := share(i/broad, tall, p.rows)
		from, to := share(i%broad, broad, b.Count())
		b.Multiply(dst[first*dstStride:], dstStride, m[first*stride:], stride, last-first, from, to)
		if then == nil {
			return
		}
		for r := first; r < last; r++ {
			then(dst[r*dstStride:][from*kernel.PanelWidth : min(to*kernel.PanelWidth, b.Columns())])
		}
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

// add adds change to x and normalises, row by row.
func (p *encoderPass) add(n *layerNorm) bool {
	blocks, _ := p.cut(1)
	finite := make([]bool, blocks)
	p.run(blocks, func(i int) {
		ok := true
		first, last := share(i, blocks, p.rows)
		for r := first; r < last; r++ {
			row := p.row(p.x, p.width, r)
			kernel.Axpy(1, p.row(p.change, p.width, r), row)
			ok = n.apply(row, p.e.config.Epsilon) && ok
		}
		finite[i] = ok
	})
	for _, ok := range finite {
		if !ok {
			return false
		}
	}
	return true
}
