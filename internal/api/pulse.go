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
// function that it returns is called. It is a timer and no goroutine, which every
// silent stream would have the memory of.
func (w *responseWriter) pulse(every time.Duration) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heart = time.AfterFunc(every, func() { w.beat(every) })
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.heart.Stop()
		w.heart = nil // for one that has fired and waits
	}
}

// beat sends a comment if nothing has been sent for so long, and sets when to
// look again.
func (w *responseWriter) beat(every time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heart == nil {
		return
	}
	if silent := time.Since(w.last); silent < every {
		w.heart.Reset(every - silent)
		return
	}
	w.beginEventsLocked()
	w.writeLocked([]byte(keepAliveComment)) // that the caller has gone shows in the request's context
	w.control.Flush()
	w.heart.Reset(every)
}
