package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/ragstone/ragstone/internal/platform/account"
)

// Metrics are for this machine and for admins.
func TestWhoSeesMetrics(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) {
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "numbers") })
	})
	tests := []struct {
		name, from, forwarded, key string
		want                       int
	}{
		{"this machine", "127.0.0.1:5", "", "", 200},
		{"this machine, IPv6", "[::1]:5", "", "", 200},
		{"elsewhere", "192.0.2.1:5", "", "", 401},
		{"a proxy here", "127.0.0.1:5", "192.0.2.1", "", 401},
		{"a project's key", "192.0.2.1:5", "", s.project.Secret, 403},
		{"an admin key", "192.0.2.1:5", "", s.admin.Secret, 200},
	}
	for _, tt := range tests {
		request := httptest.NewRequest("GET", "/metrics", nil)
		request.RemoteAddr = tt.from
		if tt.forwarded != "" {
			request.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if tt.key != "" {
			request.Header.Set("Authorization", "Bearer "+tt.key)
		}
		answer := httptest.NewRecorder()
		s.Config.Handler.ServeHTTP(answer, request)
		if answer.Code != tt.want || (tt.want == 200) != strings.Contains(answer.Body.String(), "numbers") {
			t.Errorf("%s: status %d, %s; want %d", tt.name, answer.Code, answer.Body, tt.want)
		}
	}
}

// Every answer is observed once, a refused one too.
func TestObservations(t *testing.T) {
	var mu sync.Mutex
	var seen []Observation
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) {
		c.Observe = func(o Observation) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, o)
		}
	})
	s.ask(t, "POST", "/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"q"}]}`, 200)
	s.ask(t, "POST", "/v1/chat/completions", `{}`, 400)
	s.ask(t, "GET", "/v1/nothing", "", 404)
	s.Close() // waits for the handlers' ends
	if len(seen) != 3 {
		t.Fatalf("got %d observations, want 3: %+v", len(seen), seen)
	}
	if o := seen[0]; o.Route != "POST /v1/chat/completions" || o.Status != 200 || o.Model != "fake-chat" || o.Usage.CompletionTokens == 0 || o.Duration <= 0 {
		t.Errorf("the first: %+v", o)
	}
	if o := seen[1]; o.Status != 400 || o.Model != "" {
		t.Errorf("the second: %+v", o)
	}
	if o := seen[2]; o.Route != "/" || o.Status != 404 {
		t.Errorf("the third: %+v", o)
	}
}
