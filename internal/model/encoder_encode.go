package model

import (
	"context"
	"errors"
	"fmt"
)

// Sequence is the tokens of a text, or of a pair of texts.
type Sequence struct {
	Tokens []int32
	Types  []int32 // each token's segment; nil: all are of the first
}

// segment returns a token's type.
func (s *Sequence) segment(i int) int32 {
	if s.Types == nil {
		return 0
	}
	return s.Types[i]
}

// Encode returns the vector of each sequence of token ids, which include
// whatever special tokens the model wants. A sequence's vector is the same bits
// whatever else is in the batch, and on any number of threads.
//
// A sequence of more than Positions tokens is a *ContextError: cutting is the
// caller's decision. So are an empty sequence and an id beyond the vocabulary
// errors, all before anything is computed. When ctx ends, its error is returned
// soon.
func (e *Encoder) Encode(ctx context.Context, sequences [][]int32) ([][]float32, error) {
	plain := make([]Sequence, len(sequences))
	for i, tokens := range sequences {
		plain[i].Tokens = tokens
	}
	return e.EncodeSequences(ctx, plain)
}

// EncodeSequences is Encode for sequences that may have segments.
func (e *Encoder) EncodeSequences(ctx context.Context, sequences []Sequence) ([][]float32, error) {
	return e.encode(ctx, sequences)
}

// encode returns the vector, or the scores, of each sequence.
func (e *Encoder) encode(ctx context.Context, sequences []Sequence) ([][]float32, error) {
	longest, total, err := e.check(sequences)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	out := make([][]float32, len(sequences))
	groups := e.groups(sequences, longest, total)
	if e.wide(longest, total) {
		errs := make([]error, len(groups))
		e.run(len(groups), func(i int) {
			g := groups[i]
			errs[i] = e.pass(ctx, sequences[g.from:g.to], out[g.from:g.to], 1, inline)
		})
		err = errors.Join(errs...)
	} else {
		for _, g := range groups {
			if err = e.pass(ctx, sequences[g.from:g.to], out[g.from:g.to], e.threads(), e.run); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return out, nil
}

// check refuses what cannot be encoded, and measures the rest.
func (e *Encoder) check(sequences []Sequence) (longest, total int, err error) {
	for i, s := range sequences {
		switch {
		case len(s.Tokens) == 0:
			return 0, 0, fmt.Errorf("sequence %d is empty", i)
		case len(s.Tokens) > e.config.Positions:
			return 0, 0, fmt.Errorf("sequence %d: %w", i, &ContextError{Tokens: len(s.Tokens), Limit: e.config.Positions})
		case s.Types != nil && len(s.Types) != len(s.Tokens):
			return 0, 0, fmt.Errorf("sequence %d has %d tokens and the types of %d", i, len(s.Tokens), len(s.Types))
		}
		for _, t := range s.Types {
			if t < 0 || e.config.Types > 0 && int(t) >= e.config.Types {
				return 0, 0, fmt.Errorf("sequence %d has a token of type %d; the model has %d types", i, t, e.config.Types)
			}
		}
		for _, id := range s.Tokens {
			if id < 0 || int(id) >= e.config.Vocab {
				return 0, 0, fmt.Errorf("sequence %d has the token %d; the vocabulary has %d", i, id, e.config.Vocab)
			}
		}
		longest, total = max(longest, len(s.Tokens)), total+len(s.Tokens)
	}
	return longest, total, nil
}

// A batch is cut into groups of whole sequences that go through the layers
// together. It is wide when there are enough groups that every thread can have
// its own and none waits long for the last; then threads never meet inside a
// layer. Otherwise all threads share each product of one group.

// groupRows is the tokens of a group: enough that a weight is used often once
// it is in the cache, few enough that the rows' own numbers stay there.
const groupRows = 256

// wide decides by the longest sequence, which no thread can share.
func (e *Encoder) wide(longest, total int) bool {
	return e.threads() > 1 && longest*2*e.threads() <= total
}

// group is the sequences from ≤ i < to.
type group struct{ from, to int }

// groups cuts a batch.
func (e *Encoder) groups(sequences []Sequence, longest, total int) []group {
	limit := groupRows
	if e.wide(longest, total) {
		limit = min(limit, total/(2*e.threads()))
	}
	var groups []group
	rows := 0
	for i, s := range sequences {
		if len(groups) == 0 || rows+len(s.Tokens) > limit {
			groups = append(groups, group{i, i})
			rows = 0
		}
		rows += len(s.Tokens)
		groups[len(groups)-1].to = i + 1
	}
	return groups
}

// threads returns the number of threads that run uses.
func (e *Encoder) threads() int {
	if e.pool == nil {
		return 1
	}
	return e.pool.Threads()
}

// run calls fn(0) … fn(n-1) on the encoder's threads.
func (e *Encoder) run(n int, fn func(i int)) {
	if e.pool == nil {
		inline(n, fn)
		return
	}
	e.pool.Run(n, fn)
}

// inline calls fn(0) … fn(n-1) on this thread.
func inline(n int, fn func(i int)) {
	for i := range n {
		fn(i)
	}
}
