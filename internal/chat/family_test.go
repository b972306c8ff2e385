package chat

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/testenv"
)

// families are those of the shared templates; the others are Hermes', since
// they know no tools, or write a form that is not read here.
var families = map[string]Family{
	"CohereForAI-c4ai-command-r-plus-tool_use":      CommandR,
	"CohereForAI-c4ai-command-r7b-12-2024-tool_use": CommandR7B,
	"Mistral-Small-3.2-24B-Instruct-2506":           MistralNamed,
	"NVIDIA-Nemotron-Nano-v2":                       Nemotron,
	"NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use": Hermes,
	"NousResearch-Hermes-3-Llama-3.1-8B-tool_use":   Hermes,
	"Qwen-QwQ-32B":                         Hermes,
	"Qwen-Qwen2.5-7B-Instruct":             Hermes,
	"Qwen-Qwen3-0.6B":                      Hermes,
	"deepseek-ai-DeepSeek-V3.1":            Hermes, // its template describes no tools
	"ibm-granite-granite-3.3-2B-Instruct":  Granite,
	"llama-cpp-deepseek-r1":                DeepSeek,
	"meetkai-functionary-medium-v3.1":      Functionary31,
	"meetkai-functionary-medium-v3.2":      Functionary32,
	"meta-llama-Llama-3.1-8B-Instruct":     Llama3,
	"meta-llama-Llama-3.2-3B-Instruct":     Llama3,
	"meta-llama-Llama-3.3-70B-Instruct":    Llama3,
	"mistralai-Mistral-Nemo-Instruct-2407": Mistral,
	"moonshotai-Kimi-K2":                   Kimi,
	"openai-gpt-oss-120b":                  Harmony,
	"unsloth-mistral-Devstral-Small-2507":  MistralNamed,
	"smollm2":                              Hermes,
}

func templateNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testenv.Shared(t, "data", "chat-templates"), "*.jinja"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"smollm2"}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".jinja"))
	}
	return names
}

// unread are templates whose own form of calls is not read.
var unread = map[string]string{
	"Apertus-8B-Instruct": "writes the name of the function as the only key",
	"ByteDance-Seed-OSS":  "writes arguments as tags",
}

// refusing are templates that fail on any tools, or without a variable of their
// own; jinja2 says the same.
var refusing = map[string]string{
	"CohereForAI-c4ai-command-r-plus-tool_use": "additionalProperties is undefined",
	"fireworks-ai-llama-3-firefunction-v2":     "functions is undefined",
}

// TestCallsOfATemplateAreReadBack renders an assistant's call with every
// template and takes what the template adds to the prompt apart again.
func TestCallsOfATemplateAreReadBack(t *testing.T) {
	arguments := json.RawMessage(`{"city": "Z\u00fcrich", "days": 3, "where": {"lat": 1.5, "lon": [1, "}"]}}`)
	var tools []json.RawMessage
	readJSON(t, "testdata/tools.json", &tools)
	for _, name := range templateNames(t) {
		template, err := ParseTemplate(templateSource(t, name))
		if err != nil {
			t.Fatal(err)
		}
		family := FamilyOf(templateSource(t, name))
		if want, ok := families[name]; family != want && (ok || family != Hermes) {
			t.Errorf("%s is %s, want %s", name, family, want)
		}
		if unread[name] != "" {
			continue
		}
		c := Conversation{Messages: []Message{{Role: "user", Content: "Rain?"}}, Tools: tools, BOS: "<s>", EOS: "</s>", AddGenerationPrompt: true}
		prompt, err := template.Render(c)
		if reason := refusing[name]; reason != "" {
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s: got error %v, want %s", name, err, reason)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.Messages = append(c.Messages, Message{Role: "assistant", ToolCalls: []ToolCall{{ID: "abcdef123", Name: "forecast", Arguments: arguments}}})
		c.AddGenerationPrompt = false
		whole, err := template.Render(c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		start := 0
		for start < min(len(prompt), len(whole)) && prompt[start] == whole[start] {
			start++
		}
		// The prompt's end may share the beginning of the first mark.
		if at := strings.LastIndexByte(whole[:start], '<'); at > strings.LastIndexByte(whole[:start], '>') {
			start = at
		}
		got := read(t, family, whole[:start], functionNames, whole[start:])
		if len(got.Calls) != 1 || got.Calls[0].Name != "forecast" || !sameJSON(got.Calls[0].Arguments, string(arguments)) {
			t.Errorf("%s (%s): %q\nis read as %+v", name, family, whole[start:], got)
		}
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && cmp.Equal(x, y)
}

// TestFormsAreReadBack writes calls in each family's form and reads them.
func TestFormsAreReadBack(t *testing.T) {
	var tools []json.RawMessage
	readJSON(t, "testdata/tools.json", &tools)
	prompts := map[Family]string{Functionary32: ">>>", Harmony: "<|start|>assistant"}
	for _, f := range []Family{Hermes, Llama3, Mistral, MistralNamed, Functionary31, Functionary32, CommandR, CommandR7B, DeepSeek, DeepSeek31, Granite, Harmony, Kimi, Nemotron} {
		c, err := f.Calls(tools)
		if err != nil {
			t.Fatal(err)
		}
		text := c.Before + c.Tools[0].Open + `{"city": "X"}` + c.Tools[0].Shut
		want := []readCall{{Name: "forecast", Arguments: `{"city": "X"}`}}
		if c.Parallel {
			text += c.Between + c.Tools[1].Open + "{}" + c.Tools[1].Shut
			want = append(want, readCall{Name: "now", Arguments: "{}"})
		}
		text += c.After
		if f != Functionary32 && !strings.HasPrefix(text, c.Trigger) {
			t.Errorf("%s: %q does not begin with the trigger %q", f, text, c.Trigger)
		}
		got := read(t, f, prompts[f], functionNames, text)
		for i := range got.Calls {
			got.Calls[i].ID = "" // Kimi's is made of the name
		}
		if diff := cmp.Diff(answer{Calls: want}, got); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", f, text, diff)
		}
		if string(c.Tools[0].Arguments) == "" || !json.Valid(c.Tools[0].Arguments) {
			t.Errorf("%s: the schema is %q", f, c.Tools[0].Arguments)
		}
	}
	if _, err := Hermes.Calls([]json.RawMessage{[]byte(`{"function": {"name": "a b"}}`)}); err == nil {
		t.Error("a name with a space is accepted")
	}
}

// TestToolsGoInWhereATemplateKnowsNone uses the default chat model's template.
func TestToolsGoInWhereATemplateKnowsNone(t *testing.T) {
	var tools []json.RawMessage
	readJSON(t, "testdata/tools.json", &tools)
	template, err := ParseTemplate(templateSource(t, "smollm2"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := template.Render(Conversation{Tools: tools[1:], AddGenerationPrompt: true, Messages: []Message{
		{Role: "system", Content: "Be brief."},
		{Role: "user", Content: "When?"},
		{Role: "assistant", ToolCalls: []ToolCall{{Name: "now", Arguments: []byte(`{"a": 1}`)}}},
		{Role: "tool", Content: "noon"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<|im_start|>system\nBe brief.\n\nYou may call functions.",
		`"The present time"`,
		"<|im_start|>assistant\n<tool_call>\n{\"name\": \"now\", \"arguments\": {\"a\": 1}}\n</tool_call><|im_end|>",
		"<|im_start|>user\n<tool_response>\nnoon\n</tool_response><|im_end|>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestPartsBecomeText where a template joins content as it is.
func TestPartsBecomeText(t *testing.T) {
	parts := []Part{Part(`{"type": "text", "text": "Is this prime: "}`), Part(`{"type": "image_url", "image_url": {"url": "x"}}`), Part(`{"type": "text", "text": "7?"}`)}
	template, err := ParseTemplate(templateSource(t, "smollm2"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := template.Render(Conversation{Messages: []Message{{Role: "user", Parts: parts}}})
	if err != nil || !strings.Contains(got, "user\nIs this prime: 7?<|im_end|>") {
		t.Errorf("got %q, %v", got, err)
	}
}
