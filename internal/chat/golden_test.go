package chat

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/testenv"
)

// differences lists renderings, as "template/conversation", that are not
// jinja2's, and why.
var differences = map[string]string{
	"llama-cpp-deepseek-r1/a tool to call":                 lazyMap,
	"llama-cpp-deepseek-r1/a tool without a system prompt": lazyMap,
	"llama-cpp-deepseek-r1/a tool called":                  lazyMap,
	"llama-cpp-deepseek-r1/a tool called and answered":     lazyMap,
	"llama-cpp-deepseek-r1/two tools called":               lazyMap,
}

const lazyMap = "jinja2 fails on map(…) | tojson, whose map is a generator; here it is a list and renders"

// fileConversation is a conversation as in testdata/conversations.json.
type fileConversation struct {
	Name                string
	AddGenerationPrompt bool `json:"add_generation_prompt"`
	Tools               bool
	Variables           map[string]json.RawMessage
	Messages            []struct {
		Role, Name string
		Content    json.RawMessage // text or parts
		Reasoning  string          `json:"reasoning_content"`
		ToolCallID string          `json:"tool_call_id"`
		ToolCalls  []struct {
			ID       string
			Function struct {
				Name      string
				Arguments json.RawMessage
			}
		} `json:"tool_calls"`
	}
}

func (c *fileConversation) conversation(tools []json.RawMessage) Conversation {
	out := Conversation{
		AddGenerationPrompt: c.AddGenerationPrompt,
		Variables:           c.Variables,
		BOS:                 "<s>",
		EOS:                 "</s>",
		Now:                 time.Date(2026, 11, 24, 9, 5, 7, 0, time.UTC),
	}
	if c.Tools {
		out.Tools = tools
	}
	for _, m := range c.Messages {
		msg := Message{Role: m.Role, Name: m.Name, Reasoning: m.Reasoning, ToolCallID: m.ToolCallID}
		if json.Unmarshal(m.Content, &msg.Content) != nil && json.Unmarshal(m.Content, &msg.Parts) != nil {
			panic("a conversation's content is neither text nor parts")
		}
		for _, call := range m.ToolCalls {
			msg.ToolCalls = append(msg.ToolCalls, ToolCall{call.ID, call.Function.Name, call.Function.Arguments})
		}
		out.Messages = append(out.Messages, msg)
	}
	return out
}

func readJSON(tb testing.TB, path string, into any) {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
}

func conversations(tb testing.TB) map[string]Conversation {
	tb.Helper()
	var all []fileConversation
	var tools []json.RawMessage
	readJSON(tb, "testdata/conversations.json", &all)
	readJSON(tb, "testdata/tools.json", &tools)
	out := map[string]Conversation{}
	for _, c := range all {
		out[c.Name] = c.conversation(tools)
	}
	return out
}

// templateSource returns a template by its name in the golden file.
func templateSource(tb testing.TB, name string) string {
	tb.Helper()
	if name == "smollm2" {
		f, err := gguf.Open(testenv.Model(tb, testenv.ChatModel, testenv.ChatModelFile))
		if err != nil {
			tb.Fatal(err)
		}
		defer f.Close()
		source, err := f.String("tokenizer.chat_template")
		if err != nil {
			tb.Fatal(err)
		}
		return source
	}
	data, err := os.ReadFile(filepath.Join(testenv.Shared(tb, "data", "chat-templates"), name+".jinja"))
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// rendering is a golden result: text, or why there is none.
type rendering struct {
	Text            string
	Refused, Failed string
}

func (g *rendering) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, &g.Text)
	}
	type plain rendering
	return json.Unmarshal(data, (*plain)(g))
}

// TestTemplatesRenderAsJinja2 needs jinja2's text for every conversation with
// every template; test/oracle/templates.py made the golden file.
func TestTemplatesRenderAsJinja2(t *testing.T) {
	file, err := os.Open("testdata/rendered.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]map[string]rendering
	if err := json.NewDecoder(unzipped).Decode(&golden); err != nil {
		t.Fatal(err)
	}
	if len(golden) != 31 {
		t.Fatalf("the golden file has %d templates, want 31", len(golden))
	}
	all := conversations(t)
	equal := 0
	for name, want := range golden {
		t.Run(name, func(t *testing.T) {
			template, err := ParseTemplate(templateSource(t, name))
			if err != nil {
				t.Fatal(err)
			}
			for conversation, want := range want {
				diff := checkRendering(template, all[conversation], want)
				reason := differences[name+"/"+conversation]
				switch {
				case diff == "" && reason == "":
					equal++
				case diff == "":
					t.Errorf("%s is equal: take it off the list", conversation)
				case reason == "":
					t.Errorf("%s: %s", conversation, diff)
				}
			}
		})
	}
	t.Logf("%d renderings equal jinja2's", equal)
}

// checkRendering says how a rendering differs from the golden one.
func checkRendering(template *Template, c Conversation, want rendering) string {
	got, given, err := template.render(c, callStyle{})
	var failure *Error
	errors.As(err, &failure)
	switch {
	case want.Refused != "":
		if failure == nil || !failure.Refused || failure.Reason != want.Refused {
			return "got error " + errorText(err) + ", want a refusal: " + want.Refused
		}
		return ""
	case want.Failed != "":
		if failure == nil || failure.Refused {
			return "got error " + errorText(err) + ", want a failure: " + want.Failed
		}
		return ""
	case err != nil:
		return "got error " + err.Error()
	}
	end := 0
	for _, g := range given {
		if g.Start < end || g.End <= g.Start || g.End > len(got) {
			return "the spans from outside are out of order"
		}
		end = g.End
	}
	if diff := cmp.Diff(strings.SplitAfter(want.Text, "\n"), strings.SplitAfter(got, "\n")); diff != "" {
		return "(-want +got):\n" + diff
	}
	return ""
}

func errorText(err error) string {
	if err == nil {
		return "none"
	}
	return err.Error()
}
