package model

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	w.attention[0].plan(d, spans, 0)
	if d.config.Windowed != nil {
		w.attention[1].plan(d, spans, d.config.Window)
	}
	for i := range d.layers {
		d.attend(i, spans)
		d.feedForward(i)
		if w.broken.Load() != 0 {
			break
		}
	}
	switch n := w.broken.Load(); n {
	case 0:
	case 1:
		return errors.New("the embedding of a token is not finite: the weights are damaged")
	default:
		return fmt.Errorf("a number of layer %d of %d is not finite: the weights are damaged or do not suit this model", n-2, d.config.Layers)
	}
	for _, s := range spans {
		s.in.Cache.length += s.n
	}
	return d.outputs(spans)
}
