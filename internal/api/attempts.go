package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"

	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/state"
)

// Attempts keeps the answers of requests that may be sent again. *state.Store
// does.
type Attempts interface {
	BeginAttempt(context.Context, state.Attempt) (id string, kept *state.KeptAnswer, err error)
	EndAttempt(ctx context.Context, id string, answer state.KeptAnswer) error
	AbandonAttempt(ctx context.Context, id string) error
}

// maxKept bounds the bytes of an answer that is kept.
const maxKept = 1 << 20

var (
	errAttemptKey      = errors.New("an idempotency key is not 1 to 255 visible characters")
	errAttemptSecret   = errors.New("an answer that holds a secret is not kept")
	errAttemptTooLarge = errors.New("the answer of an earlier attempt was too large to keep")
)

// attempt runs a handler for a request with an Idempotency-Key: once, whatever
// its caller sends again within a day (contract of the header: IETF draft
// draft-ietf-httpapi-idempotency-key-header). The work goes on when the caller has
// gone, so that the next attempt finds its answer. Only an answer that succeeded
// is kept; after an error the next attempt runs, and is not charged if an earlier
// one was. Bodies that are not JSON, which uploads have, are run as ever.
func (c *call) attempt(key string, h handler) error {
	if c.api.Attempts == nil {
		return h(c)
	}
	if key == "" || len(key) > 255 || !visible(key) {
		return errAttemptKey
	}
	if c.route.has(showsSecret) {
		return errAttemptSecret
	}
	body, err := c.jsonBody()
	if errors.Is(err, errContentType) {
		return h(c)
	} else if err != nil {
		return err
	}
	hash := sha256.New()
	for _, part := range []string{c.Method, c.URL.RequestURI(), string(body)} {
		hash.Write([]byte(part))
		hash.Write([]byte{0})
	}
	id, kept, err := c.api.Attempts.BeginAttempt(c.Context(), state.Attempt{KeyID: c.caller.KeyID, Key: key, Request: hash.Sum(nil)})
	switch {
	case err != nil:
		return err
	case kept != nil:
		return c.replay(kept)
	}
	return c.record(id, h)
}

func visible(text string) bool {
	for i := range len(text) {
		if text[i] < '!' || text[i] > '~' {
			return false
		}
	}
	return true
}

// record runs the handler and keeps what it writes.
func (c *call) record(id string, h handler) (err error) {
	ctx, cancel := c.staying()
	defer cancel()
	c.Request = c.WithContext(inference.WithAttempt(ctx, id))
	c.w.recording = &recording{}
	finished := false
	defer func() { // also when the handler panics
		if err == nil && finished && c.w.status < http.StatusMultipleChoices {
			err = c.api.Attempts.EndAttempt(context.WithoutCancel(ctx), id, state.KeptAnswer{
				Status:      c.w.status,
				ContentType: c.w.Header().Get("content-type"),
				Model:       c.model,
				Body:        c.w.recording.body(),
			})
			return
		}
		err = errors.Join(err, c.api.Attempts.AbandonAttempt(context.WithoutCancel(ctx), id))
	}()
	err = h(c)
	finished = true
	return err
}

// staying is the call's context without its end when the caller goes.
func (c *call) staying() (context.Context, context.CancelFunc) {
	parent := c.Context()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), c.api.AnswerTimeout)
	ctx, abort := context.WithCancelCause(ctx)
	stop := context.AfterFunc(parent, func() {
		if cause := context.Cause(parent); !errors.Is(cause, context.Canceled) {
			abort(cause)
		}
	})
	return ctx, func() { stop(); abort(nil); cancel() }
}

// replay writes an earlier answer again, a stream with the same events.
func (c *call) replay(kept *state.KeptAnswer) error {
	if kept.Body == nil {
		return errAttemptTooLarge
	}
	h := c.w.Header()
	h.Set("idempotent-replayed", "true")
	h.Set("content-type", kept.ContentType)
	if kept.Model != "" {
		h.Set("x-ragstone-model", kept.Model)
	}
	c.w.WriteHeader(kept.Status)
	_, err := c.w.Write(kept.Body)
	return err
}

// recording is what an answer has written, up to maxKept.
type recording struct {
	data     []byte
	tooLarge bool
}

// add notes a part. A nil recording notes nothing.
func (r *recording) add(p []byte) {
	switch {
	case r == nil || r.tooLarge:
	case len(r.data)+len(p) > maxKept:
		r.data, r.tooLarge = nil, true
	default:
		r.data = append(r.data, p...)
	}
}

// body is what was noted, nil if it was too much.
func (r *recording) body() []byte {
	if r.data == nil && !r.tooLarge {
		return []byte{}
	}
	return r.data
}
