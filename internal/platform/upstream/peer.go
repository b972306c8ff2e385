package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/propagation"
)

// peer is a server at work.
type peer struct {
	Server
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	slots   chan struct{} // one for each request that runs
	secrets []string

	// transport is asked without an http.Client, which would follow redirects, and
	// whose frames every open stream would have the memory of.
	transport http.RoundTripper

	mu    sync.Mutex
	rests map[string]time.Time // guarded by mu: until when a model is left alone
}

// The numbers of the breaker.
const (
	breakAfter   = 5                // failures in a row
	breakWindow  = 30 * time.Second // in which the failed part is counted
	breakLeast   = 20               // requests of that window that tell anything
	breakFor     = 15 * time.Second // until it is half open
	breakSamples = 6                // parts of the window that are forgotten one by one
)

// errUncounted is an outcome that tells nothing of a server's health.
var errUncounted = errors.New("uncounted")

func newPeer(s Server, transport http.RoundTripper) *peer {
	s = s.withDefaults()
	p := &peer{
		Server: s,
		slots:  make(chan struct{}, s.MaxConcurrent),
		rests:  map[string]time.Time{},
		breaker: gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name:         s.Name,
			Interval:     breakWindow,
			BucketPeriod: breakWindow / breakSamples,
			Timeout:      breakFor,
			ReadyToTrip: func(c gobreaker.Counts) bool {
				ended := c.TotalSuccesses + c.TotalFailures
				return c.ConsecutiveFailures >= breakAfter || ended >= breakLeast && c.TotalFailures*2 >= ended
			},
			IsExcluded: func(err error) bool { return errors.Is(err, errUncounted) },
		}),
	}
	if transport == nil {
		transport = &http.Transport{
			DialContext:           (&net.Dialer{Timeout: s.ConnectTimeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   s.ConnectTimeout,
			ExpectContinueTimeout: time.Second,
			IdleConnTimeout:       90 * time.Second,
			MaxIdleConnsPerHost:   s.MaxConcurrent,
			ForceAttemptHTTP2:     true,
			DisableCompression:    true,
			ReadBufferSize:        2 << 10, // each connection has both
			WriteBufferSize:       2 << 10,
		}
	}
	p.transport = transport
	for _, secret := range append([]string{s.Key}, values(s.Headers)...) {
		if len(secret) >= shortestSecret {
			p.secrets = append(p.secrets, secret)
		}
	}
	return p
}

// shortestSecret is the least a value must have to be looked for: a header such
// as "1" would be found everywhere.
const shortestSecret = 8

func values(m map[string]string) []string {
	var all []string
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// hide takes the server's secrets out of a text.
func (p *peer) hide(text string) string {
	for _, secret := range p.secrets {
		text = strings.ReplaceAll(text, secret, "[key]")
	}
	return text
}

// hideIn is hide for bytes, which it leaves as they are where it can.
func (p *peer) hideIn(data []byte) []byte {
	for _, secret := range p.secrets {
		if bytes.Contains(data, []byte(secret)) {
			data = bytes.ReplaceAll(data, []byte(secret), []byte("[key]"))
		}
	}
	return data
}

// named gives an error the server's name and takes its secrets out.
func (p *peer) named(e *Error) *Error {
	e.Server = p.Name
	e.Type, e.Code, e.Param, e.Message = p.hide(e.Type), p.hide(e.Code), p.hide(e.Param), p.hide(e.Message)
	return e
}

// take lets a request in. The request gives its slot back with leave, and tells
// done how it went once that is known.
func (p *peer) take(model string) (done func(error), err error) {
	if rest := p.resting(model); rest > 0 {
		return nil, &UnavailableError{model, p.Name + " has reached its rate limit", true, rest}
	}
	select {
	case p.slots <- struct{}{}:
	default:
		return nil, &UnavailableError{model, fmt.Sprintf("%s runs %d requests, as many as it may", p.Name, p.MaxConcurrent), false, time.Second}
	}
	if done, err = p.breaker.Allow(); err != nil {
		p.leave()
		return nil, &UnavailableError{model, p.Name + " has failed and is left alone for a while", false, breakFor}
	}
	return done, nil
}

func (p *peer) leave() { <-p.slots }

// resting is how long a model is still to be left alone.
func (p *peer) resting(model string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	until, ok := p.rests[model]
	if !ok {
		return 0
	}
	rest := time.Until(until)
	if rest <= 0 {
		delete(p.rests, model)
	}
	return rest
}

// mostRests bounds the models that are remembered to rest: their names are
// clients'.
const mostRests = 1000

// rest leaves a model alone for a while.
func (p *peer) rest(model string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rests) >= mostRests {
		clear(p.rests)
	}
	p.rests[model] = time.Now().Add(d)
}

// countedAs is what the breaker is told of an attempt's end: nil for a healthy
// server, errUncounted where it tells nothing.
func countedAs(err error) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case err == nil:
		return nil
	case !ok: // the caller left
		return errUncounted
	case e.fails():
		return e
	case e.Status == http.StatusTooManyRequests:
		return errUncounted
	}
	return nil
}

// post sends a request and returns the server's answer, if it is a success.
func (p *peer) post(w *watch, path string, body []byte, stream bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, p.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if stream {
		req.Header.Set("Accept", "text/event-stream")
	}
	return p.do(w, req)
}

func (p *peer) do(w *watch, req *http.Request) (*http.Response, error) {
	req.Header.Set("User-Agent", "ragstone")
	if p.Key != "" {
		req.Header.Set("Authorization", "Bearer "+p.Key)
	}
	for name, value := range p.Headers {
		req.Header.Set(name, value)
	}
	propagation.TraceContext{}.Inject(w.ctx, propagation.HeaderCarrier(req.Header)) // nothing, where there are no traces
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return nil, w.explain(err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, refusal(resp, resp.Body)
	}
	return resp, nil
}

// get fetches an answer of at most so many bytes.
func (p *peer) get(ctx context.Context, path string, most int64, timeout time.Duration) ([]byte, error) {
	w := newWatch(ctx, timeout, timeout)
	defer w.stop()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, p.URL+path, nil)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	resp, err := p.do(w, req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return nil, w.explain(err)
	case int64(len(data)) > most:
		return nil, &Error{Message: fmt.Sprintf("its answer has more than %d bytes", most), Strange: true}
	}
	return data, nil
}
