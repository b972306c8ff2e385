package inference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/upstream"
)

// streamOf plays an upstream that sends events, then says that it is done.
func streamOf(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, e := range events {
			fmt.Fprintf(w, "data: %s\n\n", e)
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	}
}

// chunksOf starts a streamed answer and reads it to its end.
func chunksOf(t *testing.T, s *Service, r *openai.ChatCompletionRequest) (*ChatAnswer, []string, error) {
	t.Helper()
	answer, err := s.Chat(t.Context(), caller, r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	var events []string
	for chunk, err := range answer.Chunks() {
		if err != nil {
			return answer, events, err
		}
		text, err := openai.Encode(chunk)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, string(text))
	}
	return answer, events, nil
}

// Every parameter of the API reaches the upstream as it was written, but for
// what is this server's own affair.
func TestParametersPass(t *testing.T) {
	const rest = `"messages":[{"role":"user","content":[{"type":"text","text":"say <b>"},{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},{"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}},{"type":"file","file":{"file_data":"data:,x","filename":"a.pdf"}}]},{"role":"assistant","audio":{"id":"audio_1"}}],` +
		`"temperature":0.30,"top_p":1,"n":2,"seed":7,"stop":["x"],"logit_bias":{"50256":-100},"logprobs":true,"top_logprobs":2,"presence_penalty":0.5,"frequency_penalty":-0.5,` +
		`"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},{"type":"custom","custom":{"name":"g","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: x"}}}}],` +
		`"tool_choice":"auto","parallel_tool_calls":true,"modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"},"web_search_options":{},"reasoning_effort":"low","verbosity":"low","prediction":{"type":"content","content":"p"},` +
		`"user":"u","safety_identifier":"s","service_tier":"flex","prompt_cache_key":"k","moderation":{}`
	tests := []struct{ name, in, want string }{
		{"a cap is put in", `{"model":"ours",` + rest + `}`, `{"model":"theirs",` + rest + `,"max_tokens":4096}`},
		{"the caller's cap", `{"model":"ours",` + rest + `,"max_tokens":5}`, `{"model":"theirs",` + rest + `,"max_tokens":5}`},
		{"its newer name", `{"model":"ours",` + rest + `,"max_completion_tokens":5}`, `{"model":"theirs",` + rest + `,"max_completion_tokens":5}`},
		{"a stream's usage is asked for", `{"model":"ours",` + rest + `,"max_tokens":5,"stream":true}`, `{"model":"theirs",` + rest + `,"max_tokens":5,"stream":true,"stream_options":{"include_usage":true}}`},
		{"storing is ours", `{"model":"ours",` + rest + `,"max_tokens":5,"store":false,"stream":true,"stream_options":{"include_usage":false,"include_obfuscation":true}}`, `{"model":"theirs",` + rest + `,"max_tokens":5,"stream":true,"stream_options":{"include_usage":true}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got string
			s := New(Config{Upstreams: renaming(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = string(body)
				http.Error(w, `{"error":{"message":"seen"}}`, http.StatusBadRequest)
			})})
			_, err := s.Chat(t.Context(), caller, decoded(test.in))
			if e, ok := errors.AsType[*upstream.Error](err); !ok || e.Message != "seen" {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the upstream was sent (-want +got):\n%s", diff)
			}
		})
	}
}

// renaming is an upstream that calls our model otherwise.
func renaming(h http.HandlerFunc) *upstream.Pool {
	return poolWith(h, upstream.Server{Renames: map[string]string{"ours": "theirs"}})
}

// A model that wants the cap under its newer name says so once.
func TestTheCapHasTwoNames(t *testing.T) {
	var seen []string
	s := New(Config{CompletionCap: 99, Upstreams: poolOf(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(string(body), `"max_tokens":99`):
			seen = append(seen, "old")
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}`)
		case strings.Contains(string(body), `"max_completion_tokens":99`):
			seen = append(seen, "new")
			io.WriteString(w, `{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}`)
		}
	})})
	for range 2 {
		answer, err := s.Chat(t.Context(), caller, decoded(`{"model":"o9","messages":[{"role":"user","content":"hi"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		answer.Close()
	}
	if diff := cmp.Diff([]string{"old", "new", "new"}, seen); diff != "" {
		t.Errorf("caps (-want +got):\n%s", diff)
	}
}

// What an upstream might do and nobody could account for is refused.
func TestWhatDoesNotPass(t *testing.T) {
	s := New(Config{Upstreams: poolOf(func(http.ResponseWriter, *http.Request) { t.Error("the upstream was asked") })})
	for param, body := range map[string]string{
		"service_tier":        `"service_tier":"priority","messages":[{"role":"user","content":"hi"}]`,
		"messages[0].content": `"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]`,
		"n":                   `"n":129,"messages":[{"role":"user","content":"hi"}]`,
	} {
		_, err := s.Chat(t.Context(), caller, decoded(`{"model":"m",`+body+`}`))
		if refused, ok := errors.AsType[*openai.RequestError](err); !ok || refused.Param != param {
			t.Errorf("%s: %v, want a refusal of %s", body, err, param)
		}
	}
}

const helloChunks = `{"id":"x","model":"theirs","system_fingerprint":"fp_9","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":null}]}`

// A stream's usage comes last and by itself, whoever told it, and only to those
// who asked.
func TestStreamedUsage(t *testing.T) {
	const end = `{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	told := streamOf(helloChunks, end, `{"id":"x","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":4,"total_tokens":34,"prompt_tokens_details":{"cached_tokens":10}}}`)
	withEnd := streamOf(helloChunks, `{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":4}}`)
	untold := streamOf(helloChunks, `{"choices":[{"index":0,"delta":{"content":" there, my friend"}}]}`, end)
	tests := []struct {
		name   string
		server http.HandlerFunc
		want   Usage
	}{
		{"told", told, Usage{30, 4}},
		{"told with the end", withEnd, Usage{30, 4}},
		// 1 for the role, 3 for the text, 3 for a message and 3 for the answer.
		{"counted", untold, Usage{10, 5}},
	}
	for _, test := range tests {
		for _, asked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, asked %v", test.name, asked), func(t *testing.T) {
				s := New(Config{Upstreams: renaming(test.server)})
				answer, events, err := chunksOf(t, s, decoded(fmt.Sprintf(`{"model":"ours","stream":true,"stream_options":{"include_usage":%v},"messages":[{"role":"user","content":"Say hello."}]}`, asked)))
				if err != nil {
					t.Fatal(err)
				}
				if got := answer.Usage(); got != test.want {
					t.Errorf("charged %+v, want %+v", got, test.want)
				}
				var last openai.ChatCompletionChunk
				for i, e := range events {
					var chunk struct {
						ID, Model, Object string
						Usage             json.RawMessage
						Choices           []json.RawMessage
					}
					if err := json.Unmarshal([]byte(e), &chunk); err != nil {
						t.Fatal(err)
					}
					isLast := asked && i == len(events)-1
					if chunk.ID != answer.id || chunk.Model != "ours" || chunk.Object != "chat.completion.chunk" || (len(chunk.Choices) == 0) != isLast {
						t.Errorf("event %d is %s", i, e)
					}
					switch {
					case !asked && chunk.Usage != nil, asked && !isLast && string(chunk.Usage) != "null":
						t.Errorf("event %d has the usage %s", i, chunk.Usage)
					case isLast:
						json.Unmarshal(chunk.Usage, &last.Usage.Counts)
						if got := last.Usage.Counts; got == nil || got.PromptTokens != test.want.PromptTokens || got.CompletionTokens != test.want.CompletionTokens || got.TotalTokens != test.want.PromptTokens+test.want.CompletionTokens {
							t.Errorf("the last event is %s", e)
						}
					}
				}
				if answer.Model != "theirs" || answer.Upstream != "other" || !strings.Contains(events[0], `"system_fingerprint":"fp_9"`) {
					t.Errorf("%s ran at %s: %s", answer.Model, answer.Upstream, events[0])
				}
			})
		}
	}
}

// A stream that breaks ends with an error, and is charged for what came of it;
// so is one that its caller left.
func TestBrokenRelays(t *testing.T) {
	const text = "The quick brown fox jumps over the lazy dog."
	chunk := fmt.Sprintf(`{"choices":[{"index":0,"delta":{"content":%q},"finish_reason":null}]}`, text)
	tests := []struct {
		name   string
		server http.HandlerFunc
		leave  bool
		want   string // of the error
	}{
		{"reset", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: %s\n\n", chunk)
			panic(http.ErrAbortHandler)
		}, false, "connection reset by peer"},
		{"ended early", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprintf(w, "data: %s\n\n", chunk)
		}, false, "its stream broke off before the answer was complete"},
		{"garbage", streamOf(chunk, `{"choices":[{"index":"x"}]}`), false, "its answer makes no sense"},
		{"an error event", streamOf(chunk, `{"error":{"message":"out of memory"}}`), false, "out of memory"},
		{"left", streamOf(chunk, chunk), true, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(Config{Upstreams: poolOf(test.server)})
			answer, err := s.Chat(t.Context(), caller, decoded(`{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Say hello."}]}`))
			if err != nil {
				t.Fatal(err)
			}
			events := 0
			var last error
			for _, err := range answer.Chunks() {
				if last = err; err != nil {
					break
				}
				if events++; test.leave {
					break
				}
			}
			answer.Close()
			if test.want == "" && last != nil || test.want != "" && (last == nil || !strings.Contains(last.Error(), test.want)) || events != 1 {
				t.Errorf("after %d events: %v, want %q after 1", events, last, test.want)
			}
			if got, want := answer.Usage(), (Usage{10, 10}); got != want {
				t.Errorf("charged %+v, want the %+v of what came", got, want)
			}
		})
	}
}

// An answer without choices is none: nobody gets it, and nobody pays for it.
func TestAnswersWithoutChoices(t *testing.T) {
	const empty = `{"id":"x","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":4,"total_tokens":34}}`
	for _, stream := range []bool{false, true} {
		shop, err := openShop(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer shop.store.Close()
		shop.upstreams = poolOf(func(w http.ResponseWriter, r *http.Request) {
			if stream {
				streamOf(empty)(w, r)
				return
			}
			io.WriteString(w, empty)
		})
		answer, err := shop.Chat(t.Context(), shop.caller, decoded(fmt.Sprintf(`{"model":"gpt-4o","stream":%t,"messages":[{"role":"user","content":"hi"}]}`, stream)))
		if stream {
			if err != nil {
				t.Fatal(err)
			}
			for _, err = range answer.Chunks() {
			}
			answer.Close()
		}
		if e, ok := errors.AsType[*upstream.Error](err); !ok || !e.Strange || !strings.Contains(e.Message, "its list of choices is empty") {
			t.Errorf("stream %t: %v, want that there are no choices", stream, err)
		}
		tenant := shop.caller.Tenant.OrganizationID
		for e := range shop.store.Entries(t.Context(), tenant, time.Unix(0, 0), time.Now().Add(time.Hour)) {
			t.Errorf("stream %t: the ledger has %+v", stream, e)
		}
	}
}

// An answer in one piece that its caller did not wait for is charged its prompt.
func TestLeavingBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 100_000
		limiter := account.NewLimiter(account.Rates{TokensPerMinute: limit})
		s := New(Config{Limiter: limiter, Upstreams: poolOf(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })})
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		if _, err := s.Chat(ctx, caller, decoded(`{"model":"gpt-4o","messages":[{"role":"user","content":"Say hello."}]}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		after, err := limiter.Reserve(t.Context(), account.Demand{Tenant: caller.Tenant, Model: "gpt-4o", Kind: account.KindCompletions})
		if used := limit - after.Limits().Tokens.Remaining; err != nil || used != 10 {
			t.Errorf("%d tokens were used, want 10 (%v)", used, err)
		}
	})
}

// A whole answer passes with all that it has; so does what is stored of it.
func TestWholeRelay(t *testing.T) {
	const written = `{"id":"x","object":"chat.completion","created":1,"model":"theirs-2026","choices":[{"index":0,"message":{"role":"assistant","content":"<hi>","refusal":null,"annotations":[{"type":"url_citation"}],"audio":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}`
	s := New(Config{Upstreams: renaming(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-ratelimit-remaining-tokens", "77")
		w.Header().Set("x-ratelimit-limit-tokens", "100")
		io.WriteString(w, written)
	})})
	answer, err := s.Chat(t.Context(), caller, decoded(`{"model":"ours","messages":[{"role":"user","content":"hi"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	c, err := answer.Completion()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := openai.Encode(c)
	want := strings.NewReplacer(`"id":"x"`, fmt.Sprintf(`"id":%q`, answer.id), `"created":1`, fmt.Sprintf(`"created":%d`, answer.created), "theirs-2026", "ours").Replace(written)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if answer.Usage() != (Usage{9, 2}) {
		t.Errorf("charged %+v", answer.Usage())
	}
	if diff := cmp.Diff(map[string]string{"x-ratelimit-remaining-tokens": "77", "x-ratelimit-limit-tokens": "100"}, answer.UpstreamLimits); diff != "" {
		t.Errorf("its limits (-want +got):\n%s", diff)
	}
}

// What is kept of a streamed answer is the answer whole.
func TestTranscript(t *testing.T) {
	var said transcript
	for _, event := range []string{
		`{"choices":[{"index":0,"delta":{"role":"assistant","content":""}},{"index":1,"delta":{"refusal":"I "}}]}`,
		`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}`,
		`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}},{"index":1,"id":"b","type":"custom","custom":{"name":"g","input":"in"}}]}}]}`,
		`{"choices":[{"index":1,"delta":{"refusal":"won't"},"finish_reason":"stop"},{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`,
	} {
		part, err := openai.ReadForeign([]byte(event))
		if err != nil {
			t.Fatal(err)
		}
		said.add(part)
	}
	refusal := "I won't"
	want := []openai.ChatChoice{
		{Index: 0, FinishReason: "tool_calls", Message: openai.AssistantMessage{Role: "assistant", Annotations: []struct{}{}, ToolCalls: []openai.CalledTool{
			{ID: "a", Type: "function", Function: &openai.CalledFunction{Name: "f", Arguments: "{}"}},
			{ID: "b", Type: "custom", Custom: &openai.CalledCustom{Name: "g", Input: "in"}},
		}}},
		{Index: 1, FinishReason: "stop", Message: openai.AssistantMessage{Role: "assistant", Annotations: []struct{}{}, Refusal: &refusal}},
	}
	if diff := cmp.Diff(want, said.choices); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
}

// The bound covers what each part of a request may take.
func TestRelayedBounds(t *testing.T) {
	plain := relayedChatBound(decoded(`{"model":"m","messages":[{"role":"user","content":"hello"}]}`), 10)
	tests := []struct {
		name, body string
		prompt     int // more than plain's
		completion int
	}{
		{"n", `"n":3,"messages":[{"role":"user","content":"hello"}]`, 0, 30},
		{"a prediction that is wrong", `"prediction":{"type":"content","content":"12345678"},"messages":[{"role":"user","content":"hello"}]`, 0, 18},
		{"an image", `"messages":[{"role":"user","content":[{"type":"text","text":"hello"},{"type":"image_url","image_url":{"url":"https://x"}}]}]`, mostOfImage, 10},
		{"a file", `"messages":[{"role":"user","content":[{"type":"text","text":"hello"},{"type":"file","file":{"file_data":"x"}}]}]`, mostOfContext - plain.PromptTokens, 10},
		{"a search", `"web_search_options":{},"messages":[{"role":"user","content":"hello"}]`, mostOfContext - plain.PromptTokens, 10},
	}
	for _, test := range tests {
		got := relayedChatBound(decoded(`{"model":"m",`+test.body+`}`), 10)
		if want := (Usage{plain.PromptTokens + test.prompt, test.completion}); got != want {
			t.Errorf("%s: at most %+v, want %+v", test.name, got, want)
		}
	}
}

func TestRelayedCompletions(t *testing.T) {
	var sent string
	s := New(Config{Upstreams: renaming(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if sent = string(body); strings.Contains(sent, `"stream":true`) {
			streamOf(`{"choices":[{"index":0,"text":" two"}]}`, `{"choices":[{"index":0,"text":" three","finish_reason":"stop"}]}`)(w, r)
			return
		}
		io.WriteString(w, `{"choices":[{"text":" two three","finish_reason":"stop"}]}`)
	})})
	complete := func(body string) *CompletionAnswer {
		t.Helper()
		var r openai.CompletionRequest
		if err := r.UnmarshalJSON([]byte(body)); err != nil {
			t.Fatal(err)
		}
		answer, err := s.Complete(t.Context(), caller, &r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Close() })
		return answer
	}
	answer := complete(`{"model":"ours","prompt":[[5,6,7]],"suffix":"x"}`)
	c, err := answer.Completion()
	if err != nil {
		t.Fatal(err)
	}
	text, _ := openai.Encode(c)
	want := fmt.Sprintf(`{"choices":[{"text":" two three","finish_reason":"stop","index":0,"logprobs":null}],"usage":{"completion_tokens":2,"prompt_tokens":3,"total_tokens":5,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":0,"rejected_prediction_tokens":0},"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0}},"id":%q,"object":"text_completion","created":%d,"model":"ours"}`, answer.id, answer.created)
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if want := `{"model":"theirs","prompt":[[5,6,7]],"suffix":"x","max_tokens":16}`; sent != want {
		t.Errorf("sent %s, want %s", sent, want)
	}
	events := 0
	for _, err := range complete(`{"model":"ours","prompt":"one","stream":true,"stream_options":{"include_usage":true}}`).Events() {
		if events++; err != nil {
			t.Error(err)
		}
	}
	if events != 3 {
		t.Errorf("%d events, want two pieces and the usage", events)
	}
}

func TestRelayedEmbeddings(t *testing.T) {
	answers := map[string]string{
		"told":    `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}],"model":"theirs","usage":{"prompt_tokens":8,"total_tokens":8}}`,
		"untold":  `{"data":[{"index":0,"embedding":[1]}]}`,
		"too few": `{"data":[]}`,
	}
	for name, want := range map[string]string{
		"told":   `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}],"model":"ours","usage":{"prompt_tokens":8,"total_tokens":8}}`,
		"untold": `{"data":[{"index":0,"embedding":[1]}],"object":"list","model":"ours","usage":{"prompt_tokens":2,"total_tokens":2}}`,
	} {
		var sent string
		s := New(Config{Upstreams: renaming(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = string(body)
			io.WriteString(w, answers[name])
		})})
		var r openai.EmbeddingRequest
		if err := r.UnmarshalJSON([]byte(`{"model":"ours","input":[[15339,1917]],"encoding_format":"base64","dimensions":1}`)); err != nil {
			t.Fatal(err)
		}
		e, err := s.Embed(t.Context(), caller, &r)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := openai.Encode(e.List)
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if want := `{"model":"theirs","input":[[15339,1917]],"encoding_format":"base64","dimensions":1}`; sent != want {
			t.Errorf("sent %s, want %s", sent, want)
		}
	}
	s := New(Config{Upstreams: renaming(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answers["too few"]) })})
	var r openai.EmbeddingRequest
	if err := r.UnmarshalJSON([]byte(`{"model":"ours","input":"hello"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Embed(t.Context(), caller, &r); err == nil || !strings.Contains(err.Error(), "0 vectors for 1 texts") {
		t.Errorf("too few vectors: %v", err)
	}
}

func TestModerations(t *testing.T) {
	s := New(Config{
		Models: []Model{{Name: "local", Generator: script{}}},
		Upstreams: poolWith(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"id":"modr-1","model":"omni-moderation-2024-09-26","results":[{"flagged":false}]}`)
		}, upstream.Server{Models: []string{"omni-*"}}),
	})
	moderate := func(body string) (*Moderation, error) {
		t.Helper()
		var r openai.ModerationRequest
		if err := r.UnmarshalJSON([]byte(body)); err != nil {
			return nil, err
		}
		return s.Moderate(t.Context(), caller, &r)
	}
	m, err := moderate(`{"input":[{"type":"text","text":"hi"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := openai.Encode(m.Body)
	if want := `{"id":"modr-1","model":"omni-moderation-latest","results":[{"flagged":false}]}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := moderate(`{"input":"hi","model":"gpt-9"}`); !isType[*ModelNotFoundError](err) {
		t.Errorf("an unknown model: %v", err)
	}
	for _, body := range []string{`{"input":"hi","model":"local"}`, `{}`, `{"input":[]}`, `{"input":5}`} {
		if _, err := moderate(body); !isType[*openai.RequestError](err) {
			t.Errorf("%s: %v, want a refusal", body, err)
		}
	}
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestUpstreamsModelsAreListedLast(t *testing.T) {
	s := New(Config{
		Models:    []Model{{Name: "local", Generator: script{}}},
		Aliases:   append(DefaultAliases("local", ""), Alias{Name: "mine", Model: "theirs", Configured: true}),
		Upstreams: poolWith(nil, upstream.Server{Models: []string{"theirs", "gpt-4o", "other-*"}}),
	})
	var got []string
	for _, m := range s.Models(t.Context()) {
		got = append(got, m.ID+" of "+m.OwnedBy)
	}
	want := []string{"local of ragstone", "gpt-4o-mini of ragstone", "gpt-3.5-turbo of ragstone", "gpt-3.5-turbo-instruct of ragstone", "mine of ragstone", "theirs of other", "gpt-4o of other"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
}
