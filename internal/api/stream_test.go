package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/llm"
)

func (s *testServer) post(t *testing.T, ctx context.Context, address, body string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, "POST", s.URL+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+s.project.Secret)
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

const waiting = `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"WAIT for the secret word"}]}`

// A caller that goes away ends its work, and what it reserved is settled.
func TestDisconnectCancelsTheModel(t *testing.T) {
	begun, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newTestServer(t, &fakeModel{waiting: begun, ended: ended}, account.Rates{TokensPerMinute: 10_000}, nil)
	ctx, leave := context.WithCancel(t.Context())
	answer := s.post(t, ctx, "/v1/chat/completions", waiting)
	if line, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "data: {") {
		t.Fatalf("first line %q, %v", line, err)
	}
	<-begun
	leave()
	<-ended

	// Nearly all is back: the prompt's bound and the pieces that were sent.
	next := s.post(t, t.Context(), "/v1/chat/completions", `{"model":"gpt-4o-mini","max_tokens":1,"messages":[{"role":"user","content":"Hello"}]}`)
	io.Copy(io.Discard, next.Body)
	if n := next.Header.Get("x-ratelimit-remaining-tokens"); len(n) != 4 || n < "9800" {
		t.Errorf("%s of 10000 tokens remain after a cancelled request", n)
	}
}

// A stream that a stopping server ends says why, and is not clean.
func TestShutdownEndsStreamsWithAnError(t *testing.T) {
	begun, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newTestServer(t, &fakeModel{waiting: begun, ended: ended}, account.Rates{}, nil)
	requests, abort := context.WithCancelCause(context.Background())
	server := &http.Server{Handler: s.Config.Handler, BaseContext: func(net.Listener) context.Context { return requests }}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	defer server.Close()
	s.URL = "http://" + listener.Addr().String()

	answer := s.post(t, t.Context(), "/v1/chat/completions", waiting)
	<-begun
	abort(ErrShuttingDown)
	<-ended
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	events := strings.Split(strings.TrimSpace(string(text)), "\n\n")
	last := events[len(events)-1]
	if !strings.Contains(last, `"code":"server_is_shutting_down"`) || strings.Contains(string(text), "[DONE]") {
		t.Errorf("the stream ended with %s, want an error and no [DONE]", last)
	}
}

func TestAnswerTimeout(t *testing.T) {
	begun, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newTestServer(t, &fakeModel{waiting: begun, ended: ended}, account.Rates{}, func(c *Config) { c.AnswerTimeout = time.Second })
	answer := s.post(t, t.Context(), "/v1/chat/completions", strings.Replace(waiting, `"stream":true,`, "", 1))
	var body openai.ErrorResponse
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || answer.StatusCode != 503 || body.Error.Code == nil || *body.Error.Code != "timeout" {
		t.Errorf("got %d %+v, %v; want 503 timeout", answer.StatusCode, body, err)
	}
}

func TestRateLimit(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{RequestsPerMinute: 2}, nil)
	ask := func() *http.Response {
		return s.post(t, t.Context(), "/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}`)
	}
	for want := 1; want >= 0; want-- {
		if answer := ask(); answer.StatusCode != 200 || answer.Header.Get("x-ratelimit-remaining-requests") != string(rune('0'+want)) {
			t.Errorf("got %d with %s requests left, want 200 with %d", answer.StatusCode, answer.Header.Get("x-ratelimit-remaining-requests"), want)
		}
	}
	answer := ask()
	if answer.StatusCode != 429 || answer.Header.Get("retry-after") == "" || answer.Header.Get("x-ratelimit-remaining-requests") != "0" {
		t.Errorf("third request of two: %d %v", answer.StatusCode, answer.Header)
	}
	// Lists of models draw on no bucket.
	request, _ := http.NewRequest("GET", s.URL+"/v1/models", nil)
	request.Header.Set("Authorization", "Bearer "+s.project.Secret)
	list, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Body.Close()
	if list.StatusCode != 200 || list.Header.Get("x-ratelimit-limit-requests") != "" {
		t.Errorf("list of models: %d with limits %q", list.StatusCode, list.Header.Get("x-ratelimit-limit-requests"))
	}
}

func TestRevocationHoldsForTheNextRequest(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, nil)
	ask := func() int {
		return s.post(t, t.Context(), "/v1/embeddings", `{"model":"fake-embed","input":"hello"}`).StatusCode
	}
	if status := ask(); status != 200 {
		t.Fatalf("before: %d", status)
	}
	if err := s.keys.Revoke(t.Context(), s.project.ID); err != nil {
		t.Fatal(err)
	}
	if status := ask(); status != 401 {
		t.Errorf("after: %d, want 401", status)
	}
}

func TestNotReady(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) { c.Ready = func() error { return ErrShuttingDown } })
	for address, want := range map[string]int{"/readyz": 503, "/healthz": 200} {
		answer, err := http.Get(s.URL + address)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", address, answer.StatusCode, want)
		}
	}
}

// What a request asks for arrives at the model.
func TestRequestReachesTheModel(t *testing.T) {
	var got llm.Request
	s := newTestServer(t, &fakeModel{seen: func(r llm.Request) { got = r }}, account.Rates{}, nil)
	answer := s.post(t, t.Context(), "/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[
		{"role":"developer","content":"Be brief."},{"role":"user","name":"Ada","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}],
		"temperature":0,"top_p":0.5,"n":2,"seed":7,"stop":"END","presence_penalty":1,"frequency_penalty":-1,"max_completion_tokens":3,"logprobs":true,"top_logprobs":4,"logit_bias":{"290":-100}}`)
	io.Copy(io.Discard, answer.Body)
	if answer.StatusCode != 200 {
		t.Fatalf("status %d", answer.StatusCode)
	}
	want := []llm.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Ada: a\nb"}}
	if diff := cmp.Diff(want, got.Messages); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if got.Temperature == nil || *got.Temperature != 0 || *got.TopP != 0.5 || got.N != 2 || *got.Seed != 7 || got.Stop[0] != "END" ||
		got.PresencePenalty != 1 || got.FrequencyPenalty != -1 || got.MaxTokens != 3 || !got.LogProbs || got.TopLogProbs != 4 || got.LogitBias[5] != -100 {
		t.Errorf("the model was asked %+v", got)
	}
}

// Tools, calls and their results, a schema and a prediction reach the model.
func TestToolsReachTheModel(t *testing.T) {
	var got llm.Request
	s := newTestServer(t, &fakeModel{seen: func(r llm.Request) { got = r }}, account.Rates{}, nil)
	answer := s.post(t, t.Context(), "/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"q"},
		{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"custom","custom":{"name":"g","input":"a\"b"}}]},
		{"role":"tool","tool_call_id":"c2","content":"two"},{"role":"tool","tool_call_id":"c1","content":"one"}],
		"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{},"additionalProperties":false}}},{"type":"custom","custom":{"name":"g","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"a+"}}}}],
		"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}},"parallel_tool_calls":false,
		"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},"prediction":{"type":"content","content":"guess"}}`)
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 200 {
		t.Fatalf("status %d: %s", answer.StatusCode, body)
	}
	want := []llm.Message{
		{Role: "user", Content: "q"},
		{Role: "assistant", ToolCalls: []llm.ToolCall{{ID: "c1", Name: "f", Arguments: "{}"}, {ID: "c2", Name: "g", Arguments: `{"input":"a\"b"}`}}},
		{Role: "tool", ToolCallID: "c2", Content: "two"},
		{Role: "tool", ToolCallID: "c1", Content: "one"},
	}
	if diff := cmp.Diff(want, got.Messages); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if len(got.Tools) != 2 || !got.Tools[0].Strict || !strings.Contains(string(got.Tools[1].Parameters), `"pattern":"^(?:a+)$"`) {
		t.Errorf("tools %+v", got.Tools)
	}
	if got.ToolMode != llm.ToolsRequired || len(got.ToolNames) != 1 || got.ToolNames[0] != "f" || got.MaxCalls != 1 || got.Constraint == nil || got.Expected != "guess" || got.Tenant == "" {
		t.Errorf("the model was asked %+v", got)
	}
}
