package api

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/platform/upstream/upstreamtest"
)

func TestCORS(t *testing.T) {
	const ours, theirs = "https://app.example.com", "https://evil.example.com"
	tests := []struct {
		name    string
		origins []string
		method  string
		origin  string
		status  int
		allowed string // Access-Control-Allow-Origin
	}{
		{"off by default", nil, "GET", ours, 401, ""},
		{"a preflight, off by default", nil, "OPTIONS", ours, 405, ""},
		{"listed", []string{ours}, "GET", ours, 401, ours},
		{"preflight", []string{ours}, "OPTIONS", ours, 204, ours},
		{"another origin", []string{ours}, "GET", theirs, 401, ""},
		{"another origin's preflight", []string{ours}, "OPTIONS", theirs, 405, ""},
		{"any", []string{"*"}, "OPTIONS", theirs, 204, "*"},
		{"not a browser", []string{ours}, "GET", "", 401, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) { c.Origins = test.origins })
			request, err := http.NewRequest(test.method, s.URL+"/v1/models", nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.origin != "" {
				request.Header.Set("Origin", test.origin)
			}
			if test.method == http.MethodOptions {
				request.Header.Set("Access-Control-Request-Method", "POST")
				request.Header.Set("Access-Control-Request-Headers", "authorization,x-stainless-lang")
			}
			answer, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			h := answer.Header
			if answer.StatusCode != test.status || h.Get("Access-Control-Allow-Origin") != test.allowed {
				t.Errorf("status %d, allowed origin %q; want %d, %q", answer.StatusCode, h.Get("Access-Control-Allow-Origin"), test.status, test.allowed)
			}
			if h.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials are allowed")
			}
			if test.status == 204 && !strings.Contains(h.Get("Access-Control-Allow-Headers"), "x-stainless-lang") {
				t.Errorf("allowed headers %q", h.Get("Access-Control-Allow-Headers"))
			}
			if exposed := h.Get("Access-Control-Expose-Headers"); test.allowed != "" && (!strings.Contains(exposed, "x-request-id") || !strings.Contains(exposed, "x-ratelimit-remaining-tokens")) {
				t.Errorf("exposed headers %q", exposed)
			}
			if len(test.origins) > 0 && test.origin != "" && !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
				t.Errorf("Vary %q: a cache would give one origin's answer to another", h.Values("Vary"))
			}
		})
	}
}

// A page may read whatever this server says in headers of its own.
func TestPagesReadOurHeaders(t *testing.T) {
	answers := upstreamtest.Transport(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{"x-request-id", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-requests", "x-ratelimit-reset-tokens"} {
			w.Header().Set(name, "7")
		}
		w.Header().Set("content-type", "application/json")
		io.WriteString(w, `{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	}))
	pool, err := upstream.New([]upstream.Server{{Name: "elsewhere", URL: "http://upstream.test/v1", Models: []string{"far-*"}}}, upstream.Options{Transport: answers})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) {
		c.Origins = []string{"*"}
		c.Inference = fakeService(&fakeModel{}, inference.Config{Books: c.Books, Upstreams: pool})
	})
	answer, text := s.send(t, t.Context(), "project", "one", "/v1/chat/completions", `{"model":"far-away","messages":[{"role":"user","content":"hello"}]}`)
	if answer.StatusCode != 200 || answer.Header.Get("x-ragstone-upstream-x-request-id")+answer.Header.Get("x-ragstone-upstream-request-id") != "7" {
		t.Fatalf("%d %v %s", answer.StatusCode, answer.Header, text)
	}
	for name := range answer.Header {
		if name := strings.ToLower(name); strings.HasPrefix(name, "x-ra") && !slices.Contains(strings.Split(exposed, ", "), name) {
			t.Errorf("the header %s is not exposed", name)
		}
	}
}
