package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"
)

// watch ends a request that takes too long: to its first byte, in silence after
// that, or as a whole.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	quiet  *time.Timer // ends a silence
	whole  *time.Timer
	begun  bool          // the first byte is there
	idle   time.Duration // the longest silence from then on
}

func newWatch(ctx context.Context, firstByte, whole time.Duration) *watch {
	w := &watch{}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.quiet = w.after(firstByte, "it has been silent for %v")
	w.whole = w.after(whole, "its answer took longer than %v")
	return w
}

// after ends the request after a time, for a reason that names it.
func (w *watch) after(d time.Duration, reason string) *time.Timer {
	return time.AfterFunc(d, func() {
		w.cancel(&Error{Message: fmt.Sprintf(reason, d), Timeout: true})
	})
}

// begin says that the first byte is there, and how long a silence may be now.
func (w *watch) begin(idle time.Duration) {
	w.quiet.Stop()
	w.begun, w.idle = true, idle
	w.quiet = w.after(idle, "it has been silent for %v")
	w.quiet.Stop() // until the next read
}

func (w *watch) stop() {
	w.quiet.Stop()
	w.whole.Stop()
	w.cancel(context.Canceled)
}

// explain says what ended a request in place of what that looked like: the
// watch, the caller's leaving, or the network.
func (w *watch) explain(err error) error {
	cause := context.Cause(w.ctx)
	if late, ok := errors.AsType[*Error](cause); ok {
		return &Error{Message: late.Message, Timeout: true}
	}
	if cause != nil {
		return cause
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the address, which is in the configuration
	}
	return &Error{Message: err.Error()}
}

// watchedBody is an answer that is being read. Only the server's silence
// counts, not the time that its reader takes.
type watchedBody struct {
	io.Reader
	watch *watch
}

func (b *watchedBody) Read(data []byte) (int, error) {
	if b.watch.begun {
		b.watch.quiet.Reset(b.watch.idle)
		defer b.watch.quiet.Stop()
	}
	return b.Reader.Read(data)
}
