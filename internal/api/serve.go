package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/inference"
)

// writeTimeout is how long a caller may need to take a piece of the answer.
const writeTimeout = 30 * time.Second

// handler answers a call, or returns why it could not.
type handler func(*call) error

// call is one request on its way through a handler.
type call struct {
	*http.Request
	w      *responseWriter
	caller account.Caller
	api    *api
	route  route

	body     []byte // nil: not read yet
	reserved int64  // bytes of api.memory
	headed   bool   // head has told limits and budgets

	// For the log.
	id    string
	model string // what ran
	usage inference.Usage
}

// serve wraps a handler in what every request needs.
func (a *api) serve(to route, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := a.beginSpan(to.pattern, r)
		ctx, cancel := context.WithTimeout(ctx, a.timeout(to))
		defer cancel()
		c := &call{Request: r.WithContext(ctx), w: newResponseWriter(w), api: a, id: newRequestID(), route: to}
		defer func() { c.release(0) }()
		c.setCommonHeaders()
		err := c.run(h)
		if err != nil {
			c.fail(err)
		}
		c.log(err)
		c.observe()
		c.endSpan(span, err)
	})
}

// run authenticates the call and hands it to its handler. A panic is an error
// of this request alone.
func (c *call) run(h handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	if c.route.scope != nil {
		if err := c.authenticate(*c.route.scope); err != nil {
			return err
		}
	}
	if key, given := c.Header["Idempotency-Key"]; given && c.Method == http.MethodPost && c.route.scope != nil {
		return c.attempt(key[0], h)
	}
	return h(c)
}

func (c *call) authenticate(scope account.Scope) (err error) {
	c.caller, err = c.api.Keys.Authenticate(c.Context(), account.Credentials{
		Authorization: c.Header.Get("Authorization"),
		Organization:  c.Header.Get("OpenAI-Organization"),
		Project:       c.Header.Get("OpenAI-Project"),
	}, scope)
	if org := c.caller.Tenant.OrganizationID; org != "" {
		c.w.Header().Set("openai-organization", org)
	}
	return err
}

// newRequestID returns req_ and 32 hexadecimal digits.
func newRequestID() string {
	var random [16]byte
	rand.Read(random[:])
	return "req_" + hex.EncodeToString(random[:])
}

func (c *call) setCommonHeaders() {
	h := c.w.Header()
	h.Set("x-request-id", c.id)
	h.Set("openai-version", "2020-10-01")
	h.Set("cache-control", "no-store")
	h.Set("x-content-type-options", "nosniff")
}

// head writes what is known of an answer before its body. It is called when the
// request has been let in and again when it is known who answers, which a stream
// that has to be kept alive does not wait for.
func (c *call) head(head inference.Head) {
	c.w.mu.Lock() // pulse may be about to send the headers
	defer c.w.mu.Unlock()
	c.model = head.Model
	c.w.Header().Set("x-ragstone-model", head.Model)
	if head.Upstream != "" {
		c.w.Header().Set("x-ragstone-upstream", head.Upstream)
	}
	for name, value := range head.UpstreamLimits {
		c.w.Header().Set(upstreamHeader(name), value)
	}
	if c.headed {
		return
	}
	c.headed = true
	setLimits(c.w.Header(), head.Limits)
	for _, w := range head.Warnings {
		c.w.Header().Add("x-ragstone-budget-warning", fmt.Sprintf("%s: $%s is spent of $%s", w.Budget, account.Dollars(w.Spent), account.Dollars(w.Amount)))
		c.api.Log.Warn("budget is spent", "request", c.id, "budget", w.Budget, "amount", account.Dollars(w.Amount), "spent", account.Dollars(w.Spent))
	}
}

// upstreamHeader is what an upstream's header is passed on as, beside our own of
// that name.
func upstreamHeader(name string) string {
	return "x-ragstone-upstream-" + strings.TrimPrefix(name, "x-")
}

func setLimits(h http.Header, limits account.Limits) {
	set := func(unit string, s account.Standing) {
		h.Set("x-ratelimit-limit-"+unit, strconv.Itoa(s.Limit))
		h.Set("x-ratelimit-remaining-"+unit, strconv.Itoa(s.Remaining))
		// Whole milliseconds, rounded up: 6m0s, 8.64s, 12ms.
		h.Set("x-ratelimit-reset-"+unit, ((s.Reset + time.Millisecond - 1) / time.Millisecond * time.Millisecond).String())
	}
	set("requests", limits.Requests)
	set("tokens", limits.Tokens)
}

// reply writes a whole answer.
func (c *call) reply(status int, body any) error {
	encoded, err := encode(body)
	if err != nil {
		return err
	}
	c.w.Header().Set("content-type", "application/json")
	c.w.Header().Set("content-length", strconv.Itoa(len(encoded)))
	c.w.WriteHeader(status)
	_, err = c.w.Write(encoded)
	return err
}

// fail writes an error as the whole answer, or as the last event of a stream
// that has begun.
func (c *call) fail(err error) {
	if cause := context.Cause(c.Context()); errors.Is(err, context.Canceled) && cause != nil {
		err = cause
	}
	answer := explain(err, c)
	if c.w.started {
		// Half an answer must not look whole: an event says that it broke; an
		// answer with a length is cut short of it.
		if c.w.streaming {
			c.w.event(answer.body())
		}
		return
	}
	answer.setHeaders(c.w.Header())
	c.reply(answer.status, answer.body())
}

// log writes the request's line.
func (c *call) log(err error) {
	attributes := []slog.Attr{
		slog.String("request", c.id),
		slog.String("route", c.route.pattern),
		slog.String("method", c.Method),
		slog.Int("status", c.w.status),
		slog.Int64("bytes", c.w.bytes),
		slog.Duration("duration", time.Since(c.w.began).Round(time.Millisecond)),
	}
	add := func(key, value string) {
		if value != "" {
			attributes = append(attributes, slog.String(key, value))
		}
	}
	add("key", c.caller.KeyID)
	add("project", c.caller.Tenant.ProjectID)
	add("model", c.model)
	if c.usage != (inference.Usage{}) {
		attributes = append(attributes, slog.Int("prompt_tokens", c.usage.PromptTokens), slog.Int("completion_tokens", c.usage.CompletionTokens))
	}
	level := slog.LevelInfo
	if err != nil {
		// What a caller did wrong may quote the caller; its code is enough.
		answer := explain(err, c)
		add("error", answer.logged(err))
		if answer.status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	c.api.Log.LogAttrs(c.Context(), level, "request", attributes...)
}
