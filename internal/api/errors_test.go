package api

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/blobs"
	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/files"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/llm"
)

// answers lists every exported error of the packages a request runs through,
// by its name, with an example and what its caller gets to see.
var answers = map[string]struct {
	err    error
	status int
	kind   string
	code   string
}{
	"openai.RequestError": {openai.Refuse("n", "invalid_value", "no"), 400, "invalid_request_error", "invalid_value"},

	"account.ErrNoKey":         {account.ErrNoKey, 401, "invalid_request_error", ""},
	"account.KeyError":         {&account.KeyError{Redacted: "sk-***"}, 401, "invalid_request_error", "invalid_api_key"},
	"account.ErrForeignTenant": {account.ErrForeignTenant, 401, "invalid_request_error", "mismatched_organization"},
	"account.ErrScope":         {account.ErrScope, 403, "invalid_request_error", "missing_scope"},
	"account.LimitError":       {&account.LimitError{Unit: "requests", Limit: 5, Used: 5, Requested: 1, RetryAfter: time.Second}, 429, "requests", "rate_limit_exceeded"},

	"account.ScopeError":        {&account.ScopeError{Missing: account.ScopeModels}, 401, "invalid_request_error", "missing_scope"},
	"account.NotFoundError":     {&account.NotFoundError{Kind: "project", ID: "x"}, 404, "invalid_request_error", ""},
	"account.ErrName":           {account.ErrName, 400, "invalid_request_error", "invalid_value"},
	"account.ErrPermission":     {account.ErrPermission, 400, "invalid_request_error", "invalid_value"},
	"account.ErrArchived":       {account.ErrArchived, 400, "invalid_request_error", ""},
	"account.ErrDefaultProject": {account.ErrDefaultProject, 400, "invalid_request_error", ""},
	"account.ErrPage":           {account.ErrPage, 400, "invalid_request_error", "invalid_value"},
	"account.ErrBudget":         {account.ErrBudget, 500, "server_error", ""},
	"account.ErrLimit":          {account.ErrLimit, 400, "invalid_request_error", "invalid_value"},
	"account.ErrMoney":          {account.ErrMoney, 500, "server_error", ""},
	"state.BudgetError":         {&state.BudgetError{Requested: 5}, 429, "insufficient_quota", "insufficient_quota"},

	"inference.ModelNotFoundError": {&inference.ModelNotFoundError{Name: "x"}, 404, "invalid_request_error", "model_not_found"},
	"inference.NotStoredError":     {&inference.NotStoredError{ID: "x"}, 404, "invalid_request_error", ""},
	"inference.ContextError":       {&inference.ContextError{Param: "messages", Limit: 8, Requested: 9}, 400, "invalid_request_error", "context_length_exceeded"},

	"files.NotFoundError": {&files.NotFoundError{Kind: "File", ID: "file-x"}, 404, "invalid_request_error", ""},
	"files.TooLargeError": {&files.TooLargeError{What: "a part", Limit: 5}, 413, "invalid_request_error", ""},
	"state.UploadError":   {&state.UploadError{ID: "upload_x", Status: "cancelled"}, 400, "invalid_request_error", ""},
	"state.StorageError":  {&state.StorageError{Most: 5, Stored: 4, Wanted: 2}, 413, "invalid_request_error", "storage_quota_exceeded"},
	"blobs.ErrNotFound":   {blobs.ErrNotFound, 500, "server_error", ""}, // a row without its blob is our bug

	"upstream.Error":            {&upstream.Error{Status: 500}, 502, "server_error", "upstream_error"},
	"upstream.UnavailableError": {&upstream.UnavailableError{Model: "x"}, 503, "service_unavailable_error", "upstream_unavailable"},

	"llm.ContextLengthError": {&llm.ContextLengthError{Limit: 8, Requested: 9}, 400, "invalid_request_error", "context_length_exceeded"},
	"llm.InvalidError":       {&llm.InvalidError{Field: "TopLogProbs", Reason: "too many"}, 400, "invalid_request_error", "invalid_value"},
	"llm.ErrNoTemplate":      {llm.ErrNoTemplate, 400, "invalid_request_error", "invalid_value"},
	"llm.ErrBusy":            {llm.ErrBusy, 503, "service_unavailable_error", "server_is_overloaded"},
	"llm.MemoryError":        {&llm.MemoryError{}, 503, "service_unavailable_error", "insufficient_memory"},
	"llm.ErrClosed":          {llm.ErrClosed, 503, "service_unavailable_error", "server_is_shutting_down"},
	"llm.OpenError":          {&llm.OpenError{Path: "m.gguf", Kind: "model", Err: blobs.ErrNotFound}, 500, "server_error", ""}, // it was opened at the start: the log says what became of it
	"llm.UpstreamError":      {&llm.UpstreamError{Status: 500}, 502, "server_error", "upstream_error"},

	"state.ErrUnavailable": {state.ErrUnavailable, 503, "service_unavailable_error", "database_unavailable"},
	"state.ErrHoldLost":    {state.ErrHoldLost, 503, "service_unavailable_error", "database_unavailable"},

	"api.ErrShuttingDown": {ErrShuttingDown, 503, "service_unavailable_error", "server_is_shutting_down"},

	// These end a command or a start, and no request; one that met them anyway
	// would be our bug.
	"state.ErrAttemptRunning": {state.ErrAttemptRunning, 409, "invalid_request_error", "idempotency_request_in_progress"},
	"state.ErrAttemptDiffers": {state.ErrAttemptDiffers, 409, "invalid_request_error", "idempotency_key_reused"},

	"state.ErrNotFound":    {state.ErrNotFound, 500, "server_error", ""},
	"state.ErrSecret":      {state.ErrSecret, 500, "server_error", ""},
	"state.ErrNewerSchema": {state.ErrNewerSchema, 500, "server_error", ""},
	"account.ErrNoSuchKey": {account.ErrNoSuchKey, 500, "server_error", ""},
}

func TestEveryErrorHasARow(t *testing.T) {
	found := map[string]bool{}
	for name, dir := range map[string]string{
		"openai": "../openai", "state": "../state", "account": "../platform/account",
		"inference": "../platform/inference", "upstream": "../platform/upstream", "files": "../platform/files", "blobs": "../blobs", "llm": "../../llm", "api": ".",
	} {
		for _, symbol := range exportedErrors(t, dir) {
			found[name+"."+symbol] = true
		}
	}
	for name := range found {
		if _, ok := answers[name]; !ok {
			t.Errorf("%s is an exported error without an answer: add a row to the table in errors.go and an example here", name)
		}
	}
	for name := range answers {
		if !found[name] {
			t.Errorf("%s is listed here and does not exist", name)
		}
	}
}

// exportedErrors returns the exported names of a package that begin with Err or
// end in Error and are variables or types.
func exportedErrors(t *testing.T, dir string) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("read %s: %v", dir, err)
	}
	var names []string
	add := func(id *ast.Ident, isError bool) {
		if id.IsExported() && isError {
			names = append(names, id.Name)
		}
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						add(id, group.Tok == token.VAR && strings.HasPrefix(id.Name, "Err"))
					}
				case *ast.TypeSpec:
					// openai.Error is the wire's form of all of them.
					add(spec.Name, strings.HasSuffix(spec.Name.Name, "Error") && !(spec.Name.Name == "Error" && file.Name.Name == "openai"))
				}
			}
		}
	}
	return names
}

func TestErrorAnswers(t *testing.T) {
	c := &call{Request: httptest.NewRequest("GET", "/v1/x", nil), id: "req_1"}
	for name, test := range answers {
		for _, err := range []error{test.err, fmt.Errorf("while serving: %w", test.err)} {
			answer := explain(err, c)
			body := answer.body().Error
			code := ""
			if body.Code != nil {
				code = *body.Code
			}
			if answer.status != test.status || body.Type != test.kind || code != test.code {
				t.Errorf("%s: got %d %s %q, want %d %s %q", name, answer.status, body.Type, code, test.status, test.kind, test.code)
			}
			if body.Message == "" {
				t.Errorf("%s: the message is empty", name)
			}
		}
	}
}

// What nobody foresaw is a 500 that tells the caller nothing but the request.
func TestUnknownErrorsTellNothing(t *testing.T) {
	c := &call{Request: httptest.NewRequest("GET", "/v1/x", nil), id: "req_1"}
	answer := explain(errors.New("open /home/me/private: permission denied"), c)
	if answer.status != 500 || strings.Contains(answer.message, "private") || !strings.Contains(answer.message, "req_1") {
		t.Errorf("got %d %q, want a 500 that names req_1 alone", answer.status, answer.message)
	}
}

// What an upstream says of a request is passed on. What it says of our key and
// our account is not, lest a caller take it for its own.
func TestUpstreamFailures(t *testing.T) {
	c := &call{Request: httptest.NewRequest("POST", "/v1/x", nil)}
	tests := []struct {
		err     upstream.Error
		status  int
		kind    string
		code    string
		passes  bool // its message does
		noRetry bool
		after   time.Duration
	}{
		{upstream.Error{Status: 400, Code: "c", Param: "p"}, 400, "", "c", true, false, 0},
		{upstream.Error{Status: 409}, 409, "", "", true, false, 0},
		{upstream.Error{Status: 413}, 413, "", "", true, false, 0},
		{upstream.Error{Status: 422}, 422, "", "", true, false, 0},
		{upstream.Error{Status: 404}, 404, "", "model_not_found", true, false, 0},
		{upstream.Error{Status: 404, Strange: true}, 502, "server_error", "upstream_error", false, true, 0},
		{upstream.Error{Status: 302, Strange: true}, 502, "server_error", "upstream_error", false, true, 0},
		{upstream.Error{Status: 401, Code: "invalid_api_key"}, 502, "server_error", "upstream_error", false, true, 0},
		{upstream.Error{Status: 402}, 502, "server_error", "upstream_error", false, true, 0},
		{upstream.Error{Status: 403}, 502, "server_error", "upstream_error", false, true, 0},
		{upstream.Error{Status: 429, RetryAfter: 7 * time.Second}, 429, "requests", "rate_limit_exceeded", true, false, 7 * time.Second},
		{upstream.Error{Status: 429}, 429, "requests", "rate_limit_exceeded", true, false, time.Second},
		{upstream.Error{Status: 429, Code: "insufficient_quota"}, 502, "server_error", "upstream_error", false, true, 0},
		{upstream.Error{Status: 500}, 502, "server_error", "upstream_error", true, false, 0},
		{upstream.Error{Status: 503, Strange: true}, 503, "service_unavailable_error", "upstream_unavailable", false, false, time.Second},
		{upstream.Error{Timeout: true}, 504, "server_error", "upstream_timeout", false, false, 0},
		{upstream.Error{}, 502, "server_error", "upstream_error", false, false, 0},

		// Error events of streams.
		{upstream.Error{Told: true}, 502, "server_error", "upstream_error", true, false, 0},
		{upstream.Error{Told: true, Type: "overloaded", Code: "oom"}, 502, "overloaded", "oom", true, false, 0},
		{upstream.Error{Told: true, Status: 500, Type: "InternalServerError", Code: "500"}, 502, "InternalServerError", "upstream_error", true, false, 0},
		{upstream.Error{Told: true, Status: 400, Type: "invalid_request_error", Code: "context_length_exceeded"}, 400, "", "context_length_exceeded", true, false, 0},
		{upstream.Error{Told: true, Status: 401, Type: "authentication_error"}, 502, "server_error", "upstream_error", false, true, 0},
	}
	for _, test := range tests {
		test.err.Message = "what it said"
		got := explain(&test.err, c)
		if got.status != test.status || got.kind != test.kind || got.code != test.code || got.noRetry != test.noRetry || got.retryAfter != test.after || strings.Contains(got.message, "what it said") != test.passes {
			t.Errorf("%+v: got %+v, want %+v", test.err, got, test)
		}
		said := test.err
		client := explain(&llm.UpstreamError{Status: said.Status, Code: said.Code, Message: said.Message}, c)
		if plain := (upstream.Error{Status: said.Status, Code: said.Code, Message: said.Message}); plain == said && client != got {
			t.Errorf("%+v of package llm: got %+v, want the same %+v", said, client, got)
		}
	}
	limited := explain(&upstream.UnavailableError{Model: "m", Limited: true, RetryAfter: time.Minute}, c)
	if limited.status != 429 || limited.retryAfter != time.Minute {
		t.Errorf("a model that rests: %+v", limited)
	}
}

func TestRetryHeaders(t *testing.T) {
	limits := account.Limits{Requests: account.Standing{Limit: 5, Reset: 6 * time.Minute}, Tokens: account.Standing{Limit: 100, Remaining: 7, Reset: 8640 * time.Millisecond}}
	tests := []struct {
		name    string
		err     error
		message string
		want    map[string]string
	}{
		{
			"requests", &account.LimitError{Model: "gpt-4o", Organization: "org-a", Unit: "requests", Limit: 5, Used: 5, Requested: 1, RetryAfter: 19500 * time.Millisecond, Limits: limits},
			"Rate limit reached for gpt-4o in organization org-a on requests per min (RPM): Limit 5, Used 5, Requested 1. Please try again in 19.5s.",
			map[string]string{"retry-after": "20", "retry-after-ms": "19500", "x-should-retry": "", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s", "x-ratelimit-reset-tokens": "8.64s", "x-ratelimit-remaining-tokens": "7"},
		},
		{
			"too large", &account.LimitError{Model: "gpt-4o", Organization: "org-a", Unit: "tokens", Limit: 100, Requested: 101, Limits: limits},
			"Request too large for gpt-4o in organization org-a on tokens per min (TPM): Limit 100, Requested 101.",
			map[string]string{"retry-after": "", "x-should-retry": "false", "x-ratelimit-limit-tokens": "100"},
		},
		{"busy", llm.ErrBusy, "The model's queue is full. Please try again shortly.", map[string]string{"retry-after": "1", "x-should-retry": ""}},
		{"deadline", context.DeadlineExceeded, "The answer took longer than this server allows. Ask for fewer tokens.", map[string]string{"x-should-retry": "false"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := http.Header{}
			answer := explain(test.err, &call{Request: httptest.NewRequest("POST", "/v1/x", nil)})
			answer.setHeaders(h)
			if answer.message != test.message {
				t.Errorf("message %q, want %q", answer.message, test.message)
			}
			for name, want := range test.want {
				if got := h.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestSnake(t *testing.T) {
	for field, want := range map[string]string{"Stop": "stop", "TopLogProbs": "top_logprobs", "MaxTokens": "max_tokens", "LogProbs": "logprobs"} {
		if got := snake(field); got != want {
			t.Errorf("snake(%q) = %q, want %q", field, got, want)
		}
	}
}
