package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testKey = "sk-test-0123456789"

// serve answers every request with a handler and returns an Upstream of it.
func serve(t *testing.T, handler http.HandlerFunc) *Upstream {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &Upstream{URL: server.URL + "/v1/", Key: testKey, Model: "big"}
}

// streaming answers with server-sent events.
func streaming(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, e := range events {
			fmt.Fprintf(w, "data: %s\n\n", e)
			w.(http.Flusher).Flush()
		}
	}
}

func TestUpstreamChats(t *testing.T) {
	var got map[string]any
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer "+testKey {
			t.Errorf("got %s with authorization %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		json.NewDecoder(r.Body).Decode(&got)
		streaming(
			`{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`,
			`{"choices":[{"index":0,"delta":{"content":"Pa"},"logprobs":{"content":[{"token":"Pa","logprob":-0.5,"bytes":[80,97],"top_logprobs":[{"token":"Pa","logprob":-0.5,"bytes":[80,97]}]}]}}]}`,
			`{"choices":[{"index":0,"delta":{"content":"ris"}}]}`,
			`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
			`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}`,
			`[DONE]`,
		)(w, r)
	})
	choices, usage, err := Collect(u.Generate(t.Context(), Request{
		Messages: []Message{{Role: "user", Content: "Capital of France?"}}, Temperature: new(0.0), MaxTokens: 5,
		Stop: []string{"\n"}, LogProbs: true, TopLogProbs: 1, LogitBias: map[int32]float64{7: -100},
	}))
	if err != nil {
		t.Fatal(err)
	}
	pa := TokenLogProb{ID: -1, Bytes: []byte("Pa"), LogProb: -0.5}
	scored := pa
	scored.Top = []TokenLogProb{pa}
	want := []Completion{{Text: "Paris", FinishReason: "stop", Tokens: []TokenLogProb{scored}}}
	if diff := cmp.Diff(want, choices); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
	if usage != (Usage{PromptTokens: 9, CachedTokens: 4, CompletionTokens: 2}) {
		t.Errorf("usage: got %+v", usage)
	}
	wantBody := map[string]any{
		"model": "big", "messages": []any{map[string]any{"role": "user", "content": "Capital of France?"}},
		"temperature": 0.0, "max_tokens": 5.0, "stop": []any{"\n"}, "logprobs": true, "top_logprobs": 1.0,
		"logit_bias": map[string]any{"7": -100.0}, "stream": true, "stream_options": map[string]any{"include_usage": true},
	}
	if diff := cmp.Diff(wantBody, got); diff != "" {
		t.Errorf("request body (-want +got):\n%s", diff)
	}
}

func TestUpstreamCompletes(t *testing.T) {
	u := serve(t, streaming(
		`{"choices":[{"index":1,"text":"b"},{"index":0,"text":"a","logprobs":{"tokens":["a"],"token_logprobs":[-1],"top_logprobs":[{"x":-2,"a":-1}]}}]}`,
		`{"choices":[{"index":0,"text":"","finish_reason":"length"}]}`,
		`{"choices":[{"index":1,"text":"!","finish_reason":"length"}]}`,
		`[DONE]`,
	))
	choices, _, err := Collect(u.Generate(t.Context(), Request{Prompt: "go", N: 2, LogProbs: true, TopLogProbs: 2}))
	if err != nil {
		t.Fatal(err)
	}
	if choices[0].Text != "a" || choices[1].Text != "b!" || len(choices[0].Tokens) != 1 {
		t.Fatalf("got %+v", choices)
	}
	if top := choices[0].Tokens[0].Top; len(top) != 2 || string(top[0].Bytes) != "a" {
		t.Errorf("likeliest first: got %+v", top)
	}
}

// Nothing but a complete stream is an answer.
func TestUpstreamFailures(t *testing.T) {
	refuse := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		status  int // of an UpstreamError; -1 for another error
		says    string
	}{
		{"refused", refuse(429, `{"error":{"message":"Slow down.","type":"requests","code":"rate_limit_exceeded"}}`), 429, "Slow down."},
		{"refused with a number for a code", refuse(400, `{"error":{"message":"No.","code":400}}`), 400, "No."},
		{"refused in another shape", refuse(502, "<html>\n bad gateway </html>"), 502, "<html> bad gateway </html>"},
		{"refused without a word", refuse(503, ""), 503, "Service Unavailable"},
		{"the key echoed", refuse(401, `{"error":{"message":"Wrong key `+testKey+`"}}`), 401, "Wrong key [key]"},
		{"an endless refusal", refuse(500, strings.Repeat("x", 1<<20)), 500, "xxx"},
		{"broken off", streaming(`{"choices":[{"index":0,"delta":{"content":"Par"}}]}`), -1, "broke off"},
		{"done too early", streaming(`{"choices":[{"index":0,"delta":{"content":"Par"}}]}`, "[DONE]"), -1, "broke off"},
		{"an error inside", streaming(`{"error":{"message":"out of memory","type":"server_error"}}`), 0, "out of memory"},
		{"no JSON", streaming(`{"choices":`), -1, "broken"},
		{"a choice out of nowhere", streaming(`{"choices":[{"index":-1}]}`), -1, "choice -1"},
		{"a line without end", streaming(strings.Repeat("x", maxEventBytes+1)), -1, "an event has more than"},
		{"not a stream", refuse(200, `{"choices":[{"message":{"content":"hi"}}]}`), -1, "broke off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := serve(t, tt.handler)
			_, _, err := Collect(u.Generate(t.Context(), Request{Messages: []Message{{Role: "user", Content: "?"}}}))
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), testKey) {
				t.Fatalf("got error %v, want one that says %q and not the key", err, tt.says)
			}
			refusal, ok := errors.AsType[*UpstreamError](err)
			if ok != (tt.status >= 0) || ok && refusal.Status != tt.status {
				t.Errorf("got %#v, want status %d", err, tt.status)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestUpstreamWantsTheNewerCap(t *testing.T) {
	var bodies []string
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		if len(bodies) == 1 {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":{"message":"Use 'max_completion_tokens' instead.","code":"unsupported_parameter","param":"max_tokens"}}`)
			return
		}
		streaming(`{"choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":"stop"}]}`, `[DONE]`)(w, r)
	})
	if _, _, err := Collect(u.Generate(t.Context(), Request{Messages: []Message{{Role: "user"}}, MaxTokens: 3})); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 2 || !strings.Contains(bodies[1], `"max_completion_tokens":3`) || strings.Contains(bodies[1], `"max_tokens"`) {
		t.Errorf("got requests %q", bodies)
	}
}

func TestUpstreamIsNotFollowedElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host has got a request with authorization %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if _, err := u.Embed(t.Context(), []string{"secret"}); err == nil || !strings.Contains(err.Error(), "redirects") {
		t.Errorf("got error %v, want one about the redirect", err)
	}
}

func TestUpstreamSilence(t *testing.T) {
	released := make(chan struct{})
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		streaming(`{"choices":[{"index":0,"delta":{"content":"Par"}}]}`)(w, r)
		<-released
	})
	defer close(released)
	u.IdleTimeout = 50 * time.Millisecond
	_, _, err := Collect(u.Generate(t.Context(), Request{Prompt: "?"}))
	if err == nil || !strings.Contains(err.Error(), "silent for 50ms") {
		t.Errorf("got error %v, want one about the silence", err)
	}

	u.IdleTimeout = 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range u.Generate(ctx, Request{Prompt: "?"}) {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want context.Canceled", err)
		}
		cancel()
	}
}

func TestUpstreamEmbeds(t *testing.T) {
	answer := func(change func(vectors []string) []string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var req struct{ Input []string }
			json.NewDecoder(r.Body).Decode(&req)
			var vectors []string
			for i, text := range req.Input {
				vectors = append([]string{fmt.Sprintf(`{"index":%d,"embedding":[%d,1]}`, i, len(text))}, vectors...)
			}
			fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(change(vectors), ","))
		}
	}
	texts := make([]string, 2*upstreamBatch+3)
	for i := range texts {
		texts[i] = strings.Repeat("x", i)
	}
	vectors, err := serve(t, answer(func(v []string) []string { return v })).Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vectors {
		if v[0] != float32(i) {
			t.Errorf("text %d: got %v", i, v)
		}
	}
	for name, change := range map[string]func([]string) []string{
		"one missing":    func(v []string) []string { return v[1:] },
		"one twice":      func(v []string) []string { return append(v[1:], v[1]) },
		"other lengths":  func(v []string) []string { return append(v[:len(v)-1], `{"index":0,"embedding":[1,2,3]}`) },
		"an empty one":   func(v []string) []string { return append(v[:len(v)-1], `{"index":0,"embedding":[]}`) },
		"not JSON":       func([]string) []string { return []string{"{"} },
		"no such number": func(v []string) []string { return append(v[1:], `{"index":99,"embedding":[1,2]}`) },
	} {
		if v, err := serve(t, answer(change)).Embed(t.Context(), texts[:3]); err == nil {
			t.Errorf("%s: got %v and no error", name, v)
		}
	}
}

func TestUpstreamValidate(t *testing.T) {
	for _, u := range []Upstream{
		{URL: "http://host/v1"},
		{URL: "host:80/v1", Model: "m"},
		{URL: "ftp://host", Model: "m"},
		{URL: "http://user:secret@host/v1", Model: "m"},
		{URL: "http://host/v1?key=1", Model: "m"},
		{URL: "http://%zz", Model: "m"},
	} {
		err := u.Validate()
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: got error %v", u, err)
		}
	}
	if err := (&Upstream{URL: "http://[::1]:8080/v1", Model: "m"}).Validate(); err != nil {
		t.Error(err)
	}
}

// Whatever a server sends is an answer or an error.
func FuzzUpstreamStream(f *testing.F) {
	f.Add("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	f.Add("data: {\"choices\":[{\"logprobs\":{\"tokens\":[\"a\"],\"token_logprobs\":[null],\"top_logprobs\":[null]}}]}\r\n\r\n")
	f.Add(": keep-alive\n\ndata:{\"usage\":{}}\ndata: \n\n")
	f.Add("data: {\"error\":{\"code\":7}}\n\n")
	f.Fuzz(func(t *testing.T, body string) {
		stream := &wireStream{unfinished: 1}
		for data, err := range events(strings.NewReader(body)) {
			if err != nil {
				return
			}
			deltas, err := stream.read(data)
			if err != nil {
				return
			}
			for _, d := range deltas {
				if d.Index < 0 || d.Index >= maxChoices {
					t.Errorf("body %q: a piece of choice %d", body, d.Index)
				}
			}
		}
	})
}
