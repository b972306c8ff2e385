// Package upstreamtest plays other servers for tests: in memory, so that they
// run in the bubbles of testing/synctest, and with the faults that real ones
// have.
package upstreamtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Transport carries requests to a handler in the same process. The answer's
// body comes as the handler writes it; what panics with http.ErrAbortHandler
// breaks it off.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

// errReset is what the reader of a broken answer gets.
var errReset = errors.New("connection reset by peer")

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	reader, writer := io.Pipe()
	w := &responseWriter{header: http.Header{}, pipe: writer, begun: make(chan struct{})}
	stop := context.AfterFunc(r.Context(), func() { writer.CloseWithError(context.Cause(r.Context())) })
	go func() {
		defer stop()
		defer func() {
			if recover() != nil {
				w.broken = true
				writer.CloseWithError(errReset)
			}
			w.WriteHeader(http.StatusOK)
			writer.Close()
		}()
		t.handler.ServeHTTP(w, r)
	}()
	select {
	case <-w.begun:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if w.refused {
		return nil, errReset
	}
	return &http.Response{
		StatusCode: w.status,
		Status:     http.StatusText(w.status),
		Header:     w.sent,
		Body:       reader,
		Request:    r,
	}, nil
}

// responseWriter writes into a pipe.
type responseWriter struct {
	header http.Header
	pipe   *io.PipeWriter
	once   sync.Once
	begun  chan struct{} // closed once the status is there

	broken  bool        // by a panic
	refused bool        // broken before it had begun
	status  int         // once begun
	sent    http.Header // once begun
}

// Header implements http.ResponseWriter.
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *responseWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent, w.refused = status, w.header.Clone(), w.broken
		close(w.begun)
	})
}

// Write implements http.ResponseWriter.
func (w *responseWriter) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(data)
}

// Flush implements http.Flusher: nothing is kept back.
func (w *responseWriter) Flush() {}
