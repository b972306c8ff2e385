package chat

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// answer is what events amount to.
type answer struct {
	Text, Reasoning string
	Calls           []readCall
	Broken          []string
}

type readCall struct{ ID, Name, Arguments string }

// collect joins events, and holds them to their order.
func collect(t *testing.T, a *answer, events []Event) {
	t.Helper()
	for _, e := range events {
		switch e.Kind {
		case Text:
			a.Text += e.Text
		case Reasoning:
			a.Reasoning += e.Text
		case CallStart:
			if e.Call != len(a.Calls) {
				t.Fatalf("call %d starts when there are %d", e.Call, len(a.Calls))
			}
			a.Calls = append(a.Calls, readCall{ID: e.ID, Name: e.Name})
		case CallArguments:
			if e.Call != len(a.Calls)-1 {
				t.Fatalf("arguments of call %d when there are %d", e.Call, len(a.Calls))
			}
			a.Calls[e.Call].Arguments += e.Text
		case CallBroken:
			a.Broken = append(a.Broken, e.Text)
		}
	}
}

// read parses an answer that comes in pieces.
func read(t *testing.T, f Family, prompt string, names []string, pieces ...string) answer {
	t.Helper()
	p := f.NewParser(prompt, names...)
	var a answer
	for _, piece := range pieces {
		collect(t, &a, p.Push(piece))
	}
	collect(t, &a, p.Close())
	return a
}

// answers are what models of each family write, and what it means.
var answers = []struct {
	what, prompt, text string
	family             Family
	want               answer
}{
	{
		"a call", "", "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>", Hermes,
		answer{Calls: []readCall{{"", "now", "{}"}}},
	}, {
		"text, calls, text", "", "I look.\n<tool_call>\n{\"name\": \"forecast\", \"arguments\": {\"city\": \"Z\u00fcrich\", \"where\": {\"lat\": 1e-7}}}\n</tool_call>\n" +
			"<tool_call>{\"name\": \"now\", \"arguments\": {}}</tool_call>\n\nDone. ", Hermes,
		answer{Text: "I look.\n\nDone. ", Calls: []readCall{{"", "forecast", `{"city": "Zürich", "where": {"lat": 1e-7}}`}, {"", "now", "{}"}}},
	}, {
		"reasoning and a call", "<think>\n", "Hm, <b>.\n\n</think>\n\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>", Hermes,
		answer{Reasoning: "Hm, <b>.", Calls: []readCall{{"", "now", "{}"}}},
	}, {
		"reasoning of its own", "", "<think>\nA\n\nB\n</think>\n\nThe answer </think> is <think>.", Hermes,
		answer{Reasoning: "A\n\nB", Text: "The answer </think> is <think>."},
	}, {
		"empty reasoning", "", "<think>\n\n</think>\n\nYes", Hermes, answer{Text: "Yes"},
	}, {
		"arguments before the name", "", `<tool_call>{"arguments": {"a": [1, "}"]}, "name": "now"}</tool_call>`, Hermes,
		answer{Calls: []readCall{{"", "now", `{"a": [1, "}"]}`}}},
	}, {
		"arguments as a string", "", `<tool_call>{"name": "now", "arguments": "{\"a\": 1}"}</tool_call>`, Hermes,
		answer{Calls: []readCall{{"", "now", `{"a": 1}`}}},
	}, {
		"a name that is no function", "", `<tool_call>{"name": "rm", "arguments": {}}</tool_call>`, Hermes,
		answer{Text: `<tool_call>{"name": "rm", "arguments": {}}</tool_call>`},
	}, {
		"no JSON", "", "<tool_call>\nnow()\n</tool_call>", Hermes, answer{Text: "<tool_call>\nnow()\n</tool_call>"},
	}, {
		"a mark in a mark", "", `a <tool_call><tool_call>{"name": "now", "arguments": {}}</tool_call>`, Hermes,
		answer{Text: "a <tool_call>", Calls: []readCall{{"", "now", "{}"}}},
	}, {
		"broken arguments", "", "<tool_call>{\"name\": \"now\", \"arguments\": {\"a\": tru}}</tool_call> ok", Hermes,
		answer{
			Calls: []readCall{{"", "now", `{"a": tru`}}, Broken: []string{`<tool_call>{"name": "now", "arguments": {"a": tru`},
			Text: "}}</tool_call> ok",
		},
	}, {
		"cut off in arguments", "", "<tool_call>{\"name\": \"now\", \"arguments\": {\"a\": \"b", Hermes,
		answer{Calls: []readCall{{"", "now", `{"a": "b`}}, Broken: []string{`<tool_call>{"name": "now", "arguments": {"a": "b`}},
	}, {
		"cut off in the name", "", "<tool_call>{\"name\": \"no", Hermes, answer{Text: "<tool_call>{\"name\": \"no"},
	}, {
		"half a mark", "", "3 <tool", Hermes, answer{Text: "3 <tool"},
	}, {
		"plain text with white space", "", " a\n\n b \n", Hermes, answer{Text: " a\n\n b \n"},
	}, {
		"an object", "", `{"name": "forecast", "parameters": {"city": "Bern"}}`, Llama3,
		answer{Calls: []readCall{{"", "forecast", `{"city": "Bern"}`}}},
	}, {
		"a type before, two calls", "", `{"type": "function", "name": "now", "parameters": {}}; {"name": "now", "parameters": {"a": 1}}`, Llama3,
		answer{Calls: []readCall{{"", "now", "{}"}, {"", "now", `{"a": 1}`}}},
	}, {
		"JSON that is an answer", "", `{"name": "Bob", "age": 3}`, Llama3, answer{Text: `{"name": "Bob", "age": 3}`},
	}, {
		"JSON in text", "", `Use {"name": "now", "parameters": {}}.`, Llama3, answer{Text: `Use {"name": "now", "parameters": {}}.`},
	}, {
		"python_tag", "", `<|python_tag|>{"name": "now", "parameters": {}}`, Llama3, answer{Calls: []readCall{{"", "now", "{}"}}},
	}, {
		"a list", "", `[TOOL_CALLS][{"name": "now", "arguments": {}, "id": "abcdef123"}, {"name": "forecast", "arguments": {"city": "X"}}]`, Mistral,
		answer{Calls: []readCall{{"", "now", "{}"}, {"", "forecast", `{"city": "X"}`}}},
	}, {
		"an id before", "", `Right. [TOOL_CALLS] [{"id": "abcdef123", "name": "now", "arguments": {}}]`, Mistral,
		answer{Text: "Right.", Calls: []readCall{{"abcdef123", "now", "{}"}}},
	}, {
		"named", "", `[TOOL_CALLS]now[ARGS]{}[TOOL_CALLS]forecast[CALL_ID]abc[ARGS]{"city": "X"}`, MistralNamed,
		answer{Calls: []readCall{{"", "now", "{}"}, {"abc", "forecast", `{"city": "X"}`}}},
	}, {
		"reasoning", "", "[THINK]so[/THINK]yes", MistralNamed, answer{Reasoning: "so", Text: "yes"},
	}, {
		"functions", "", `Look: <function=now>{}</function><function=forecast>{"city": "X"}</function>`, Functionary31,
		answer{Text: "Look:", Calls: []readCall{{"", "now", "{}"}, {"", "forecast", `{"city": "X"}`}}},
	}, {
		"recipients", "assistant\n\n>>>", "all\nLook >>> here.>>>now\n{}>>>forecast\n{\"city\": \"X\"}", Functionary32,
		answer{Text: "Look >>> here.", Calls: []readCall{{"", "now", "{}"}, {"", "forecast", `{"city": "X"}`}}},
	}, {
		"to all", ">>>", "all\nHi", Functionary32, answer{Text: "Hi"},
	}, {
		"actions", "", "Action: ```json\n[\n    {\n        \"tool_name\": \"now\",\n        \"parameters\": {}\n    },\n    {\"tool_name\": \"forecast\", \"parameters\": {\"city\": \"X\"}}\n]```", CommandR,
		answer{Calls: []readCall{{"", "now", "{}"}, {"", "forecast", `{"city": "X"}`}}},
	}, {
		"actions with a plan", "", "<|START_THINKING|>I plan.<|END_THINKING|><|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"now\", \"parameters\": {}}\n]<|END_ACTION|>", CommandR7B,
		answer{Reasoning: "I plan.", Calls: []readCall{{"0", "now", "{}"}}},
	}, {
		"a response", "", "<|START_RESPONSE|>Hello.<|END_RESPONSE|>", CommandR7B, answer{Text: "Hello."},
	}, {
		"two calls", "<think>\n", "Well.</think>So:<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜>\n" +
			"<｜tool▁call▁begin｜>function<｜tool▁sep｜>forecast\n```json\n{\"city\": \"X\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>", DeepSeek,
		answer{Reasoning: "Well.", Text: "So:", Calls: []readCall{{"", "now", "{}"}, {"", "forecast", `{"city": "X"}`}}},
	}, {
		"two calls", "</think>", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜>" +
			"<｜tool▁call▁begin｜>forecast<｜tool▁sep｜>{\"city\": \"X\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", DeepSeek31,
		answer{Calls: []readCall{{"", "now", "{}"}, {"", "forecast", `{"city": "X"}`}}},
	}, {
		"a list", "", `<|tool_call|>[{"name": "now", "arguments": {}}, {"name": "forecast", "arguments": {"city": "X"}}]`, Granite,
		answer{Calls: []readCall{{"", "now", "{}"}, {"", "forecast", `{"city": "X"}`}}},
	}, {
		"reasoning", "", "<think>Hm.</think><response>Yes.</response>", Granite, answer{Reasoning: "Hm.", Text: "Yes."},
	}, {
		"a list whose second is none", "", `<|tool_call|>[{"name": "now", "arguments": {}}, 7]`, Granite,
		answer{Calls: []readCall{{"", "now", "{}"}}, Text: `, 7]`},
	}, {
		"kimi", "", `<|tool_calls_section_begin|><|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>`, Kimi,
		answer{Calls: []readCall{{"functions.now:0", "now", "{}"}}},
	}, {
		"nemotron", "<think>", `x</think><TOOLCALL>[{"name": "now", "arguments": {}}]</TOOLCALL>`, Nemotron,
		answer{Reasoning: "x", Calls: []readCall{{"", "now", "{}"}}},
	}, {
		"analysis, then final", "<|start|>assistant", "<|channel|>analysis<|message|>Think < 3.<|end|><|start|>assistant<|channel|>final<|message|>Hello\n\nyou<|return|>", Harmony,
		answer{Reasoning: "Think < 3.", Text: "Hello\n\nyou"},
	}, {
		"analysis, preamble, call", "<|start|>assistant", "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>I look.<|end|>" +
			"<|start|>assistant<|channel|>commentary to=functions.forecast <|constrain|>json<|message|>{\"city\":\"X\"}<|call|>", Harmony,
		answer{Reasoning: "Hm.", Text: "I look.", Calls: []readCall{{"", "forecast", `{"city":"X"}`}}},
	}, {
		"the recipient first", "<|start|>assistant", " to=functions.now<|channel|>commentary json<|message|>{}<|call|>", Harmony,
		answer{Calls: []readCall{{"", "now", "{}"}}},
	}, {
		"no header", "<|start|>assistant", "Hello", Harmony, answer{Text: "<|start|>Hello"},
	},
}

var functionNames = []string{"now", "forecast"}

func TestAnswersAreTakenApart(t *testing.T) {
	for _, c := range answers {
		got := read(t, c.family, c.prompt, functionNames, c.text)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s, %s: %q (-want +got):\n%s", c.family, c.what, c.text, diff)
		}
	}
}

// TestAnySplitGivesTheSameAnswer pushes each answer byte by byte and in random
// pieces.
func TestAnySplitGivesTheSameAnswer(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range answers {
		for n := range 30 {
			var pieces []string
			for rest := c.text; rest != ""; {
				k := 1
				if n > 0 {
					k = 1 + rng.IntN(1+n)
				}
				k = min(k, len(rest))
				pieces, rest = append(pieces, rest[:k]), rest[k:]
			}
			if diff := cmp.Diff(c.want, read(t, c.family, c.prompt, functionNames, pieces...)); diff != "" {
				t.Fatalf("%s, %s: %q (-want +got):\n%s", c.family, c.what, pieces, diff)
			}
		}
	}
}

// TestArgumentsStream needs the text of arguments as soon as it is pushed.
func TestArgumentsStream(t *testing.T) {
	p := Hermes.NewParser("")
	p.Push(`<tool_call>{"name": "now", "arguments": {"te`)
	for _, piece := range []string{`xt": "Gr`, `üezi`, ` </tool_call> \"`, `w"`, `}`} {
		got := p.Push(piece)
		if len(got) != 1 || got[0].Kind != CallArguments || got[0].Text != piece {
			t.Errorf("pushing %q gives %+v", piece, got)
		}
	}
}

// FuzzParser needs any answer in any two pieces to be the same as whole, and no
// letter of it lost that is not a mark or white space.
func FuzzParser(f *testing.F) {
	families := []Family{Hermes, Llama3, Mistral, MistralNamed, Functionary31, Functionary32, CommandR, CommandR7B, DeepSeek, DeepSeek31, Granite, Harmony, Kimi, Nemotron}
	for i, c := range answers {
		f.Add(c.text, uint8(i%len(families)), uint16(len(c.text)/2))
	}
	f.Fuzz(func(t *testing.T, text string, family uint8, cut uint16) {
		fam := families[int(family)%len(families)]
		at := min(int(cut), len(text))
		whole := read(t, fam, "", nil, text)
		if diff := cmp.Diff(whole, read(t, fam, "", nil, text[:at], text[at:])); diff != "" {
			t.Fatalf("%s: %q cut at %d (-whole +cut):\n%s", fam, text, at, diff)
		}
		for i, c := range whole.Calls {
			last := i == len(whole.Calls)-1
			if utf8.ValidString(c.Arguments) && !json.Valid([]byte(c.Arguments)) && len(whole.Broken) == 0 {
				t.Fatalf("%s: %q has the arguments %q (last: %v)", fam, text, c.Arguments, last)
			}
		}
		if len(whole.Calls) == 0 && len(whole.Reasoning) == 0 && fam != Harmony { // whose headers are no text
			if lost := missing(text, whole.Text, fam.Marks()); lost != "" {
				t.Fatalf("%s: %q became %q: %q is lost", fam, text, whole.Text, lost)
			}
		}
	})
}

// missing returns the first word of text that is not in got, marks aside.
func missing(text, got string, marks []string) string {
	for _, m := range marks {
		text = strings.ReplaceAll(text, m, " ")
		got = strings.ReplaceAll(got, m, " ")
	}
	for _, word := range strings.Fields(text) {
		if !strings.Contains(got, word) && !strings.HasPrefix(word, "all") && !strings.Contains(word, "<|") {
			return word
		}
	}
	return ""
}
