package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/llm"
)

// send is post with an Idempotency-Key, by the key of a name.
func (s *testServer) send(t *testing.T, ctx context.Context, who, key, address, body string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, "POST", s.URL+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+s.secret(who))
	request.Header.Set("Idempotency-Key", key)
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer, string(text)
}

// charged is how many entries the ledger has.
func (s *testServer) charged(t *testing.T) (n int) {
	t.Helper()
	tenant, err := s.store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range s.store.Entries(t.Context(), tenant.OrganizationID, time.Unix(0, 0), time.Now().Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// What is sent again has the first answer, byte for byte, and is run and charged
// once.
func TestAttemptsHaveTheFirstAnswer(t *testing.T) {
	bodies := map[string]string{
		"/v1/chat/completions": `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}`,
		"/v1/completions":      `{"model":"fake-chat","prompt":"Hello","stream":true,"stream_options":{"include_usage":true}}`,
		"/v1/embeddings":       `{"model":"fake-embed","input":"Hello"}`,
	}
	for address, body := range bodies {
		ran := 0
		s := newTestServer(t, &fakeModel{seen: func(llm.Request) { ran++ }}, account.Rates{}, nil)
		first, text := s.send(t, t.Context(), "project", "k-1", address, body)
		again, sameText := s.send(t, t.Context(), "project", "k-1", address, body)
		if first.StatusCode != 200 || again.StatusCode != 200 || text != sameText || text == "" {
			t.Errorf("%s: %d, then %d:\n%s\n%s", address, first.StatusCode, again.StatusCode, text, sameText)
		}
		for _, name := range []string{"content-type", "x-ragstone-model"} {
			if first.Header.Get(name) != again.Header.Get(name) {
				t.Errorf("%s: %s is %q, then %q", address, name, first.Header.Get(name), again.Header.Get(name))
			}
		}
		if first.Header.Get("idempotent-replayed") != "" || again.Header.Get("idempotent-replayed") != "true" {
			t.Errorf("%s: idempotent-replayed is %q, then %q", address, first.Header.Get("idempotent-replayed"), again.Header.Get("idempotent-replayed"))
		}
		if n := s.charged(t); n != 1 || ran > 1 {
			t.Errorf("%s: charged %d times, ran %d times", address, n, ran)
		}

		// Another request, another address and another caller are others.
		if other, _ := s.send(t, t.Context(), "project", "k-1", address, strings.Replace(body, "Hello", "Goodbye", 1)); other.StatusCode != 409 || other.Header.Get("x-should-retry") != "false" {
			t.Errorf("%s: another request under the same key: %d", address, other.StatusCode)
		}
		if other, _ := s.send(t, t.Context(), "project", "k-2", address, body); other.Header.Get("idempotent-replayed") != "" {
			t.Errorf("%s: another key has the first's answer", address)
		}
	}
}

// A caller that goes away does not end its request: the next attempt has to
// wait, and then has its answer.
func TestAttemptsGoOnWithoutTheirCaller(t *testing.T) {
	begun, letGo := make(chan struct{}, 1), make(chan struct{})
	s := newTestServer(t, &fakeModel{waiting: begun, letGo: letGo}, account.Rates{}, nil)
	const body = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"SLOW to begin"}]}`
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() { defer close(gone); s.send(t, ctx, "project", "k", "/v1/chat/completions", body) }()
	<-begun
	leave()
	<-gone
	if running, _ := s.send(t, t.Context(), "project", "k", "/v1/chat/completions", body); running.StatusCode != 409 || running.Header.Get("retry-after") == "" {
		t.Errorf("while the first runs: %d, retry-after %q", running.StatusCode, running.Header.Get("retry-after"))
	}
	close(letGo)
	for deadline := time.Now().Add(time.Minute); ; {
		answer, text := s.send(t, t.Context(), "project", "k", "/v1/chat/completions", body)
		if answer.StatusCode == 200 {
			if answer.Header.Get("idempotent-replayed") != "true" || !strings.Contains(text, "one two") {
				t.Errorf("the answer is not the first's: %s", text)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the first attempt never ends: %d", answer.StatusCode)
		}
	}
	if n := s.charged(t); n != 1 {
		t.Errorf("charged %d times", n)
	}
}

// After an error the next attempt runs. What broke midway and was charged is not
// charged again.
func TestAttemptsAfterErrors(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	tests := []struct {
		prompt  string
		status  int
		charged int
	}{{"BUSY", 503, 0}, {"PANIC", 500, 0}, {"BREAK the stream", 200, 1}}
	for i, test := range tests {
		body := fmt.Sprintf(`{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":%q}]}`, test.prompt)
		before := s.charged(t)
		for range 2 {
			answer, text := s.send(t, t.Context(), "project", fmt.Sprint(i), "/v1/chat/completions", body)
			if answer.StatusCode != test.status || answer.Header.Get("idempotent-replayed") != "" {
				t.Errorf("%s: %d, %v; want each attempt to run: %s", test.prompt, answer.StatusCode, answer.Header, text)
			}
		}
		if n := s.charged(t) - before; n != test.charged {
			t.Errorf("%s: charged %d times in two attempts, want %d", test.prompt, n, test.charged)
		}
	}
}

func TestAttemptKeys(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	for _, key := range []string{"", strings.Repeat("k", 256), "with space"} {
		if answer, text := s.send(t, t.Context(), "project", key, "/v1/embeddings", `{"model":"fake-embed","input":"Hello"}`); answer.StatusCode != 400 || !strings.Contains(text, `"param":"Idempotency-Key"`) {
			t.Errorf("key %q: %d %s", key, answer.StatusCode, text)
		}
	}
	// An answer with a secret is kept nowhere.
	for pattern, r := range Routes(Config{}).(*api).routes {
		if !r.has(showsSecret) {
			continue
		}
		address := strings.NewReplacer("POST ", "", "{project_id}", s.project.Project, "{account_id}", "svc_acct_x").Replace(pattern)
		if answer, text := s.send(t, t.Context(), "admin", "k", address, `{"name":"n"}`); answer.StatusCode != 400 || strings.Contains(text, "sk-") {
			t.Errorf("%s: %d %s", address, answer.StatusCode, text)
		}
	}
	// Without a key that is in force nothing is kept.
	if answer, _ := s.send(t, t.Context(), "wrong", "k", "/v1/embeddings", `{}`); answer.StatusCode != 401 {
		t.Errorf("a wrong API key: %d", answer.StatusCode)
	}
}
