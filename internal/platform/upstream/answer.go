package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/ragstone/ragstone/internal/openai"
)

// Bounds of what is read of an answer.
const (
	maxEventBytes  = 4 << 20
	maxStreamBytes = 256 << 20
)

// Answer is a server's answer, whose first byte has come. Its reader takes Next
// or Whole, and closes it. An Answer is for one goroutine.
type Answer struct {
	Server string      // its name
	Model  string      // what it calls the model that runs
	Header http.Header // as it came

	peer   *peer
	watch  *watch
	body   io.ReadCloser
	events *openai.EventReader

	first    []byte // of a stream, until it is read
	whole    []byte // of an answer in one piece
	finished bool
	observe  func(Attempt)
	leave    func() // gives back the request's slot
	closed   bool
}

// answer sends a request and waits for the first byte.
func (p *peer) answer(ctx context.Context, r *Request, model string) (*Answer, error) {
	w := newWatch(ctx, p.FirstByteTimeout, p.Timeout)
	resp, err := p.post(w, r.Path, r.Body(model), r.Stream)
	if err != nil {
		w.stop()
		return nil, err
	}
	a := &Answer{
		Server: p.Name, Model: model, Header: resp.Header,
		peer: p, watch: w, body: resp.Body, leave: func() {}, observe: func(Attempt) {},
	}
	if err := a.begin(r); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// begin reads the first event of a stream, or the whole of another answer.
func (a *Answer) begin(r *Request) error {
	limit := int64(maxStreamBytes)
	if !r.Stream {
		limit = r.MaxBytes
	}
	body := &watchedBody{&boundedReader{a.body, limit}, a.watch}
	if !r.Stream {
		return a.readWhole(body, r.Read)
	}
	if !isEventStream(a.Header) {
		return &Error{Message: fmt.Sprintf("it answered a request for a stream with %q", shortened(a.Header.Get("Content-Type"))), Strange: true}
	}
	a.events = openai.NewEventReader(body, maxEventBytes)
	data, err := a.next()
	if err == io.EOF {
		return &Error{Message: "its stream ended before it began"}
	}
	if err != nil {
		return err
	}
	a.first = append([]byte(nil), data...)
	a.watch.begin(a.peer.IdleTimeout)
	return nil
}

func (a *Answer) readWhole(body io.Reader, understand func([]byte) error) error {
	var first [1]byte
	if _, err := io.ReadFull(body, first[:]); err != nil && !errors.Is(err, io.EOF) {
		return a.watch.explain(err)
	}
	a.watch.begin(a.peer.IdleTimeout)
	rest, err := io.ReadAll(body)
	if err != nil {
		return a.watch.explain(err)
	}
	data := a.peer.hideIn(bytes.TrimSpace(append(first[:], rest...))) // some send spaces while they work
	if e := errorIn(data); e != nil {
		return e
	}
	if !bytes.HasPrefix(data, []byte("{")) || understand == nil && !json.Valid(data) {
		return &Error{Message: "its answer is not a JSON object", Strange: true}
	}
	if understand != nil { // which reads JSON
		if err := understand(data); err != nil {
			return nonsense(err)
		}
	}
	a.whole = data
	return nil
}

// nonsense is the error of an answer that is not what was asked for.
func nonsense(err error) *Error {
	return &Error{Message: "its answer makes no sense: " + err.Error(), Strange: true}
}

// boundedReader fails where more than the bytes left are read.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(data []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("its answer is larger than what is read of one")
	}
	n, err := b.r.Read(data[:min(int64(len(data)), b.left)])
	b.left -= int64(n)
	return n, err
}

// next returns the next event's data. What the server sends in place of one is
// an *Error.
func (a *Answer) next() ([]byte, error) {
	data, err := a.events.Next()
	if err != nil {
		if err == io.EOF && a.watch.ctx.Err() == nil {
			return nil, io.EOF
		}
		return nil, a.watch.explain(err)
	}
	if string(data) == "[DONE]" {
		a.finished = true
		return nil, io.EOF
	}
	data = a.peer.hideIn(data)
	if e := errorIn(data); e != nil {
		return nil, e
	}
	return data, nil
}

// Next returns the data of the next event, valid until Next is called again. It
// is io.EOF where there are no more: Finished tells whether the server said so.
// The error is an *Error, or the cause of the caller's context.
func (a *Answer) Next() ([]byte, error) {
	if first := a.first; first != nil {
		a.first = nil
		return first, nil
	}
	if a.finished {
		return nil, io.EOF
	}
	data, err := a.next()
	if e, ok := errors.AsType[*Error](err); ok {
		return nil, a.broken(e)
	}
	return data, err
}

// Finished reports whether the server has said that its stream is whole.
func (a *Answer) Finished() bool { return a.finished }

// Broken makes an error of a stream that breaks off, and counts it against the
// server.
func (a *Answer) Broken(why string) error { return a.broken(&Error{Message: why}) }

// Nonsense is Broken for an event that cannot be understood.
func (a *Answer) Nonsense(err error) error { return a.broken(nonsense(err)) }

func (a *Answer) broken(e *Error) error {
	e = a.peer.named(e)
	if done, err := a.peer.breaker.Allow(); err == nil {
		done(countedAs(e))
	}
	a.observe(Attempt{Server: a.Server, Outcome: Broken})
	return e
}

// Whole is the answer to a request that did not ask for a stream.
func (a *Answer) Whole() []byte { return a.whole }

// Close ends the answer. Closing twice is fine.
func (a *Answer) Close() error {
	if a.closed {
		return nil
	}
	a.closed = true
	a.watch.stop()
	a.leave()
	return a.body.Close()
}

// limitHeaders are what a server's answers say of its own limits, and by which
// it finds the request again.
var limitHeaders = []string{
	"x-ratelimit-limit-requests", "x-ratelimit-limit-tokens",
	"x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens",
	"x-ratelimit-reset-requests", "x-ratelimit-reset-tokens",
	"x-request-id",
}

// Limits returns what the server said of its own limits, by header.
func (a *Answer) Limits() map[string]string {
	var limits map[string]string
	for _, name := range limitHeaders {
		value := a.Header.Get(name)
		if value == "" || len(value) > 128 {
			continue
		}
		if limits == nil {
			limits = map[string]string{}
		}
		limits[name] = a.peer.hide(value)
	}
	return limits
}
