package api

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/platform/account"
)

const slow = `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"SLOW to begin"}]}`

// A stream whose model is slow to begin is kept alive by comments, which nothing
// but an event follows.
func TestSlowStreamsAreKeptAlive(t *testing.T) {
	for _, address := range []string{"/v1/chat/completions", "/v1/completions"} {
		begun, letGo := make(chan struct{}, 1), make(chan struct{})
		s := newTestServer(t, &fakeModel{waiting: begun, letGo: letGo}, account.Rates{}, func(c *Config) { c.KeepAlive = 2 * time.Millisecond })
		body := slow
		if address == "/v1/completions" {
			body = `{"model":"gpt-3.5-turbo-instruct","stream":true,"prompt":"SLOW to begin"}`
		}
		answer := s.post(t, t.Context(), address, body)
		if answer.StatusCode != 200 || answer.Header.Get("x-ragstone-model") != "fake-chat" || answer.Header.Get("x-ratelimit-remaining-requests") == "" {
			t.Fatalf("%s: %d %v", address, answer.StatusCode, answer.Header)
		}
		lines := bufio.NewReader(answer.Body)
		for range 3 {
			if line, err := lines.ReadString('\n'); line != keepAliveComment {
				t.Fatalf("%s: %q, %v; want a comment", address, line, err)
			}
		}
		close(letGo)
		rest, err := io.ReadAll(lines)
		text := strings.ReplaceAll(string(rest), keepAliveComment, "")
		if err != nil || !strings.HasPrefix(text, "data: {") || !strings.HasSuffix(text, "data: [DONE]\n\n") {
			t.Errorf("%s: then came %v\n%s", address, err, rest)
		}
	}
}

// What fails once comments have been sent is an event, and no clean end.
func TestLateErrorsAreEvents(t *testing.T) {
	begun, letGo := make(chan struct{}, 1), make(chan struct{})
	s := newTestServer(t, &fakeModel{waiting: begun, letGo: letGo}, account.Rates{}, func(c *Config) { c.KeepAlive = time.Millisecond })
	answer := s.post(t, t.Context(), "/v1/chat/completions", strings.Replace(slow, "SLOW", "LATE-ERROR SLOW", 1))
	lines := bufio.NewReader(answer.Body)
	if line, _ := lines.ReadString('\n'); line != keepAliveComment {
		t.Fatalf("the stream begins with %q", line)
	}
	close(letGo)
	rest, _ := io.ReadAll(lines)
	if !strings.Contains(string(rest), `data: {"error":{`) || strings.Contains(string(rest), "[DONE]") {
		t.Errorf("the stream ends with %s", rest)
	}
}

// A stream that flows is sent no comments, and an error before the first is a
// plain answer.
func TestNoCommentsWhereNoneAreNeeded(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	answer := s.post(t, t.Context(), "/v1/chat/completions", `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hello"}]}`)
	if text, _ := io.ReadAll(answer.Body); strings.Contains(string(text), keepAliveComment) {
		t.Errorf("comments in\n%s", text)
	}
	answer = s.post(t, t.Context(), "/v1/chat/completions", `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"BUSY"}]}`)
	if answer.StatusCode != 503 || answer.Header.Get("content-type") != "application/json" {
		t.Errorf("%d, %s; want a plain 503", answer.StatusCode, answer.Header.Get("content-type"))
	}
}

// A caller that goes away while its prompt is read frees its slot.
func TestDisconnectBeforeTheFirstPiece(t *testing.T) {
	begun, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newTestServer(t, &fakeModel{waiting: begun, ended: ended}, account.Rates{}, func(c *Config) { c.KeepAlive = time.Millisecond })
	ctx, leave := context.WithCancel(t.Context())
	s.post(t, ctx, "/v1/chat/completions", slow)
	<-begun
	leave()
	<-ended
}
