package inference

import (
	"errors"
	"fmt"
	"iter"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/llm"
)

// ContextError means that a text does not fit the model's window. Nothing was
// cut and nothing was run.
type ContextError struct {
	Param     string // messages, prompt or input
	Limit     int    // tokens the window holds
	Requested int    // tokens the text has
	AtLeast   bool   // it has that many or more
}

func (e *ContextError) Error() string {
	return fmt.Sprintf("%s has %d tokens, the window holds %d", e.Param, e.Requested, e.Limit)
}

// running is a generation that has been admitted and has given its first
// piece, so that what can be wrong with its request has shown.
type running struct {
	Head
	param string // where the request keeps its prompt

	next        func() (llm.Delta, error, bool)
	stop        func()
	first       llm.Delta
	reservation *account.Reservation

	atLeast Usage // of what has been read: the prompt's bound, one token a piece
	usage   *llm.Usage
}

// start takes the upper bound of a generation from the caller's buckets, runs
// it up to its first piece, and hands it over. The caller closes it.
func (s *Service) start(caller account.Caller, r route, param string, bound Usage, stream iter.Seq2[llm.Delta, error]) (*running, error) {
	reservation, err := s.limiter.Reserve(account.Demand{
		Tenant: caller.Tenant,
		Model:  r.model.Name,
		Asked:  r.asked,
		Tokens: bound.PromptTokens + bound.CompletionTokens,
	})
	if err != nil {
		return nil, err
	}
	run := &running{
		Head:        Head{r.model.Name, reservation.Limits()},
		param:       param,
		reservation: reservation,
		atLeast:     Usage{PromptTokens: bound.PromptTokens},
	}
	run.next, run.stop = iter.Pull2(stream)
	delta, err, ok := run.next()
	if err == nil && !ok {
		err = errors.New("the model ended without an answer")
	}
	if err != nil {
		run.atLeast = Usage{} // it was refused: nothing ran
		run.Close()
		return nil, run.explain(err)
	}
	run.first = delta
	return run, nil
}

// deltas is the rest of the generation. It can be ranged over once.
func (r *running) deltas() iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		delta, ok := r.first, true
		var err error
		for ; ok && err == nil; delta, err, ok = r.next() {
			r.atLeast.CompletionTokens++
			if delta.Usage != nil {
				r.usage = delta.Usage
			}
			if !yield(delta, nil) {
				return
			}
		}
		if ok {
			yield(llm.Delta{}, r.explain(err))
		}
	}
}

// explain puts a model's error in the terms of the request.
func (r *running) explain(err error) error {
	var window *llm.ContextLengthError
	if errors.As(err, &window) {
		return &ContextError{Param: r.param, Limit: window.Limit, Requested: window.Requested}
	}
	return err
}

// Usage is what the generation has taken so far: exact once it has ended, and
// until then the most its prompt can have and one token for each piece.
func (r *running) Usage() Usage {
	if r.usage != nil {
		return Usage{r.usage.PromptTokens, r.usage.CompletionTokens}
	}
	return r.atLeast
}

// Close ends the generation if it still runs and settles it. Closing twice is
// fine.
func (r *running) Close() {
	r.stop()
	used := r.Usage()
	r.reservation.Settle(used.PromptTokens + used.CompletionTokens)
}
