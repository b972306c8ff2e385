package api

import (
	"context"
	"time"

	"github.com/ragstone/ragstone/internal/platform/inference"
)

// keepAliveComment is a comment of server-sent events (HTML standard, section
// 9.2.6), which clients pass over. No empty line follows it: some clients, such
// as openai-go before its third version, take that for an event without data.
const keepAliveComment = ": keep-alive\n"

// admitting returns the context for the work of an answer. Once the request has
// been let in, what is known of the answer is written, and if it is streamed, a
// comment is sent whenever nothing else has been for a while, so that nothing
// between here and the caller takes a long prompt for a dead connection. The
// first comment begins the stream: what fails after it is an event. The handler
// calls stop when it has no more to write.
func (c *call) admitting(streamed bool) (ctx context.Context, stop func()) {
	stopPulse := func() {}
	ctx = inference.WithAdmitted(c.Context(), func(head inference.Head) {
		c.head(head)
		if streamed {
			stopPulse = c.w.pulse(c.api.KeepAlive)
		}
	})
	return ctx, func() { stopPulse() }
}

// pulse sends a comment whenever nothing has been sent for so long, until the
// function that it returns is called.
func (w *responseWriter) pulse(every time.Duration) (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		timer := time.NewTimer(every)
		defer timer.Stop()
		for {
			select {
			case <-timer.C:
				timer.Reset(w.beat(every))
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-stopped
	}
}

// beat sends a comment if nothing has been sent for so long, and returns when to
// look again.
func (w *responseWriter) beat(every time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	silent := time.Since(w.last)
	if silent < every {
		return every - silent
	}
	w.beginEventsLocked()
	w.writeLocked([]byte(keepAliveComment)) // that the caller has gone shows in the request's context
	w.control.Flush()
	return every
}
