package api

import (
	"iter"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
)

// responseWriter remembers what has been written, stamps the headers that
// depend on when, and gives every write its time limit. Beside the handler that
// writes, pulse may write comments into a stream.
type responseWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	began   time.Time

	mu        sync.Mutex // guards what follows, and the writes
	started   bool       // the status is out
	streaming bool       // as server-sent events
	status    int
	bytes     int64
	last      time.Time   // when something was written last
	heart     *time.Timer // of pulse, while it beats
	recording *recording
}

func newResponseWriter(w http.ResponseWriter) *responseWriter {
	now := time.Now()
	return &responseWriter{ResponseWriter: w, control: http.NewResponseController(w), began: now, last: now}
}

// WriteHeader sends the status, once.
func (w *responseWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeaderLocked(status)
}

func (w *responseWriter) writeHeaderLocked(status int) {
	if w.started {
		return
	}
	w.started, w.status = true, status
	w.Header().Set("openai-processing-ms", strconv.FormatInt(time.Since(w.began).Milliseconds(), 10))
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.recording.add(p)
	return w.writeLocked(p)
}

// writeLocked sends a part of the body. An answer that is recorded goes on when
// its caller has gone.
func (w *responseWriter) writeLocked(p []byte) (int, error) {
	w.writeHeaderLocked(http.StatusOK)
	w.last = time.Now()
	w.control.SetWriteDeadline(w.last.Add(writeTimeout))
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	if w.recording != nil {
		return len(p), nil
	}
	return n, err
}

// beginEvents starts an answer of server-sent events. It sends the headers, which
// takes net/http 3 kB of stack: deeper down, in the loop that writes the events, the
// stack would have to grow, and stay so while the stream is open.
func (w *responseWriter) beginEvents() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.beginEventsLocked()
	w.control.Flush()
}

func (w *responseWriter) beginEventsLocked() {
	if w.streaming {
		return
	}
	w.Header().Set("content-type", "text/event-stream; charset=utf-8")
	w.Header().Set("x-accel-buffering", "no") // a proxy is not to collect them
	w.streaming = true
	w.writeHeaderLocked(http.StatusOK)
}

// event sends one event and flushes it.
func (w *responseWriter) event(v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return w.eventText(data)
}

// eventText sends and flushes the event that has the text.
func (w *responseWriter) eventText(data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	event := make([]byte, 0, len("data: \n\n")+len(data))
	event = append(append(append(event, "data: "...), data...), "\n\n"...)
	w.recording.add(event)
	if _, err := w.writeLocked(event); err != nil {
		return err
	}
	if err := w.control.Flush(); w.recording == nil {
		return err
	}
	return nil
}

// stream sends every value of an answer as an event, then [DONE]. The error
// that ends the values early is returned, for the event that says so.
func stream[T any](c *call, values iter.Seq2[T, error]) error {
	c.w.beginEvents()
	for v, err := range values {
		if err != nil {
			return err
		}
		if err := c.w.event(v); err != nil {
			return &goneError{err}
		}
	}
	if err := c.w.eventText([]byte("[DONE]")); err != nil {
		return &goneError{err}
	}
	return nil
}

// encode is v as JSON on one line, with < > and & as they are; what an upstream
// wrote stays as it is.
func encode(v any) ([]byte, error) { return openai.Encode(v) }
