package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/state"
)

// failure is an error as its caller sees it.
type failure struct {
	status  int
	kind    string // openai.Error.Type; empty means invalid_request_error
	code    string
	param   string
	message string

	noRetry    bool          // trying again cannot help, whatever the status suggests
	retryAfter time.Duration // when it can
	limits     *account.Limits
}

// body is the failure on the wire.
func (f failure) body() openai.ErrorResponse {
	kind := f.kind
	if kind == "" {
		kind = openai.TypeInvalidRequest
	}
	return openai.ErrorResponse{Error: openai.Error{Message: f.message, Type: kind, Param: orNull(f.param), Code: orNull(f.code)}}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// setHeaders writes what a client needs to know about trying again.
func (f failure) setHeaders(h http.Header) {
	if f.limits != nil {
		setLimits(h, *f.limits)
	}
	if f.retryAfter > 0 {
		h.Set("retry-after", strconv.Itoa(seconds(f.retryAfter)))
		h.Set("retry-after-ms", strconv.FormatInt(max(1, f.retryAfter.Milliseconds()), 10))
	}
	if f.noRetry {
		h.Set("x-should-retry", "false")
	}
}

// seconds is d in whole seconds, at least one.
func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// logged is what the log says of an error: its cause if it is ours, else a
// word for the kind, since a refusal may quote the request.
func (f failure) logged(err error) string {
	switch {
	case f.status >= 500:
		return err.Error()
	case f.code != "":
		return f.code
	}
	return http.StatusText(f.status)
}

func contextMessage(e *inference.ContextError) string {
	requested := strconv.Itoa(e.Requested)
	if e.AtLeast {
		requested = "at least " + requested
	}
	switch e.Param {
	case "messages":
		return fmt.Sprintf("This model's maximum context length is %d tokens. However, your messages resulted in %s tokens. Please reduce the length of the messages.", e.Limit, requested)
	case "input":
		return fmt.Sprintf("This model's maximum context length is %d tokens, however you requested %s tokens. Please reduce the length of the input.", e.Limit, requested)
	}
	return fmt.Sprintf("This model's maximum context length is %d tokens, however you requested %s tokens. Please reduce your prompt or the completion length.", e.Limit, requested)
}

// budgetFailure tells a caller that a budget is spent. Where only running
// requests stand in the way, the rest of what they hold may soon be free.
func budgetFailure(e *state.BudgetError) failure {
	f := failure{status: 429, kind: "insufficient_quota", code: "insufficient_quota"}
	f.message = fmt.Sprintf("You exceeded your current quota, please check your plan and billing details. The budget of %s is $%s; $%s is spent, and this request may cost $%s.",
		e.Standing.SubjectID, account.Dollars(e.Standing.Amount), account.Dollars(e.Standing.Spent), account.Dollars(e.Requested))
	if e.Requested <= e.Standing.Amount-e.Standing.Spent {
		f.retryAfter = time.Second
		f.message += fmt.Sprintf(" Requests that are running hold $%s until they end.", account.Dollars(e.Standing.Held))
		return f
	}
	f.noRetry = true
	return f
}

func limitFailure(e *account.LimitError) failure {
	unit := "requests per min (RPM)"
	switch {
	case e.Unit == "tokens":
		unit = "tokens per min (TPM)"
	case e.Daily:
		unit = "requests per day (RPD)"
	}
	f := failure{status: 429, kind: e.Unit, code: "rate_limit_exceeded", limits: &e.Limits}
	if e.TooLarge() {
		f.noRetry = true
		f.message = fmt.Sprintf("Request too large for %s in organization %s on %s: Limit %d, Requested %d.", e.Model, e.Organization, unit, e.Limit, e.Requested)
		return f
	}
	f.retryAfter = e.RetryAfter
	f.message = fmt.Sprintf("Rate limit reached for %s in organization %s on %s: Limit %d, Used %d, Requested %d. Please try again in %s.",
		e.Model, e.Organization, unit, e.Limit, e.Used, e.Requested, max(e.RetryAfter.Round(time.Millisecond), time.Millisecond))
	return f
}

func bodyFailure(e *bodyError) failure {
	if large, ok := errors.AsType[*http.MaxBytesError](e); ok {
		return failure{status: 413, message: fmt.Sprintf("The request body is larger than %d bytes.", large.Limit)}
	}
	return failure{status: 400, message: "The request body could not be read to its end."}
}

// upstreamFailure is an upstream's error for the caller of a relayed request.
// What it says of the request passes on; what it says of our dealings with it,
// such as its key, would be taken for the caller's, and is a plain sentence.
func upstreamFailure(e *upstream.Error) failure {
	ours := failure{status: 502, kind: openai.TypeServerError, code: "upstream_error"}
	switch {
	case e.Exhausted():
		ours.message, ours.noRetry = "The account of this server at the upstream is empty. Its operator can fill it.", true
		return ours
	case e.Timeout:
		ours.status, ours.code, ours.message = 504, "upstream_timeout", "The upstream server took too long."
		return ours
	case e.Strange && e.Status < 500:
		ours.message, ours.noRetry = "The upstream server did not answer as OpenAI's API does. Its operator may have the wrong URL.", true
		return ours
	}
	switch e.Status {
	case 0:
		if e.Told {
			return failure{status: 502, kind: cmp.Or(e.Type, openai.TypeServerError), code: cmp.Or(e.Code, "upstream_error"), param: e.Param, message: e.Message}
		}
		ours.message = "The upstream server could not be reached, or broke off."
	case 401, 402, 403:
		ours.message, ours.noRetry = "The upstream server does not accept this server's key.", true
	case 404:
		return failure{status: 404, code: "model_not_found", param: e.Param, message: e.Message}
	case 429:
		return failure{status: 429, kind: "requests", code: "rate_limit_exceeded", message: "The upstream server refuses more requests: " + e.Message, retryAfter: max(e.RetryAfter, time.Second)}
	case 503:
		return failure{status: 503, kind: openai.TypeServiceUnavailable, code: "upstream_unavailable", message: "The upstream server is overloaded. Please try again shortly.", retryAfter: max(e.RetryAfter, time.Second)}
	default:
		if e.Status < 400 || e.Status >= 500 {
			ours.message = "The upstream server failed: " + e.Message
			if e.Told {
				ours.kind = cmp.Or(e.Type, ours.kind)
			}
			break
		}
		return failure{status: e.Status, code: e.Code, param: e.Param, message: e.Message}
	}
	return ours
}

// snake is a Go field's name as the API writes it: TopLogProbs, top_logprobs.
func snake(field string) string {
	field = strings.ReplaceAll(field, "LogProbs", "Logprobs")
	var b strings.Builder
	for i, r := range field {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
