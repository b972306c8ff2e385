package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/files"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/llm"
)

// table is the only map from errors to answers. The first row that fits an
// error decides; an error without a row is a 500 whose cause only the log
// tells. TestEveryErrorHasARow lists the exported errors of the packages below.
var table = []row{
	// Who is calling.
	is(account.ErrNoKey, failure{status: 401, message: "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). `ragstone keys create` makes one."}),
	as(func(e *account.KeyError) failure {
		return failure{status: 401, code: "invalid_api_key", message: "Incorrect API key provided: " + e.Redacted + ". `ragstone keys list` shows the keys in force."}
	}),
	is(account.ErrForeignTenant, failure{status: 401, code: "mismatched_organization", message: "The OpenAI-Organization or OpenAI-Project header does not match the API key. Leave the headers out, or use a key of that project."}),
	as(func(e *account.ScopeError) failure {
		f := failure{status: 403, code: "missing_scope", message: fmt.Sprintf("You have insufficient permissions for this operation. Missing scopes: %s. Use a key that has them: `ragstone keys create --scope` makes one.", e.Missing)}
		if e.Missing == account.ScopeModels {
			f.status = 401 // as the API answers model calls
		}
		return f
	}),
	is(account.ErrScope, failure{status: 403, code: "missing_scope", message: "You have insufficient permissions for this operation. Admin keys administer; models and their objects want a project's key."}),

	// What is asked.
	as(func(e *openai.RequestError) failure {
		return failure{status: 400, code: e.Code, param: e.Param, message: e.Message}
	}),
	as(func(e *inference.ContextError) failure {
		return failure{status: 400, code: openai.CodeContextLength, param: e.Param, message: contextMessage(e)}
	}),
	as(func(e *llm.ContextLengthError) failure {
		return failure{status: 400, code: openai.CodeContextLength, message: contextMessage(&inference.ContextError{Limit: e.Limit, Requested: e.Requested})}
	}),
	as(func(e *llm.InvalidError) failure {
		return failure{status: 400, code: openai.CodeInvalidValue, param: snake(e.Field), message: fmt.Sprintf("Invalid '%s': %s.", snake(e.Field), strings.TrimSuffix(e.Reason, "."))}
	}),
	is(llm.ErrNoTemplate, failure{status: 400, code: openai.CodeInvalidValue, param: "model", message: "This model has no chat template: it continues text. Use it with /v1/completions."}),
	as(func(e *pathModelError) failure {
		return failure{status: 404, code: "model_not_found", param: "model", message: fmt.Sprintf("The model '%s' does not exist", e.Name)}
	}),
	as(func(e *inference.ModelNotFoundError) failure {
		return failure{status: 404, code: "model_not_found", message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it. GET /v1/models lists those that do.", e.Name)}
	}),
	as(func(e *inference.NotStoredError) failure {
		return failure{status: 404, param: "id", message: fmt.Sprintf("No chat completion with id '%s' is stored.", e.ID)}
	}),
	as(func(e *files.NotFoundError) failure {
		return failure{status: 404, param: "id", message: fmt.Sprintf("No such %s object: %s", e.Kind, e.ID)}
	}),
	as(func(e *files.TooLargeError) failure {
		return failure{status: 413, message: fmt.Sprintf("The request is too large: %s may have at most %d bytes. /v1/uploads takes files of up to 8 GB in parts.", e.What, e.Limit)}
	}),
	as(func(e *state.StorageError) failure {
		return failure{status: 413, code: "storage_quota_exceeded", message: fmt.Sprintf("The project has no room for this: its files take %d bytes, and may take %d (this needs %d more). Delete files, or have the limit max_project_files raised.", e.Stored, e.Most, e.Wanted)}
	}),
	as(func(e *rangeError) failure {
		return failure{status: 416, param: "Range", message: fmt.Sprintf("Invalid 'Range': the file has %d bytes, and the range none of them.", e.size)}
	}),
	as(func(e *state.UploadError) failure {
		return failure{status: 400, message: fmt.Sprintf("Upload %s is %s: it takes no more parts and cannot be completed or cancelled. Create another upload.", e.ID, e.Status)}
	}),
	as(func(e *account.NotFoundError) failure {
		return failure{status: 404, message: fmt.Sprintf("No %s found with id '%s'.", e.Kind, e.ID)}
	}),
	is(account.ErrName, failure{status: 400, code: openai.CodeInvalidValue, param: "name", message: "Invalid 'name': it must be one line of at most 256 characters."}),
	is(account.ErrPermission, failure{status: 400, code: openai.CodeInvalidValue, param: "scopes", message: "Invalid 'scopes': one of them does not exist, or is not of this kind of key."}),
	is(account.ErrPage, failure{status: 400, code: openai.CodeInvalidValue, param: "page", message: "Invalid 'page': use the next_page of the answer before, with the same other parameters."}),
	is(account.ErrLimit, failure{status: 400, code: openai.CodeInvalidValue, message: "A project's limit is a number above 0 and at most the organization's. `ragstone limits` shows and sets both."}),
	is(account.ErrArchived, failure{status: 400, message: "The project is archived: it takes nothing new. Use another project."}),
	is(account.ErrDefaultProject, failure{status: 400, message: "The default project cannot be archived."}),
	is(errNotDeletable, failure{status: 403, param: "model", message: "This model is not a fine-tuned model of yours; it cannot be deleted."}),
	is(errContentType, failure{status: 415, code: "unsupported_content_type", message: "Unsupported Content-Type. Expected 'application/json' in UTF-8 without Content-Encoding."}),
	is(errFormType, failure{status: 415, code: "unsupported_content_type", message: "Unsupported Content-Type. Expected 'multipart/form-data' with a boundary, without Content-Encoding."}),
	as(bodyFailure),
	is(errAttemptKey, failure{status: 400, code: openai.CodeInvalidValue, param: "Idempotency-Key", message: "Invalid 'Idempotency-Key': expected 1 to 255 visible ASCII characters."}),
	is(errAttemptSecret, failure{status: 400, param: "Idempotency-Key", message: "The answer of this operation holds a secret, which is shown once and kept nowhere: send the request without Idempotency-Key."}),
	is(state.ErrAttemptRunning, failure{status: 409, code: "idempotency_request_in_progress", message: "A request with this Idempotency-Key is still running. Please try again shortly.", retryAfter: time.Second}),
	is(state.ErrAttemptDiffers, failure{status: 409, code: "idempotency_key_reused", param: "Idempotency-Key", message: "This Idempotency-Key was used for another request within the last 24 hours. Use a new key for a new request.", noRetry: true}),
	is(errAttemptTooLarge, failure{status: 409, code: "idempotency_answer_not_kept", param: "Idempotency-Key", message: "The request with this Idempotency-Key has been answered, and the answer was too large to keep. Use a new key to run it again.", noRetry: true}),
	is(errBodyMemory, failure{status: 503, kind: openai.TypeServiceUnavailable, code: "server_is_overloaded", message: "The server is reading as many requests as it has memory for. Please try again shortly.", retryAfter: time.Second}),
	as(func(e *addressError) failure {
		f := failure{status: e.status, message: e.message}
		if e.status == http.StatusNotFound {
			f.code = "unknown_url"
		}
		return f
	}),

	// How much.
	as(limitFailure),
	as(budgetFailure),
	is(llm.ErrBusy, failure{status: 503, kind: openai.TypeServiceUnavailable, code: "server_is_overloaded", message: "The model's queue is full. Please try again shortly.", retryAfter: time.Second}),
	as(func(e *llm.MemoryError) failure {
		return failure{status: 503, kind: openai.TypeServiceUnavailable, code: "insufficient_memory", message: "The request needs more memory than this server may use. Ask for fewer tokens or choices.", noRetry: true}
	}),

	row{func(err error) (failure, bool) {
		return failure{status: 507, kind: openai.TypeServerError, code: "insufficient_storage", message: "The server has no room left to store this.", noRetry: true}, state.IsFull(err)
	}},

	// What happened to it.
	is(ErrShuttingDown, failure{status: 503, kind: openai.TypeServiceUnavailable, code: "server_is_shutting_down", message: "The server is shutting down. Please try again shortly.", retryAfter: 5 * time.Second}),
	is(state.ErrUnavailable, failure{status: 503, kind: openai.TypeServiceUnavailable, code: "database_unavailable", message: "The server's database cannot be reached. Please try again shortly.", retryAfter: time.Second}),
	is(state.ErrHoldLost, failure{status: 503, kind: openai.TypeServiceUnavailable, code: "database_unavailable", message: "The server was cut off from its database while it answered. The answer was not charged. Please try again.", retryAfter: time.Second}),
	is(llm.ErrClosed, failure{status: 503, kind: openai.TypeServiceUnavailable, code: "server_is_shutting_down", message: "The model is being closed. Please try again shortly.", retryAfter: 5 * time.Second}),
	as(upstreamFailure),
	as(func(e *llm.UpstreamError) failure {
		return upstreamFailure(&upstream.Error{Status: e.Status, Code: e.Code, Message: e.Message})
	}),
	as(func(e *upstream.UnavailableError) failure {
		f := failure{status: 503, kind: openai.TypeServiceUnavailable, code: "upstream_unavailable", retryAfter: e.RetryAfter,
			message: "The servers that run this model cannot take the request now. Please try again shortly."}
		if e.Limited {
			f.status, f.kind, f.code = 429, "requests", "rate_limit_exceeded"
		}
		return f
	}),
	as(func(*goneError) failure { return failure{status: statusGone, message: "The caller went away."} }),
	is(context.Canceled, failure{status: statusGone, message: "The caller went away."}),
	is(context.DeadlineExceeded, failure{status: 503, kind: openai.TypeServerError, code: "timeout", message: "The answer took longer than this server allows. Ask for fewer tokens.", noRetry: true}),
}

// statusGone is what the log shows, as nginx does, for a caller that left
// before its answer. Nobody receives it.
const statusGone = 499

// ErrShuttingDown is the cause of a request's context that ends because the
// server does.
var ErrShuttingDown = errors.New("the server is shutting down")

// row is one line of the table.
type row struct {
	explain func(error) (failure, bool)
}

// is answers an error value.
func is(target error, f failure) row {
	return row{func(err error) (failure, bool) { return f, errors.Is(err, target) }}
}

// as answers an error type.
func as[E error](answer func(E) failure) row {
	return row{func(err error) (failure, bool) {
		e, ok := errors.AsType[E](err)
		if !ok {
			return failure{}, false
		}
		return answer(e), true
	}}
}

// explain finds an error's row.
func explain(err error, c *call) failure {
	for _, r := range table {
		if f, ok := r.explain(err); ok {
			return f
		}
	}
	return failure{
		status:  http.StatusInternalServerError,
		kind:    openai.TypeServerError,
		message: "The server had an error while processing your request. Sorry about that! The log has the cause under request " + c.id + ".",
	}
}

// bodyError means that a request's body could not be read.
type bodyError struct{ cause error }

func (e *bodyError) Error() string { return "read body: " + e.cause.Error() }
func (e *bodyError) Unwrap() error { return e.cause }

// goneError means that an answer could not be written.
type goneError struct{ cause error }

func (e *goneError) Error() string { return "write answer: " + e.cause.Error() }
func (e *goneError) Unwrap() error { return e.cause }

// panicError is a bug of ours that one request has met.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }
