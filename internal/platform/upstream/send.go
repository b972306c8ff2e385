package upstream

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Request is what is sent on.
type Request struct {
	Path  string // such as /chat/completions
	Model string // as it was asked for

	// Body is the request under the name that a server calls the model by.
	Body func(model string) []byte

	// Amend is shown a refusal, and reports whether Body is another now that may
	// be taken. It may be nil.
	Amend func(*Error) bool

	// Read is shown an answer that is no stream, and says what of it makes no
	// sense: then it counts as none. It may be nil.
	Read func(answer []byte) error

	Stream   bool
	MaxBytes int64 // of an answer that is no stream
}

// Back-off before round n waits up to firstBackOff·2ⁿ, and no longer than
// longestBackOff.
const (
	firstBackOff   = 250 * time.Millisecond
	longestBackOff = 8 * time.Second
)

// Send sends a request to the servers that serve its model until one of them
// answers. The error is an *Error, an *UnavailableError, or the cause of the
// context's end.
func (p *Pool) Send(ctx context.Context, r *Request) (*Answer, error) {
	run := &sending{pool: p, request: r, candidates: p.choose(r.Model), giveUp: time.Now().Add(p.patience)}
	for round := 0; ; round++ {
		answer, err := run.round(ctx)
		if answer != nil || err != nil {
			return answer, err
		}
		wait, ok := run.wait(round)
		if !ok {
			return nil, run.last()
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// sending is a request on its way.
type sending struct {
	pool       *Pool
	request    *Request
	candidates []candidate
	giveUp     time.Time
	attempts   int

	failed      *Error            // the last one
	unavailable *UnavailableError // the last one
}

// round tries each server that is left once. Neither an answer nor an error
// means that a further round may help.
func (s *sending) round(ctx context.Context) (*Answer, error) {
	for i := range s.candidates {
		c := &s.candidates[i]
		if c.left == 0 || time.Now().Before(c.since) {
			continue
		}
		c.left--
		answer, err := s.attempt(ctx, c)
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if unavailable, ok := errors.AsType[*UnavailableError](err); ok {
			s.unavailable = unavailable
			if c.since = time.Now().Add(unavailable.RetryAfter); !unavailable.Limited {
				c.left = 0 // it is not waited for
			}
			continue
		}
		failed, ok := errors.AsType[*Error](err)
		if !ok {
			return nil, err
		}
		s.failed = failed
		c.since = time.Now().Add(failed.RetryAfter)
		switch failed.verdict() {
		case final:
			return nil, failed
		case elsewhere:
			c.left = 0
		}
	}
	return nil, nil
}

// attempt asks one server, twice where the request can be amended.
func (s *sending) attempt(ctx context.Context, c *candidate) (*Answer, error) {
	done, err := c.take(s.request.Model)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	answer, err := c.answer(ctx, s.request, c.model)
	if refused, ok := errors.AsType[*Error](err); ok && s.request.Amend != nil && refused.verdict() == final && s.request.Amend(refused) {
		answer, err = c.answer(ctx, s.request, c.model)
	}
	failed, ok := errors.AsType[*Error](err)
	if ok {
		failed = c.named(failed)
		if failed.RetryAfter > 0 && (failed.Status == http.StatusTooManyRequests || failed.Status == http.StatusServiceUnavailable) {
			c.rest(s.request.Model, failed.RetryAfter)
		}
	}
	done(countedAs(err))
	s.pool.observe(Attempt{c.Name, outcomeOf(err), s.attempts > 0, time.Since(began)})
	s.attempts++
	if err != nil {
		c.leave()
		return nil, err
	}
	answer.leave, answer.observe = c.leave, s.pool.observe
	return answer, nil
}

// wait is how long to wait before a round, and whether there is to be one.
func (s *sending) wait(round int) (time.Duration, bool) {
	now := time.Now()
	soonest, left := time.Duration(0), false
	for _, c := range s.candidates {
		if c.left == 0 {
			continue
		}
		if until := max(c.since.Sub(now), 0); !left || until < soonest {
			soonest, left = until, true
		}
	}
	backOff := time.Duration(s.pool.random() * float64(min(firstBackOff<<min(round, 10), longestBackOff)))
	wait := max(soonest, backOff)
	return wait, left && now.Add(wait).Before(s.giveUp)
}

// last is why there is no answer: what a server said, rather than that one was
// not asked.
func (s *sending) last() error {
	switch {
	case s.failed != nil:
		return s.failed
	case s.unavailable != nil:
		return s.unavailable
	}
	return &UnavailableError{Model: s.request.Model, Why: "none serves it"}
}

// sleep waits, or returns why the caller does not.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
