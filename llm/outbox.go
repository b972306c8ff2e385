package llm

import (
	"context"
	"sync"
)

// outbox carries the pieces of one request from the engine to its reader. The
// engine never waits for a slow reader: what is not read yet piles up, bounded
// by the request's own tokens.
type outbox struct {
	mu     sync.Mutex // guards the fields below
	pieces []Delta
	closed bool
	err    error

	changed chan struct{} // holds one signal
}

func newOutbox() *outbox { return &outbox{changed: make(chan struct{}, 1)} }

func (o *outbox) put(d Delta) {
	o.mu.Lock()
	o.pieces = append(o.pieces, d)
	o.mu.Unlock()
	o.signal()
}

// close ends the stream after what has been put.
func (o *outbox) close(err error) {
	o.mu.Lock()
	o.closed, o.err = true, err
	o.mu.Unlock()
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// take waits for news. It returns the pieces put since the last call, and
// whether they are the last ones.
func (o *outbox) take(ctx context.Context) (pieces []Delta, last bool, err error) {
	select {
	case <-o.changed:
	case <-ctx.Done():
		return nil, true, ctx.Err()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	pieces, o.pieces = o.pieces, nil
	return pieces, o.closed, o.err
}
