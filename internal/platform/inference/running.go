package inference

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
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
	work  *work

	next  func() (llm.Delta, error, bool)
	stop  func()
	first llm.Delta

	admission admission
	begun     bool // the first piece has come, and there is something to charge
	settled   bool

	atLeast Usage // of what has been read: the prompt, or its bound, and one token a piece
	exact   llm.Usage
	isExact bool // the model has told its usage, with its last piece

	// estimate counts what has come of an answer that tells no usage. Nil:
	// atLeast does.
	estimate func() Usage
}

// textKind is a kind of request for text.
type textKind struct {
	operation operation
	param     string // where the request keeps its prompt
}

var (
	chatText       = textKind{opChat, "messages"}
	completionText = textKind{opCompletion, "prompt"}
)

// start admits a generation by its upper bound, runs it up to its first piece,
// and hands it over. The caller closes it.
func (s *Service) start(ctx context.Context, caller account.Caller, r *route, kind textKind, id string, bound Usage, stream iter.Seq2[llm.Delta, error]) (_ *running, err error) {
	work := beginWork(ctx, kind.operation, r)
	admitted, err := s.admit(work.ctx, caller, r, account.KindCompletions, id, bound)
	if err != nil {
		work.end(err)
		return nil, err
	}
	work.admitted(id)
	run := &running{Head: admitted.head(r), param: kind.param, work: work, admission: admitted}
	tellAdmitted(ctx, run.Head)
	run.next, run.stop = iter.Pull2(stream)
	defer func() { // also when the model panics
		if !run.begun {
			failSpan(work.span, err)
			err = errors.Join(err, run.Close()) // nothing ran, so all comes back
		}
	}()
	first, err, ok := run.next()
	if err != nil {
		return nil, run.explain(err)
	}
	if !ok {
		return nil, errSilent
	}
	run.begun, run.first, run.atLeast.PromptTokens = true, first, bound.PromptTokens
	if first.PromptTokens > 0 {
		run.atLeast.PromptTokens = first.PromptTokens
	}
	return run, nil
}

// errSilent is a model's fault: every generation has at least one piece.
var errSilent = errors.New("the model ended without an answer")

// deltas is the rest of the generation. It can be ranged over once.
func (r *running) deltas() iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		delta, ok := r.first, true
		var err error
		for ; ok && err == nil; delta, err, ok = r.next() {
			r.atLeast.CompletionTokens++
			if delta.Usage != nil {
				r.exact, r.isExact = *delta.Usage, true
				r.work.told(r.exact.Timings)
			}
			if !yield(delta, nil) {
				return
			}
		}
		if ok {
			err = r.explain(err)
			failSpan(r.work.span, err)
			yield(llm.Delta{}, err)
		}
	}
}

// envelope is what every message of an answer says about the whole.
type envelope struct {
	id          string
	created     int64
	model       string // as it was asked for
	fingerprint string // of what runs
	withUsage   bool   // a stream ends with its usage
}

func newEnvelope(idPrefix string, r *route, o *openai.StreamOptions) envelope {
	return envelope{
		id:          state.NewID(idPrefix),
		created:     time.Now().Unix(),
		model:       r.asked,
		fingerprint: r.model.Fingerprint,
		withUsage:   o != nil && o.IncludeUsage,
	}
}

// explain puts a model's error in the terms of the request.
func (r *running) explain(err error) error {
	if window, ok := errors.AsType[*llm.ContextLengthError](err); ok {
		return &ContextError{Param: r.param, Limit: window.Limit, Requested: window.Requested}
	}
	if invalid, ok := errors.AsType[*llm.InvalidError](err); ok {
		param, known := params[invalid.Field]
		if param == "" {
			param = r.param
		}
		if known {
			return openai.Refuse(param, openai.CodeInvalidValue, "Invalid '%s': %s.", param, invalid.Reason)
		}
	}
	return err
}

// params are the parameters that fields of llm.Request come from, as far as a
// model can refuse them; the empty one is the request's prompt.
var params = map[string]string{
	"Messages":   "",
	"Prompt":     "",
	"Tokens":     "",
	"Suffix":     "suffix",
	"BestOf":     "best_of",
	"Constraint": "response_format",
	"Tools":      "tools",
}

// Usage is what the generation has taken so far: exact once it has ended, and
// until then the most its prompt can have and one token for each piece.
func (r *running) Usage() Usage {
	if r.isExact {
		return Usage{r.exact.PromptTokens, r.exact.CompletionTokens}
	}
	if r.estimate != nil {
		return r.estimate()
	}
	return r.atLeast
}

// tokens is Usage as it is charged.
func (r *running) tokens() account.Tokens {
	used := r.Usage()
	t := account.Tokens{Input: int64(used.PromptTokens), Output: int64(used.CompletionTokens)}
	if r.isExact {
		t.Cached = int64(cachedSteps(r.exact.CachedTokens))
	}
	return t
}

// settle charges a generation that has come to its end, together with the
// object that it made, which may be nil. It comes before the answer's end, so
// that every answer is in the ledger.
func (r *running) settle(bought *state.Completion) error {
	if r.settled {
		return nil
	}
	span := r.work.phase("settle")
	err := r.admission.settle(r.tokens(), bought)
	endSpan(span, err)
	r.settled = err == nil
	if err != nil {
		r.begun = false // who does not get the answer does not pay for it
	}
	return err
}

// Close ends the generation if it still runs and settles it if that has not
// been done. Closing twice is fine.
func (r *running) Close() error {
	r.stop()
	defer r.work.end(nil)
	if !r.begun {
		return r.admission.drop()
	}
	r.work.took(r.Head, r.Usage())
	return r.settle(nil)
}
