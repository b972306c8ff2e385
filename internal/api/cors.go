package api

import (
	"net/http"
	"slices"
	"strings"
)

// exposed are the headers of answers that pages of other origins may read.
var exposed = exposedHeaders()

func exposedHeaders() string {
	limits := []string{
		"x-ratelimit-limit-requests", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens",
		"x-ratelimit-reset-requests", "x-ratelimit-reset-tokens",
	}
	names := append([]string{
		"x-request-id", "openai-processing-ms", "openai-version", "openai-organization", "retry-after", "retry-after-ms", "x-should-retry", "idempotent-replayed",
		"x-ragstone-model", "x-ragstone-upstream", "x-ragstone-budget-warning", "content-disposition", "accept-ranges", "content-range",
	}, limits...)
	for _, name := range append(limits, "x-request-id") {
		names = append(names, upstreamHeader(name))
	}
	return strings.Join(names, ", ")
}

// allowOrigin lets a page of a listed origin read the answer (the CORS protocol
// of the Fetch standard), and answers the question that a browser asks before
// it sends a key. It reports whether that was all. Cookies are never allowed: a
// caller is known by its key alone.
func (a *api) allowOrigin(w http.ResponseWriter, r *http.Request) (answered bool) {
	origin := r.Header.Get("Origin")
	if origin == "" || len(a.Origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	any := slices.Contains(a.Origins, "*")
	if !any && !slices.Contains(a.Origins, origin) {
		return false
	}
	if any {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposed)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	// An SDK sends headers of its own that change with its version.
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
		h.Add("Vary", "Access-Control-Request-Headers")
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
