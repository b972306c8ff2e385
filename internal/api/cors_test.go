package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/platform/account"
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
