package chat

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/testenv"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// literalParts returns what a rendering has outside the given spans.
func literalParts(text string, given []tokenizer.Span) []string {
	var out []string
	at := 0
	for _, g := range given {
		out = append(out, text[at:g.Start])
		at = g.End
	}
	return append(out, text[at:])
}

func TestSpansFollowTextThroughTheLanguage(t *testing.T) {
	c := Conversation{Messages: []Message{{Role: "user", Content: "  In-side OUT  "}}}
	const content = "{% set c = messages[0].content %}"
	for source, want := range map[string][]string{
		"a{{ c }}b":                                         {"a", "b"},
		"{{ 'a' + c + 'b' + c }}":                           {"a", "b", ""},
		"{{ 'a' ~ (c | trim) ~ 'b' }}":                      {"a", "b"},
		"{{ ('a' ~ c ~ 'b')[2:-1] }}":                       {"", ""},
		"{{ ('a' ~ c ~ 'b').strip() }}":                     {"a", "b"},
		"{{ c.replace('-', '<|x|>') }}":                     {"", "<|x|>", ""},
		"{{ c.split('-') | join('<|y|>') }}":                {"", "<|y|>", ""},
		"{{ c.split('-')[0] }}b":                            {"", "b"},
		"{{ 'a' ~ c | upper }}":                             {"a", ""},
		"{{ [c] | tojson }}b":                               {"", "b"},
		"{{ [c] }}b":                                        {"", "b"},
		"{{ 'a%sb' % c }}":                                  {"a", "b"},
		"{{ 'a{}b'.format(c) }}":                            {"a", "b"},
		"{% set x %}a{{ c }}{% endset %}{{ x }}b":           {"a", "b"},
		"{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(c) }}": {"<", ">"},
		"{{ 'a' | indent }}{{ c | indent(2, true) }}":       {"a  ", ""},
		"{{ c | first }}{{ c | length }}":                   {"", "15"},
		"{% for x in c.split() %}{{ x }},{% endfor %}":      {"", ",", ","},
		"{{ bos_token }}{{ c }}":                            {"<s>", ""},
		"{{ messages[0].role }}:{{ 'user' }}":               {"", ":user"},
	} {
		template, err := ParseTemplate(content + source)
		if err != nil {
			t.Fatal(err)
		}
		c.BOS = "<s>"
		text, given, err := template.RenderSpans(c)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if diff := cmp.Diff(want, literalParts(text, given)); diff != "" {
			t.Errorf("%s: the template's own parts of %q (-want +got):\n%s", source, text, diff)
		}
	}
}

// TestNoTemplateTakesAMessageForItsOwn looks for words of the conversations in
// what the real templates claim to have written.
func TestNoTemplateTakesAMessageForItsOwn(t *testing.T) {
	names := []string{
		"smollm2", "Qwen-Qwen3-0.6B", "Qwen-Qwen2.5-7B-Instruct", "meta-llama-Llama-3.1-8B-Instruct",
		"openai-gpt-oss-120b", "mistralai-Mistral-Nemo-Instruct-2407", "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
		"meetkai-functionary-medium-v3.2", "google-gemma-2-2b-it", "Apertus-8B-Instruct", "ibm-granite-granite-3.3-2B-Instruct",
	}
	for _, name := range names {
		template, err := ParseTemplate(templateSource(t, name))
		if err != nil {
			t.Fatal(err)
		}
		for what, c := range conversations(t) {
			text, given, err := template.RenderSpans(c)
			if err != nil {
				continue // refused
			}
			for _, part := range literalParts(text, given) {
				for _, word := range []string{"Zürich", "Obey", "prime", "forecast", "celsius", "zeile", "threshold"} {
					if strings.Contains(part, word) {
						t.Errorf("%s, %s: %q of a message counts as the template's own in %q", name, what, word, part)
					}
				}
			}
		}
	}
}

// TestForgedTurnsStayText goes the whole way to tokens with the default model.
func TestForgedTurnsStayText(t *testing.T) {
	f, err := gguf.Open(testenv.Model(t, testenv.ChatModel, testenv.ChatModelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tok, err := tokenizer.FromGGUF(f)
	if err != nil {
		t.Fatal(err)
	}
	template, err := ParseTemplate(templateSource(t, "smollm2"))
	if err != nil {
		t.Fatal(err)
	}
	all := conversations(t)
	count := func(ids []int32, name string) int {
		id, _ := tok.ID(name)
		n := 0
		for _, x := range ids {
			if x == id {
				n++
			}
		}
		return n
	}
	text, given, err := template.RenderSpans(all["forged turns"])
	if err != nil {
		t.Fatal(err)
	}
	ids := tok.Encode(text, tokenizer.Options{Special: true, Verbatim: given})
	// The template adds a system turn and begins an answer.
	if starts, ends := count(ids, "<|im_start|>"), count(ids, "<|im_end|>"); starts != 5 || ends != 4 {
		t.Errorf("%q has %d turns begun and %d ended, want 5 and 4", text, starts, ends)
	}

	text, given, err = template.RenderSpans(all["several turns"])
	if err != nil {
		t.Fatal(err)
	}
	plain := tok.Encode(text, tokenizer.Options{Special: true})
	if diff := cmp.Diff(plain, tok.Encode(text, tokenizer.Options{Special: true, Verbatim: given})); diff != "" {
		t.Errorf("an honest chat changes its tokens (-without spans +with):\n%s", diff)
	}
}
