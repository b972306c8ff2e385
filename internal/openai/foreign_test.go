package openai

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEventReader(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []string
		err          string // empty: it ends
	}{
		{"events", "data: a\n\ndata:b\n\n", []string{"a", "b"}, ""},
		{"line ends of Windows", "data: a\r\n\r\ndata: b\r\n\r\n", []string{"a", "b"}, ""},
		{"comments, names and ids", ": hi\n\nevent: x\nid: 1\ndata: a\n\n\n\n", []string{"a"}, ""},
		{"data of several lines", "data: a\ndata: b\n\n", []string{"a\nb"}, ""},
		{"an empty event", "data:\n\ndata: a\n\n", []string{"", "a"}, ""},
		{"cut off", "data: a\n\ndata: b", []string{"a"}, ""},
		{"cut off before its empty line", "data: a\n", nil, ""},
		{"longer than the buffer", "data: " + strings.Repeat("x", 9000) + "\n\n", []string{strings.Repeat("x", 9000)}, ""},
		{"too long", "data: a\n\ndata: " + strings.Repeat("x", 20_000) + "\n\n", []string{"a"}, "an event has more than 10000 bytes"},
		{"too long in many lines", strings.Repeat("data: xxxxxxxxx\n", 1500), nil, "an event has more than 10000 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events := NewEventReader(strings.NewReader(test.stream), 10_000)
			var got []string
			data, err := events.Next()
			for ; err == nil; data, err = events.Next() {
				got = append(got, string(data))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if test.err == "" && err != io.EOF || test.err != "" && err.Error() != test.err {
				t.Errorf("ended with %v, want %q", err, test.err)
			}
		})
	}
}

// However a stream is cut into reads, its events are the same.
func FuzzEventReader(f *testing.F) {
	for _, seed := range []string{"data: a\n\n", "data: a\r\n\r\n:\n\ndata\n", "data: a\ndata: b\n\nx"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, stream string, size int) {
		whole := readEvents(strings.NewReader(stream))
		cut := readEvents(&slowReader{[]byte(stream), max(1, size)})
		if diff := cmp.Diff(whole, cut); diff != "" {
			t.Errorf("%q in pieces of %d (-whole +cut):\n%s", stream, size, diff)
		}
	})
}

func readEvents(r io.Reader) (events []string) {
	reader := NewEventReader(r, 1000)
	for {
		data, err := reader.Next()
		if err != nil {
			return append(events, err.Error())
		}
		events = append(events, string(data))
	}
}

type slowReader struct {
	data []byte
	size int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.data[:min(r.size, len(r.data))])
	r.data = r.data[n:]
	return n, nil
}

// An object that is split up and put together again is the same object.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{`{}`, ` { "a" : [1, {"b":"}]\"" }] , "c":-1.5e3,"d":null } `, `{"a":{"b":[]},"\u0061":true}`, `[1]`, `1`, `{`, `{"a":1,}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		object, err := ParseObject(data)
		var want map[string]any
		if isObject := json.Unmarshal(data, &want) == nil && want != nil; isObject != (err == nil) {
			t.Fatalf("%q: ParseObject gave %v, encoding/json an object: %v", data, err, isObject)
		}
		if err != nil {
			return
		}
		again := object.appendJSON(nil)
		var got map[string]any
		if err := json.Unmarshal(again, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %q (%v)", data, again, err)
		}
	})
}

func TestBody(t *testing.T) {
	var r ChatCompletionRequest
	body := `{"model":"ours","messages":[{"role":"user","content":"<a> & \"b\" ü"}],"temperature":0.10,"store":true,"audio":{"voice":"x"}}`
	if err := r.UnmarshalJSON([]byte(body)); err != nil {
		t.Fatal(err)
	}
	got := r.Body.With(Member{"model", Text("theirs")}, Member{"store", nil}, Member{"absent", nil}, Member{"max_tokens", Number(7)})
	want := `{"model":"theirs","messages":[{"role":"user","content":"<a> & \"b\" ü"}],"temperature":0.10,"audio":{"voice":"x"},"max_tokens":7}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if again := r.Body.With(); !bytes.Equal(again, []byte(body)) {
		t.Errorf("a change reached the body itself:\n%s", again)
	}
}

var identity = Identity{ID: "chatcmpl-1", Object: "chat.completion.chunk", Created: 5, Model: "ours"}

// Chunks pass as they came but for their identity; what the API promises of them
// and the server left out is added.
func TestForeignChunks(t *testing.T) {
	tests := []struct {
		name, in string
		asked    bool
		want     string // empty: it is not sent
	}{
		{
			"everything is there",
			`{"id":"x","object":"chat.completion.chunk","created":1,"model":"theirs","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"zz"}`, true,
			`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":5,"model":"ours","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"obfuscation":"zz","usage":null}`,
		},
		{
			"little is there",
			`{"choices":[{"delta":{"content":"a"}}]}`, false,
			`{"choices":[{"delta":{"content":"a"},"index":0,"logprobs":null,"finish_reason":null}],"id":"chatcmpl-1","object":"chat.completion.chunk","created":5,"model":"ours"}`,
		},
		{
			"calls, thoughts and what we do not know",
			`{"id":"x","choices":[{"index":1,"delta":{"reasoning_content":"hm","tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""},"extra_content":{"s":1}}]},"finish_reason":""}],"citations":["u"]}`, false,
			`{"id":"chatcmpl-1","choices":[{"index":1,"delta":{"reasoning_content":"hm","tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""},"extra_content":{"s":1}}]},"finish_reason":null,"logprobs":null}],"citations":["u"],"object":"chat.completion.chunk","created":5,"model":"ours"}`,
		},
		{"usage nobody asked for", `{"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`, false,
			`{"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"id":"chatcmpl-1","object":"chat.completion.chunk","created":5,"model":"ours"}`},
		{"the usage's own chunk", `{"choices":[],"usage":{"prompt_tokens":1}}`, true, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, err := ReadForeign([]byte(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(answer.Chunk(identity, test.asked))); diff != "" {
				t.Errorf("chunk (-want +got):\n%s", diff)
			}
		})
	}
}

func TestForeignPieces(t *testing.T) {
	answer, err := ReadForeign([]byte(`{"choices":[
		{"index":0,"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"refusal":null,"audio":{"transcript":" c"}},"finish_reason":"stop"},
		{"index":1,"delta":{"content":null,"reasoning":"r","tool_calls":[{"index":0,"function":{"arguments":"{"}}]},"finish_reason":null},
		{"index":2,"text":"t"}],"usage":{"prompt_tokens":-3,"completion_tokens":2}}`))
	want := []Piece{
		{Index: 0, Content: "ab c", FinishReason: "stop"},
		{Index: 1, Reasoning: "r", ToolCalls: []ToolCallDelta{{Function: &FunctionDelta{Arguments: "{"}}}},
		{Index: 2, Content: "t"},
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, answer.Pieces); diff != "" {
		t.Errorf("pieces (-want +got):\n%s", diff)
	}
	if answer.Usage != nil {
		t.Errorf("usage %+v, want none: no prompt has -3 tokens", answer.Usage)
	}
}

// A usage that cannot be is not passed on: the server counts instead.
func TestImplausibleForeignUsage(t *testing.T) {
	for _, usage := range []string{`{"prompt_tokens":-1,"completion_tokens":2}`, `{"prompt_tokens":1,"completion_tokens":1000000000000000000}`} {
		answer, err := ReadForeign([]byte(`{"choices":[{"message":{"content":"a"}}],"usage":` + usage + `}`))
		if err != nil {
			t.Fatal(err)
		}
		whole := answer.Whole(Identity{}, Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7})
		if answer.Usage != nil || !strings.Contains(string(whole), `"total_tokens":7`) {
			t.Errorf("%s: got %+v and %s, want what was counted", usage, answer.Usage, whole)
		}
	}
}

func TestForeignNonsense(t *testing.T) {
	for _, body := range []string{``, `[]`, `{}`, `{"choices":{}}`, `{"choices":[{"index":-1}]}`, `{"choices":[{"index":128}]}`, `{"choices":[{"index":"a"}]}`, `{"choices":[],"usage":{"prompt_tokens":"many"}}`} {
		if answer, err := ReadForeign([]byte(body)); err == nil {
			t.Errorf("%s was read as %+v", body, answer)
		}
	}
}

// A usage is passed on as it was written, with the entries that it lacks.
func TestForeignUsage(t *testing.T) {
	answer, err := ReadForeign([]byte(`{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":4,"cost":0.5,"completion_tokens_details":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	whole := answer.Whole(Identity{ID: "c", Object: "chat.completion", Created: 5, Model: "ours"}, Usage{PromptTokens: 3, CompletionTokens: 4, TotalTokens: 7})
	want := `{"choices":[{"message":{"content":"a","role":"assistant","refusal":null},"index":0,"logprobs":null,"finish_reason":null}],` +
		`"usage":{"prompt_tokens":3,"completion_tokens":4,"cost":0.5,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":0,"rejected_prediction_tokens":0},"total_tokens":7,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0}},` +
		`"id":"c","object":"chat.completion","created":5,"model":"ours"}`
	if diff := cmp.Diff(want, string(whole)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}
