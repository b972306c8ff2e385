package openai

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func ptr[T any](v T) *T { return &v }

func TestDecodeChat(t *testing.T) {
	tests := []struct {
		name string
		body string
		want ChatCompletionRequest
	}{
		{"the least", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, ChatCompletionRequest{
			Model: "m", HasMessages: true,
			Messages: []ChatMessage{{Role: "user", Content: MessageContent{Given: true, Parts: []ContentPart{{"hi"}}}}},
		}},
		{"zero is not absent, null is", `{"temperature":0,"top_p":null,"n":null,"logprobs":false,"stream":false}`, ChatCompletionRequest{
			Temperature: ptr(0.0), LogProbs: ptr(false),
		}},
		{"every scalar", `{"top_logprobs":3,"temperature":1,"top_p":0.5,"user":"u","safety_identifier":"s","service_tier":"auto","max_completion_tokens":7,
			"frequency_penalty":-1,"presence_penalty":1.5,"store":true,"stream":true,"logprobs":true,"max_tokens":8,"n":2,"seed":-9223372036854775808}`, ChatCompletionRequest{
			TopLogProbs: ptr(int64(3)), Temperature: ptr(1.0), TopP: ptr(0.5), User: ptr("u"), SafetyIdentifier: ptr("s"), ServiceTier: ptr("auto"),
			MaxCompletionTokens: ptr(int64(7)), FrequencyPenalty: ptr(-1.0), PresencePenalty: ptr(1.5), Store: ptr(true), Stream: true, LogProbs: ptr(true),
			MaxTokens: ptr(int64(8)), N: ptr(int64(2)), Seed: ptr(int64(math.MinInt64)),
		}},
		{"unions", `{"stop":"a","modalities":["text"],"response_format":{"type":"text"},"stream_options":{"include_usage":true},"logit_bias":{"5":-100,"7":0.5},"metadata":{"k":"v"}}`, ChatCompletionRequest{
			Stop: []string{"a"}, Modalities: []string{"text"}, ResponseFormat: &ResponseFormat{Type: "text", Raw: json.RawMessage(`{"type":"text"}`)}, StreamOptions: &StreamOptions{IncludeUsage: true},
			LogitBias: []TokenBias{{5, -100}, {7, 0.5}}, Metadata: []MetadataPair{{"k", "v"}},
		}},
		{"several stops", `{"stop":["a","b"]}`, ChatCompletionRequest{Stop: []string{"a", "b"}}},
		{"advice", `{"prompt_cache_key":"k","prompt_cache_retention":"24h","prompt_cache_options":{},"prediction":{"type":"content","content":"x"}}`, ChatCompletionRequest{Prediction: "x"}},
		{"what is not served, in the specification's order", `{"verbosity":"low","audio":{},"web_search_options":{},"moderation":null}`, ChatCompletionRequest{
			Unserved: []string{"verbosity", "web_search_options", "audio"},
		}},
		{"messages of all kinds", `{"messages":[
			{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"n"},
			{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{}},{"type":"file","file":{}}]},
			{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"d","type":"custom","custom":{"name":"g","input":"in"}}],"annotations":[],"refusal":null,"audio":null,"function_call":null},
			{"role":"assistant","refusal":"no"},
			{"role":"tool","tool_call_id":"c","content":"x"}]}`, ChatCompletionRequest{HasMessages: true, Messages: []ChatMessage{
			{Role: "system", Content: MessageContent{Given: true, Parts: []ContentPart{{"a"}, {"b"}}}, Name: ptr("n")},
			{Role: "user", Content: MessageContent{Given: true, Parts: []ContentPart{{"a"}}}, UnservedContent: "messages[1].content[1].image_url",
				Media: []Media{{"image_url", len(`{"type":"image_url","image_url":{}}`), false}, {"file", len(`{"type":"file","file":{}}`), false}}},
			{Role: "assistant", Content: MessageContent{Null: true}, ToolCalls: []ToolCall{{"c", "function", "f", "{}"}, {"d", "custom", "g", "in"}}},
			{Role: "assistant", Content: MessageContent{Given: true, Parts: []ContentPart{{"no"}}}},
			{Role: "tool", Content: MessageContent{Given: true, Parts: []ContentPart{{"x"}}}, ToolCallID: ptr("c")},
		}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got ChatCompletionRequest
			if err := got.UnmarshalJSON([]byte(test.body)); err != nil {
				t.Fatalf("%s: %v", test.body, err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreTypes(Body{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.body, diff)
			}
		})
	}
}

func TestDecodeTextOrTokens(t *testing.T) {
	tests := []struct {
		input string
		want  TextOrTokens
		param string // of the refusal, if it is one
	}{
		{`"a"`, TextOrTokens{Texts: []string{"a"}}, ""},
		{`""`, TextOrTokens{Texts: []string{""}}, ""},
		{`["a","b"]`, TextOrTokens{Texts: []string{"a", "b"}}, ""},
		{`[1,2]`, TextOrTokens{Tokens: [][]int64{{1, 2}}}, ""},
		{`[[1],[2,3]]`, TextOrTokens{Tokens: [][]int64{{1}, {2, 3}}}, ""},
		{`[]`, TextOrTokens{}, "input"},
		{`[[1],[]]`, TextOrTokens{}, "input[1]"},
		{`["a",1]`, TextOrTokens{}, "input[1]"},
		{`[1,"a"]`, TextOrTokens{}, "input[1]"},
		{`[1.5]`, TextOrTokens{}, "input[0]"},
		{`[[1,null]]`, TextOrTokens{}, "input[0][1]"},
		{`[null]`, TextOrTokens{}, "input[0]"},
		{`[{}]`, TextOrTokens{}, "input[0]"},
		{`7`, TextOrTokens{}, "input"},
		{`{"a":1}`, TextOrTokens{}, "input"},
	}
	for _, test := range tests {
		var got EmbeddingRequest
		err := got.UnmarshalJSON([]byte(`{"input":` + test.input + `}`))
		if test.param != "" {
			if refusal, ok := errors.AsType[*RequestError](err); !ok || refusal.Param != test.param {
				t.Errorf("input %s: got %#v, want a refusal of %s", test.input, err, test.param)
			}
			continue
		}
		if diff := cmp.Diff(test.want, got.Input); err != nil || diff != "" {
			t.Errorf("input %s: %v (-want +got):\n%s", test.input, err, diff)
		}
	}
}

func TestRefusedTexts(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	tests := []struct{ name, body, param, message string }{
		{"empty", ``, "", "could not parse the JSON body"},
		{"cut off", `{"model":`, "", "could not parse the JSON body"},
		{"not an object", `"model"`, "", "it is a string, not an object"},
		{"two values", `{} {}`, "", "could not parse the JSON body"},
		{"trailing comma", `{"n":1,}`, "", "could not parse the JSON body"},
		{"not UTF-8", "{\"model\":\"\xff\"}", "", "not valid UTF-8"},
		{"a key twice", `{"n":1,"n":1}`, "n", "given twice"},
		{"a key twice, escaped", `{"n":1,"\u006e":1}`, "n", "given twice"},
		{"a key twice, deep", `{"messages":[{},{"content":[{"type":"text","type":"text"}]}]}`, "messages[1].content[0].type", "given twice"},
		{"deep", `{"metadata":` + deep(101) + `}`, "metadata", "nested more than 100 levels"},
		{"a bomb", deep(1_000_000), "", "could not parse"},
		{"too many values", `{"messages":[` + strings.Repeat("0,", maxValues) + `0]}`, "", "holds more than"},
		{"a huge number", `{"temperature":1e999}`, "temperature", "out of range"},
		{"a huge integer", `{"seed":9223372036854775808}`, "seed", "out of range"},
		{"a long unknown name", `{"` + strings.Repeat("x", 1000) + `":1}`, strings.Repeat("x", 1000), strings.Repeat("x", 64) + "…"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var r ChatCompletionRequest
			err := r.UnmarshalJSON([]byte(test.body))
			refusal, ok := errors.AsType[*RequestError](err)
			if !ok || refusal.Param != test.param || !strings.Contains(refusal.Message, test.message) {
				t.Errorf("got %#v, want a refusal of %q that says %q", err, test.param, test.message)
			}
		})
	}
}

// Whatever the bytes, decoding ends with a request or a *RequestError, and a
// request that encoding/json reads as an object is never called bad JSON.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"model":"m","messages":[{"role":"user","content":"hi"}],"n":1.5}`, `{"input":[[1,2],[3]]}`, `{"prompt":["a"],"logprobs":2,"echo":true}`,
		`{"stop":["a"],"logit_bias":{"1":2}}`, `{"messages":[{"content":[{"type":"image_url"}]}]}`, `{"metadata":{"a":"b","a":"c"}}`, "{\"a\":\"\xc3\x28\"}", `[[[[`, `{"a":1e400}`, `{"\ud800":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range []json.Unmarshaler{new(ChatCompletionRequest), new(CompletionRequest), new(EmbeddingRequest)} {
			err := r.UnmarshalJSON(data)
			if err == nil {
				if !json.Valid(data) {
					t.Errorf("%T accepted %q, which is not JSON", r, data)
				}
				continue
			}
			if refusal, ok := errors.AsType[*RequestError](err); !ok || refusal.Message == "" {
				t.Errorf("%T of %q: %#v, want a *RequestError with a message", r, data, err)
			}
		}
	})
}
