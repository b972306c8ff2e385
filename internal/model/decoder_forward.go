package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Input is one sequence's part of a call of Forward.
type Input struct {
	Cache  *Cache
	Tokens []int32 // appended to the cache; at least one

	// Rows are the indexes in Tokens whose logits are wanted: Rows[i]'s go to
	// Logits[i], Vocab numbers. Forward makes what is nil in Logits, and Logits
	// itself.
	Rows   []int
	Logits [][]float32
}

// ContextError says that a sequence would not fit the model's context.
type ContextError struct {
	Tokens int // what the sequence would have
	Limit  int // what the model can have
}

func (e *ContextError) Error() string {
	return fmt.Sprintf("the sequence would have %d tokens, the model's context is %d", e.Tokens, e.Limit)
}

// chunkRows is how many rows go through the layers at a time: enough that
// weights are used well while they are in the cache, few enough that the rows'
// own numbers stay small.
const chunkRows = 512

// Forward runs the tokens of several sequences through the model and appends
// them to their caches. Products are computed for all sequences together, yet
// each sequence's numbers are the same bits as alone, in any chunks, on any
// number of threads.
//
// Everything is checked first: a *ContextError or any other complaint about the
// inputs leaves all caches as they were. So does an error on the way: when ctx
// ends, or when a number is no longer finite, which names the layer.
func (d *Decoder) Forward(ctx context.Context, batch []*Input) error {
	defer runtime.KeepAlive(d) // the weights go with it
	if err := d.check(batch); err != nil {
		return fmt.Errorf("model forward: %w", err)
	}
	lengths := make([]int, len(batch))
	for i, in := range batch {
		lengths[i] = in.Cache.length
		if in.Logits == nil {
			in.Logits = make([][]float32, len(in.Rows))
		}
		for j, row := range in.Logits {
			if row == nil {
				in.Logits[j] = make([]float32, d.config.Vocab)
			}
		}
	}
	for _, spans := range chunks(batch) {
		err := context.Cause(ctx)
		if err == nil {
			err = d.step(spans)
		}
		if err != nil {
			for i, in := range batch {
				in.Cache.Truncate(lengths[i])
			}
			return fmt.Errorf("model forward: %w", err)
		}
	}
	return nil
}

// check looks at everything that could be wrong with a batch.
func (d *Decoder) check(batch []*Input) error {
	seen := map[*Cache]bool{}
	for i, in := range batch {
		switch {
		case in.Cache == nil || in.Cache.decoder != d:
			return fmt.Errorf("input %d: the cache is not of this model", i)
		case seen[in.Cache]:
			return fmt.Errorf("input %d: its cache is in the batch already", i)
		case len(in.Tokens) == 0:
			return fmt.Errorf("input %d has no tokens", i)
		case in.Logits != nil && len(in.Logits) != len(in.Rows):
			return fmt.Errorf("input %d: space for %d rows of logits, %d are wanted", i, len(in.Logits), len(in.Rows))
		}
		seen[in.Cache] = true
		if n := in.Cache.length + len(in.Tokens); n > d.config.Context {
			return fmt.Errorf("input %d: %w", i, &ContextError{Tokens: n, Limit: d.config.Context})
		}
		for _, t := range in.Tokens {
			if t < 0 || int(t) >= d.config.Vocab {
				return fmt.Errorf("input %d: token %d is not in the vocabulary of %d", i, t, d.config.Vocab)
			}
		}
		for j, r := range in.Rows {
			if r < 0 || r >= len(in.Tokens) {
				return fmt.Errorf("input %d: row %d of %d tokens is wanted", i, r, len(in.Tokens))
			}
			if in.Logits != nil && in.Logits[j] != nil && len(in.Logits[j]) != d.config.Vocab {
				return fmt.Errorf("input %d: space for %d logits, the vocabulary is %d", i, len(in.Logits[j]), d.config.Vocab)
			}
		}
	}
	return nil
}

// span is a run of one sequence's tokens in a chunk.
type span struct {
	in       *Input
	first, n int // in.Tokens[first:first+n]
	row      int // the chunk's row of the first
	position int // and its position in the sequence
}

// chunks cuts a batch into runs of at most chunkRows rows.
func chunks(batch []*Input) [][]span {
	var out [][]span
	var now []span
	rows := 0
	for _, in := range batch {
		position := in.Cache.length
		for first := 0; first < len(in.Tokens); {
			n := min(len(in.Tokens)-first, chunkRows-rows)
			now = append(now, span{in, first, n, rows, position + first})
			first, rows = first+n, rows+n
			if rows == chunkRows {
				out = append(out, now)
				now, rows = nil, 0
			}
		}
	}
	if rows > 0 {
		out = append(out, now)
	}
	return out
}

// workspace is the numbers of a chunk on their way through the layers, a row
// for each token.
type workspace struct {
	rows       int
	x          kernel.Activations // between layers: the residual stream
	normed     kernel.Activations // input of the query, key, value, gate and up matrices
	attended   kernel.Activations // input of the projection
	gated      kernel.Activations // input of the down matrix
	last       kernel.Activations // rows whose logits are wanted
	query      []float32
	key, value []float32
	added      []float32 // what a half layer adds to x
	up         []float32
	cos, sin   []float32
	logits     []float32
	attention  attention
	broken     atomic.Int32 // 1 + the layer in which a number stopped being finite
}

// logitRows is how many rows of logits are computed at a time.
const logitRows = 32

// workBytes is about the memory that workspace takes for a full chunk.
func (c *DecoderConfig) workBytes() int64 {
	heads, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	row := 4*c.Width + 2*heads + 2*kv + 3*c.FeedForward + c.RopeDims // floats
	row += (2*c.Width + heads + c.FeedForward) / 2                   // their quantised forms
	return 4 * (int64(min(chunkRows, c.Context))*int64(row) + logitRows*int64(c.Vocab))
}

func (w *workspace) resize(c *DecoderConfig, rows int) {
	w.rows = rows
	heads, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	w.x.Resize(rows, c.Width)
	w.normed.Resize(rows, c.Width)
	w.attended.Resize(rows, heads)
	w.gated.Resize(rows, c.FeedForward)
	for _, s := range []struct {
		slice *[]float32
		n     int
	}{
		{&w.query, heads}, {&w.key, kv}, {&w.value, kv}, {&w.added, c.Width},
		{&w.up, c.FeedForward}, {&w.cos, c.RopeDims / 2}, {&w.sin, c.RopeDims / 2},
	} {
		if cap(*s.slice) < rows*s.n {
			*s.slice = make([]float32, rows*s.n)
		}
		*s.slice = (*s.slice)[:rows*s.n]
	}
}

// step runs one chunk through the model.
func (d *Decoder) step(spans []span) error {
	w := &d.work
	end := spans[len(spans)-1]
	w.resize(&d.config, end.row+end.n)
	w.broken.Store(0)
	for _, s := range spans {
		if err := s.in.Cache.grow(s.n); err != nil {
			return err
		}
	}
	d.embed(spans)
	w.attention.plan(d, spans)
	for i := range d.layers {
		d.attend(i, spans)
		d.feedForward(i)
		if w.broken.Load() != 0 {
			break
		}
	}
	if n := w.broken.Load(); n != 0 {
		return fmt.Errorf("a number in layer %d of %d is not finite: the weights are damaged or do not suit this model", n-1, d.config.Layers)
	}
	for _, s := range spans {
		s.in.Cache.length += s.n
	}
	return d.outputs(spans)
}

// eachRow calls fn for every row, on all threads where the work is worth it.
func (d *Decoder) eachRow(fn func(row int)) {
	const piece = 8
	n := d.work.rows
	if n <= piece {
		for i := range n {
			fn(i)
		}
		return
	}
	d.pool.Run((n+piece-1)/piece, func(i int) {
		for row := i * piece; row < min(n, (i+1)*piece); row++ {
			fn(row)
		}
	})
}

// embed looks the tokens up and computes their positions' rotations.
func (d *Decoder) embed(spans []span) {
	w, half := &d.work, len(d.frequencies)
	for _, s := range spans {
		for i, t := range s.in.Tokens[s.first : s.first+s.n] {
			d.embedding.Row(int(t), w.x.Row(s.row+i))
		}
	}
	positions := make([]int, w.rows)
	for _, s := range spans {
		for i := range s.n {
			positions[s.row+i] = s.position + i
		}
	}
	d.eachRow(func(r int) {
		kernel.RotaryAngles(w.cos[r*half:(r+1)*half], w.sin[r*half:(r+1)*half], positions[r], d.frequencies)
	})
}

// normalise puts RMSNorm of the residual stream into normed, ready for the
// matrices that read it.
func (d *Decoder) normalise(layer, row int, weight []float32, readers ...*kernel.Matrix) {
	w := &d.work
	meanSquare := kernel.RMSNorm(w.normed.Row(row), w.x.Row(row), weight, float32(d.config.Epsilon))
	if v := float64(meanSquare); math.IsNaN(v) || math.IsInf(v, 0) {
		w.broken.CompareAndSwap(0, int32(layer)+1)
	}
	quantize(&w.normed, row, readers...)
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

// attend is the first half of a layer: x += projected · attention(norm(x)).
func (d *Decoder) attend(layer int, spans []span) {
	w, l := &d.work, &d.layers[layer]
	d.eachRow(func(r int) { d.normalise(layer, r, l.attentionNorm, l.query, l.key, l.value) })
	d.multiply(&w.normed,
		kernel.Product{Matrix: l.query, Out: w.query},
		kernel.Product{Matrix: l.key, Out: w.key},
		kernel.Product{Matrix: l.value, Out: w.value})
	d.store(layer, spans)
	w.attention.run(d, layer)
	d.eachRow(func(r int) { quantize(&w.attended, r, l.projected) })
	d.multiply(&w.attended, kernel.Product{Matrix: l.projected, Out: w.added})
}

// feedForward is the second half: x += down · (silu(gate·norm(x)) ∘ up·norm(x)).
// It first adds what attend left to add.
func (d *Decoder) feedForward(layer int) {
	w, l, c := &d.work, &d.layers[layer], &d.config
	d.eachRow(func(r int) {
		kernel.Axpy(1, w.added[r*c.Width:(r+1)*c.Width], w.x.Row(r))
		d.normalise(layer, r, l.forwardNorm, l.gate, l.up)
	})
	d.multiply(&w.normed,
		kernel.Product{Matrix: l.gate, Out: w.gated.All()},
		kernel.Product{Matrix: l.up, Out: w.up})
	d.eachRow(func(r int) {
		kernel.SiLUMul(w.gated.Row(r), w.up[r*c.FeedForward:(r+1)*c.FeedForward])
		quantize(&w.gated, r, l.down)
	})
	d.multiply(&w.gated, kernel.Product{Matrix: l.down, Out: w.added})
	d.eachRow(func(r int) { kernel.Axpy(1, w.added[r*c.Width:(r+1)*c.Width], w.x.Row(r)) })
}

func (d *Decoder) multiply(a *kernel.Activations, products ...kernel.Product) {
	kernel.Multiply(d.pool, a, products...)
}

// store rotates queries and keys and writes keys and values into the caches.
func (d *Decoder) store(layer int, spans []span) {
	w, c, half := &d.work, &d.config, len(d.frequencies)
	heads, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	owner := w.attention.owner
	d.eachRow(func(r int) {
		cos, sin := w.cos[r*half:(r+1)*half], w.sin[r*half:(r+1)*half]
		kernel.Rotate(w.query[r*heads:(r+1)*heads], c.HeadSize, c.Pairing, cos, sin)
		key, value := w.key[r*kv:(r+1)*kv], w.value[r*kv:(r+1)*kv]
		kernel.Rotate(key, c.HeadSize, c.Pairing, cos, sin)
		s := &spans[owner[r]]
		position := s.position + r - s.row
		block := s.in.Cache.blocks[position/kernel.PageTokens]
		for h := range c.KVHeads {
			at := h * c.HeadSize
			kernel.StoreKV(d.page(block, layer, h), position%kernel.PageTokens, key[at:at+c.HeadSize], value[at:at+c.HeadSize])
		}
	})
}

// errNotFinite is what logits with a NaN or an infinity end in.
var errNotFinite = errors.New("the last layer's numbers are not finite: the weights are damaged or do not suit this model")

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
		if n == 1 {
			d.multiply(&w.last, kernel.Product{Matrix: d.output, Out: into[0]})
			continue
		}
		vocab := d.config.Vocab
		if len(w.logits) < n*vocab {
			w.logits = make([]float32, n*vocab)
		}
		d.multiply(&w.last, kernel.Product{Matrix: d.output, Out: w.logits})
		d.pool.Run(n, func(i int) { copy(into[i], w.logits[i*vocab:]) })
	}
	return nil
}
