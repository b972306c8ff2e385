package llm

import (
	"cmp"
	"context"
	"slices"

	"github.com/ragstone/ragstone/internal/model"
)

// turns lets callers run an encoder one batch at a time, so that a question does
// not wait for a whole folder.
type turns struct {
	encode func(ctx context.Context, sequences []model.Sequence) ([][]float32, error)
	free   func()

	turn   chan struct{} // holds one token; whoever has it runs the encoder
	closed bool          // read and written only by whoever has the turn
}

func newTurns(encode func(context.Context, []model.Sequence) ([][]float32, error), free func()) turns {
	t := turns{encode: encode, free: free, turn: make(chan struct{}, 1)}
	t.turn <- struct{}{}
	return t
}

// close waits for what runs and frees the encoder; later calls fail with
// ErrClosed. Closing twice is fine.
func (t *turns) close() {
	<-t.turn
	defer func() { t.turn <- struct{}{} }()
	if !t.closed {
		t.closed = true
		t.free()
	}
}

// piece is a sequence on its way through the encoder.
type piece struct {
	text int // whose it is
	model.Sequence
	result []float32
}

// batchTokens is the work of one turn.
const batchTokens = 4096

// run fills in the results of pieces, in batches of similar length.
func (t *turns) run(ctx context.Context, pieces []*piece) error {
	sorted := slices.Clone(pieces)
	slices.SortStableFunc(sorted, func(a, b *piece) int { return cmp.Compare(len(a.Tokens), len(b.Tokens)) })
	for len(sorted) > 0 {
		n, tokens := 0, 0
		for n < len(sorted) && (n == 0 || tokens+len(sorted[n].Tokens) <= batchTokens) {
			tokens += len(sorted[n].Tokens)
			n++
		}
		if err := t.runBatch(ctx, sorted[:n]); err != nil {
			return err
		}
		sorted = sorted[n:]
	}
	return nil
}

func (t *turns) runBatch(ctx context.Context, batch []*piece) error {
	select {
	case <-t.turn:
		defer func() { t.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.closed {
		return ErrClosed
	}
	sequences := make([]model.Sequence, len(batch))
	for i, p := range batch {
		sequences[i] = p.Sequence
	}
	results, err := t.encode(ctx, sequences)
	if err != nil {
		return err
	}
	for i, p := range batch {
		p.result = results[i]
	}
	return nil
}
