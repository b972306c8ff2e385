package inference

import (
	"context"
	"iter"
	"sync"

	"github.com/ragstone/ragstone/llm"
)

// maxTogether bounds the prompts of one request that run at once. A model
// computes what runs together as one batch; more of one request would only
// take turns from the others'.
const maxTogether = 8

// inParallel runs n generations, a few at a time, and merges their pieces into
// one stream: choice i of generation g becomes choice g·choices+i, and the
// usage of all is added up in a last piece. The first error ends all of them.
// Leaving the loop cancels them and waits until they have ended.
func inParallel(ctx context.Context, n, choices int, generate func(ctx context.Context, g int) iter.Seq2[llm.Delta, error]) iter.Seq2[llm.Delta, error] {
	if n == 1 {
		return generate(ctx, 0)
	}
	return func(yield func(llm.Delta, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pieces := make(chan piece)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()

		queue := make(chan int, n)
		for g := range n {
			queue <- g
		}
		close(queue)
		for range min(n, maxTogether) {
			workers.Go(func() {
				for g := range queue {
					for delta, err := range generate(ctx, g) {
						delta.Index += g * choices
						delta.PromptTokens = 0 // of one prompt of several
						select {
						case pieces <- piece{delta, err}:
						case <-ctx.Done():
							return
						}
					}
				}
			})
		}
		go func() { workers.Wait(); close(pieces) }()

		var total llm.Usage
		for p := range pieces {
			if u := p.delta.Usage; u != nil {
				total.PromptTokens += u.PromptTokens
				total.CachedTokens += u.CachedTokens
				total.CompletionTokens += u.CompletionTokens
				p.delta.Usage = nil
			}
			if !yield(p.delta, p.err) || p.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(llm.Delta{}, err)
			return
		}
		yield(llm.Delta{Usage: &total}, nil)
	}
}

// piece is what a generation hands to the merged stream.
type piece struct {
	delta llm.Delta
	err   error
}
