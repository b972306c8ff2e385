package upstream

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is what a server said in place of an answer, or why there was none.
type Error struct {
	Server  string
	Status  int    // HTTP status; 0 where none came, or where a stream broke
	Type    string // the server's own kind of error, or empty
	Code    string // the server's own code, or empty
	Param   string // the field of the request it is about, or empty
	Message string // shortened, without keys

	RetryAfter time.Duration // when it may be tried again, as the server says
	Timeout    bool          // it took longer than it may
	Strange    bool          // it is not in OpenAI's shape: perhaps no such server answered
	Told       bool          // the server said it with status 200, in place of an answer or of the rest of one
}

func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("upstream %s: %s", e.Server, e.Message)
	}
	return fmt.Sprintf("upstream %s answered with status %d: %s", e.Server, e.Status, e.Message)
}

// UnavailableError means that no server was asked: every one that serves the
// model rests, is taken for broken, or runs as much as it may.
type UnavailableError struct {
	Model      string
	Why        string
	Limited    bool // it is the rate limit of a server that has it rest
	RetryAfter time.Duration
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("no upstream takes a request for %s: %s", e.Model, e.Why)
}

// maxErrorBytes bounds what is read of a refusal.
const maxErrorBytes = 64 << 10

// refusal makes an error of an answer that is not a success. What is not in
// OpenAI's shape is quoted as it is.
func refusal(resp *http.Response, body io.Reader) *Error {
	e := &Error{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header)}
	data, err := io.ReadAll(io.LimitReader(body, maxErrorBytes))
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e.Message, e.Strange = "it redirects, and nothing is sent elsewhere; give its final URL", true
	case err != nil:
		e.Message = "its explanation could not be read: " + err.Error()
	default:
		if !e.read(data) {
			text := strings.Join(strings.Fields(strings.ToValidUTF8(string(data), "\uFFFD")), " ")
			e.Message, e.Strange = shortened(cmp.Or(text, http.StatusText(resp.StatusCode))), true
		}
	}
	return e
}

// read takes what an error in OpenAI's shape, or nearly, says.
func (e *Error) read(data []byte) bool {
	var shaped struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(data, &shaped) != nil || len(shaped.Error) == 0 || string(shaped.Error) == "null" {
		return false
	}
	var said struct {
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Code    json.RawMessage `json:"code"` // a string, or with some servers a number
		Param   string          `json:"param"`
	}
	if json.Unmarshal(shaped.Error, &said) != nil && json.Unmarshal(shaped.Error, &said.Message) != nil {
		return false
	}
	code := strings.Trim(string(said.Code), `"`)
	if code == "null" {
		code = ""
	}
	e.Message, e.Type, e.Code, e.Param = shortened(said.Message), shortened(said.Type), shortened(code), shortened(said.Param)
	if e.Status == 0 {
		e.Status = statusOf(e)
	}
	return true
}

// statusOf is the status that an error would have had which came after the
// status 200 of a stream, as far as its code and type tell; zero where they do
// not.
func statusOf(e *Error) int {
	if status, err := strconv.Atoi(e.Code); err == nil && status >= 400 && status < 600 {
		return status
	}
	switch {
	case e.Code == "rate_limit_exceeded", e.Exhausted():
		return http.StatusTooManyRequests
	case e.Code == "invalid_api_key", e.Type == "authentication_error":
		return http.StatusUnauthorized
	case e.Type == "permission_error":
		return http.StatusForbidden
	case e.Type == "invalid_request_error":
		return http.StatusBadRequest
	}
	return 0
}

// errorIn is the error that stands in place of an answer, or nil. Servers send
// one with status 200 where they have begun to stream.
func errorIn(data []byte) *Error {
	e := &Error{Told: true}
	if !bytes.Contains(data, []byte(`"error"`)) || !e.read(data) {
		return nil
	}
	return e
}

func shortened(s string) string {
	const most = 500
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// longestRest bounds how long a server can have itself left alone.
const longestRest = 10 * time.Minute

// retryAfter reads when to try again: retry-after-ms, which OpenAI sends, or
// Retry-After in seconds or as a date (RFC 9110, section 10.2.3).
func retryAfter(h http.Header) time.Duration {
	within := func(d time.Duration) time.Duration { return min(max(d, 0), longestRest) }
	if ms, err := strconv.ParseFloat(h.Get("retry-after-ms"), 64); err == nil && ms >= 0 && ms < 1e9 {
		return within(time.Duration(ms * float64(time.Millisecond)))
	}
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e6 {
		return within(time.Duration(seconds * float64(time.Second)))
	}
	if date, err := http.ParseTime(text); err == nil {
		return within(time.Until(date))
	}
	return 0
}

// verdict is what an error means for the attempts that are left.
type verdict int

const (
	final     verdict = iota // the request is at fault
	elsewhere                // this server cannot do it, another may
	again                    // it may work the next time
)

func (e *Error) verdict() verdict {
	switch {
	case e.Exhausted():
		return elsewhere
	case e.Status == 0, e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooManyRequests, e.Status >= 500:
		return again
	case e.Strange:
		return elsewhere
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		return elsewhere
	}
	return final
}

// Exhausted reports whether the operator's account at the server is empty.
func (e *Error) Exhausted() bool {
	return e.Code == "insufficient_quota" || e.Type == "insufficient_quota"
}

// fails reports whether an error counts against a server's health.
func (e *Error) fails() bool {
	switch e.Status {
	case http.StatusTooManyRequests:
		return e.Exhausted()
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
		return true
	}
	return e.Status == 0 || e.Status >= 500 || e.Strange
}

// isEventStream reports whether an answer is declared as server-sent events.
func isEventStream(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "text/event-stream"
}
