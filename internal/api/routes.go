package api

import (
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/files"
	"github.com/ragstone/ragstone/internal/platform/inference"
)

// Config is what the routes work on.
type Config struct {
	Keys      *account.Keys
	Inference *inference.Service

	// Files answers the operations of files and uploads.
	Files *files.Service

	// Organization and Books answer the operations of an admin key.
	Organization *account.Organization
	Books        *account.Books

	Log *slog.Logger

	// Ready says why the server cannot take requests now; nil means it can.
	Ready func() error

	// Observe is told of every answer, if it is set. Metrics, if set, answers
	// GET /metrics: to anyone on this machine, and to admin keys.
	Observe func(Observation)
	Metrics http.Handler

	// Tracer makes a span of every request that has a key, below the caller's if it
	// sends a traceparent. Nil: there are no traces.
	Tracer trace.Tracer

	// MaxBodyBytes bounds a request's body. Default 16 MiB.
	MaxBodyBytes int64

	// MaxBodyMemory bounds what the bodies of all requests take together while
	// they are read and decoded; one more is refused. Default 512 MiB.
	MaxBodyMemory int64

	// Origins are those whose pages may call from a browser; "*" is any.
	Origins []string

	// Attempts keeps the answers of requests that may be sent again. Nil: an
	// Idempotency-Key means nothing.
	Attempts Attempts

	// KeepAlive is how long a stream may be silent before a comment is sent.
	// Default 15 seconds.
	KeepAlive time.Duration

	// AnswerTimeout bounds the time an answer may take. Default ten minutes,
	// as long as the official SDKs wait.
	AnswerTimeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	if c.MaxBodyBytes <= 0 {
		c.MaxBodyBytes = 16 << 20
	}
	if c.MaxBodyMemory <= 0 {
		c.MaxBodyMemory = 512 << 20
	}
	if c.KeepAlive <= 0 {
		c.KeepAlive = 15 * time.Second
	}
	if c.AnswerTimeout <= 0 {
		c.AnswerTimeout = 10 * time.Minute
	}
	return c
}

// api holds what handlers use.
type api struct {
	Config
	mux    *http.ServeMux
	routed map[string]bool  // addresses
	routes map[string]route // those that want a key, by pattern
	memory *memory          // of bodies

	unknown http.Handler // of addresses that there are none of
}

// route is what a handler answers.
type route struct {
	pattern string         // as http.ServeMux has it
	scope   *account.Scope // that a key needs; nil: anyone may
	traits  []trait
}

// trait is what a route needs to be treated by.
type trait int

const (
	movesContent trait = iota + 1 // of a file, which may take transferTimeout
	showsSecret                   // in an answer that is kept nowhere
)

func (r route) has(t trait) bool { return slices.Contains(r.traits, t) }

// Routes returns the handler of every address the server answers.
func Routes(c Config) http.Handler {
	c = c.withDefaults()
	a := &api{Config: c, mux: http.NewServeMux(), routed: map[string]bool{}, routes: map[string]route{}, memory: &memory{most: c.MaxBodyMemory}}
	models := account.ScopeModels

	a.handle("POST /v1/chat/completions", models, a.createChatCompletion)
	a.handle("GET /v1/chat/completions", account.ScopeCompletionsRead, a.listStoredCompletions)
	a.handle("GET /v1/chat/completions/{id}", account.ScopeCompletionsRead, a.retrieveStoredCompletion)
	a.handle("POST /v1/chat/completions/{id}", account.ScopeCompletionsWrite, a.updateStoredCompletion)
	a.handle("DELETE /v1/chat/completions/{id}", account.ScopeCompletionsWrite, a.deleteStoredCompletion)
	a.handle("GET /v1/chat/completions/{id}/messages", account.ScopeCompletionsRead, a.listStoredMessages)
	a.handle("POST /v1/completions", models, a.createCompletion)
	a.handle("POST /v1/embeddings", models, a.createEmbedding)
	a.handle("POST /v1/moderations", models, a.createModeration)
	a.handle("GET /v1/models", account.ScopeModelsRead, a.listModels)
	a.handle("GET /v1/models/{model...}", account.ScopeModelsRead, a.retrieveModel)
	a.handle("DELETE /v1/models/{model...}", models, a.deleteModel)

	a.handle("POST /v1/files", account.ScopeFilesWrite, a.createFile, movesContent)
	a.handle("GET /v1/files", account.ScopeFilesRead, a.listFiles)
	a.handle("GET /v1/files/{file_id}", account.ScopeFilesRead, a.retrieveFile)
	a.handle("DELETE /v1/files/{file_id}", account.ScopeFilesWrite, a.deleteFile)
	a.handle("GET /v1/files/{file_id}/content", account.ScopeFilesRead, a.retrieveFileContent, movesContent)
	a.handle("POST /v1/uploads", account.ScopeFilesWrite, a.createUpload)
	a.handle("POST /v1/uploads/{upload_id}/parts", account.ScopeFilesWrite, a.addUploadPart, movesContent)
	a.handle("POST /v1/uploads/{upload_id}/complete", account.ScopeFilesWrite, a.completeUpload, movesContent)
	a.handle("POST /v1/uploads/{upload_id}/cancel", account.ScopeFilesWrite, a.cancelUpload)

	a.open("GET /metrics", a.metrics)
	a.routeOrganization()

	a.open("GET /healthz", a.health)
	a.open("GET /readyz", a.ready)
	a.unknown = a.serve(route{pattern: "/"}, a.unknownURL)
	a.mux.Handle("/", a.unknown)
	return a
}

// handle routes a pattern to a handler for callers whose key has the scope.
func (a *api) handle(pattern string, scope account.Scope, h handler, traits ...trait) {
	r := route{pattern, &scope, traits}
	a.routes[pattern] = r
	a.mux.Handle(pattern, a.serve(r, h))
	if _, address, _ := strings.Cut(pattern, " "); !a.routed[address] {
		a.routed[address] = true
		a.open(address, a.wrongMethod)
	}
}

// open routes a pattern to a handler for anyone.
func (a *api) open(pattern string, h handler) {
	a.mux.Handle(pattern, a.serve(route{pattern: pattern}, h))
}

// ServeHTTP implements http.Handler. An address that is not in its shortest
// form is unknown: the mux would redirect it, and clients drop their key when
// they follow.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.allowOrigin(w, r) {
		return
	}
	if !isShortest(r.URL.Path) {
		a.unknown.ServeHTTP(w, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// isShortest reports whether an address is in its shortest form, but for a slash
// at its end.
func isShortest(address string) bool {
	shortest := path.Clean(address)
	return address == shortest || address == shortest+"/"
}
