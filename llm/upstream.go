package llm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Upstream is a model of a server that speaks OpenAI's API. It is a Generator
// and an Embedder, safe for concurrent use. Texts are sent to URL's host and
// nowhere else: a redirect to another host is an error.
//
// A server's refusal is an *UpstreamError. A stream that breaks off before its
// choices have ended is an error too, never a short answer.
type Upstream struct {
	URL   string // base, such as https://api.openai.com/v1
	Key   string // bearer token; empty sends none. It never appears in an error
	Model string // the name the server knows the model by

	// IdleTimeout ends a request on which the server has been silent so long.
	// Default two minutes.
	IdleTimeout time.Duration

	// Transport carries the requests. By default they go straight to URL's
	// host, by way of no proxy.
	Transport http.RoundTripper
}

// directTransport is shared so that connections are.
var directTransport = &http.Transport{
	DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	TLSHandshakeTimeout:   10 * time.Second,
	ExpectContinueTimeout: time.Second,
	IdleConnTimeout:       90 * time.Second,
	MaxIdleConnsPerHost:   16,
	ForceAttemptHTTP2:     true,
}

// Bounds of what is read from a server.
const (
	maxErrorBytes  = 64 << 10
	maxEventBytes  = 4 << 20
	maxStreamBytes = 256 << 20
	maxAnswerBytes = 256 << 20
)

// Validate reports what is wrong with the fields, without asking the server.
func (u *Upstream) Validate() error {
	base, err := url.Parse(u.URL)
	switch {
	case err != nil:
		return fmt.Errorf("upstream URL: %w", err)
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return fmt.Errorf("upstream URL %q: want one such as http://127.0.0.1:11434/v1", base.Redacted())
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return fmt.Errorf("upstream URL %q: want only scheme, host and path", base.Redacted())
	case u.Model == "":
		return errors.New("upstream: no model is named")
	}
	return nil
}

// post sends a JSON body and returns the server's answer, if it is a success.
// The caller closes it, which also ends the request.
func (u *Upstream) post(ctx context.Context, path string, body any) (io.ReadCloser, error) {
	if err := u.Validate(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode the upstream's request: %w", err)
	}
	watch := newWatch(ctx, cmp.Or(u.IdleTimeout, 2*time.Minute))
	req, err := http.NewRequestWithContext(watch.ctx, http.MethodPost, strings.TrimSuffix(u.URL, "/")+path, bytes.NewReader(data))
	if err != nil {
		watch.stop()
		return nil, fmt.Errorf("upstream: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ragstone")
	if u.Key != "" {
		req.Header.Set("Authorization", "Bearer "+u.Key)
	}
	resp, err := u.client().Do(req)
	watch.timer.Stop()
	if err != nil {
		err = watch.explain(err)
		watch.stop()
		return nil, u.hideKey(fmt.Errorf("upstream: %w", err))
	}
	answer := &watchedBody{body: resp.Body, watch: watch}
	if resp.StatusCode != http.StatusOK {
		defer answer.Close()
		return nil, u.hideKey(readError(resp.StatusCode, answer))
	}
	return answer, nil
}

func (u *Upstream) client() *http.Client {
	client := &http.Client{Transport: u.Transport, CheckRedirect: sameHost}
	if u.Transport == nil {
		client.Transport = directTransport
	}
	return client
}

// sameHost refuses redirects that would carry the key and the text elsewhere,
// or the same way without its encryption.
func sameHost(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
		return fmt.Errorf("it redirects to %s://%s, where nothing may be sent", next.URL.Scheme, next.URL.Host)
	}
	if len(before) > 5 {
		return errors.New("it redirects without end")
	}
	return nil
}

// hideKey takes the key out of an error's text, should a server have echoed it.
func (u *Upstream) hideKey(err error) error {
	if u.Key == "" || !strings.Contains(err.Error(), u.Key) {
		return err
	}
	hide := func(s string) string { return strings.ReplaceAll(s, u.Key, "[key]") }
	if e, ok := errors.AsType[*UpstreamError](err); ok {
		return &UpstreamError{e.Status, hide(e.Message), hide(e.Type), hide(e.Code), hide(e.Param)}
	}
	return errors.New(hide(err.Error()))
}

// wireError is the body of a refusal.
type wireError struct {
	Message string          `json:"message"`
	Type    string          `json:"type"`
	Code    json.RawMessage `json:"code"` // a string, or with some servers a number
	Param   string          `json:"param"`
}

func (w *wireError) asError(status int) *UpstreamError {
	code := strings.Trim(string(w.Code), `"`)
	if code == "null" {
		code = ""
	}
	return &UpstreamError{status, shorten(w.Message), shorten(w.Type), shorten(code), shorten(w.Param)}
}

// readError makes an error of a refusal. What is not in OpenAI's shape is
// quoted as it is.
func readError(status int, body io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(body, maxErrorBytes))
	if err != nil {
		return &UpstreamError{Status: status, Message: "and its explanation could not be read: " + err.Error()}
	}
	var shaped struct {
		Error wireError `json:"error"`
	}
	if json.Unmarshal(data, &shaped) == nil && shaped.Error.Message != "" {
		return shaped.Error.asError(status)
	}
	text := strings.Join(strings.Fields(validText(data)), " ")
	return &UpstreamError{Status: status, Message: shorten(cmp.Or(text, http.StatusText(status)))}
}

func shorten(s string) string {
	const most = 500
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// watch ends a request whose server has been silent too long.
type watch struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	timeout time.Duration
}

func newWatch(ctx context.Context, timeout time.Duration) *watch {
	w := &watch{timeout: timeout}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(timeout, func() {
		w.cancel(fmt.Errorf("the server has been silent for %v", timeout))
	})
	return w
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}

// explain puts what ended the request in place of what that looked like.
func (w *watch) explain(err error) error {
	if cause := context.Cause(w.ctx); cause != nil {
		return cause
	}
	return err
}

// watchedBody is an answer that is being read.
type watchedBody struct {
	body  io.ReadCloser
	watch *watch
}

func (b *watchedBody) Read(p []byte) (int, error) {
	// Only the server's silence counts, not the time its reader takes.
	b.watch.timer.Reset(b.watch.timeout)
	n, err := b.body.Read(p)
	b.watch.timer.Stop()
	if err != nil && err != io.EOF {
		err = b.watch.explain(err)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.watch.stop()
	return b.body.Close()
}
