package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

const personSchema = `{
	"type": "object",
	"properties": {
		"name": {"type": "string", "maxLength": 8},
		"age": {"type": "integer", "minimum": 0, "maximum": 150},
		"role": {"enum": ["reader", "writer"]}
	},
	"required": ["name", "age", "role"],
	"additionalProperties": false
}`

// A model that writes anything, held to a schema, writes JSON that satisfies
// it, whatever the sampling, the cap and the guesses.
func TestConstrainedTextIsValid(t *testing.T) {
	schema, err := ConstrainSchema([]byte(personSchema))
	if err != nil {
		t.Fatal(err)
	}
	for _, guesses := range []int{0, 6} {
		l := openScripted(t, &scriptedDecoder{script: arbitrary}, func(e *engineLimits) { e.stepGuesses = guesses })
		for seed := range int64(20) {
			// The shortest person has 36 bytes, and a token here is a byte.
			req := Request{Prompt: "Who?", MaxTokens: 45 + int(seed)*3, Seed: &seed, N: 2, Constraint: schema, LogProbs: seed%3 == 0}
			if seed%4 == 1 {
				req.Temperature = new(0.0)
			}
			choices, usage := collect(t, l, req)
			for _, c := range choices {
				var person struct {
					Name *string
					Age  *int
					Role string
				}
				err := json.Unmarshal([]byte(c.Text), &person)
				if err != nil || person.Name == nil || person.Age == nil || *person.Age < 0 || *person.Age > 150 || person.Role != "reader" && person.Role != "writer" {
					t.Errorf("seed %d, %d tokens: got %q (%s), %v", seed, req.MaxTokens, c.Text, c.FinishReason, err)
				}
			}
			if usage.CompletionTokens > 2*req.MaxTokens {
				t.Errorf("seed %d: %d tokens for a cap of %d", seed, usage.CompletionTokens, req.MaxTokens)
			}
		}
	}
}

// An answer whose cap takes tokens from it that its constraint allows is counted,
// one that has room for all it writes is not.
func TestAnswersThatTheCapHurriesAreCounted(t *testing.T) {
	as, err := ConstrainRegex("a{3,60}b")
	if err != nil {
		t.Fatal(err)
	}
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	for _, c := range []struct {
		most    int
		hurried bool
	}{{5, true}, {200, false}} {
		before := l.Stats().Hurried
		choices, usage := collect(t, l, Request{Prompt: "Say a.", MaxTokens: c.most, Seed: new(int64(1)), Constraint: as, N: 2})
		for _, choice := range choices {
			if !strings.HasPrefix(choice.Text, "aaa") || !strings.HasSuffix(choice.Text, "b") {
				t.Errorf("%d tokens: got %q", c.most, choice.Text)
			}
		}
		want := 0
		if c.hurried {
			want = 2
		}
		if counted := l.Stats().Hurried - before; usage.Hurried != want || counted != int64(want) {
			t.Errorf("%d tokens: %d choices of the request and %d of the model are counted, want %d", c.most, usage.Hurried, counted, want)
		}
	}
}

// What has to follow is not asked of the model.
func TestForcedRunsTakeNoSteps(t *testing.T) {
	const text = "The one and only answer there can be."
	only, err := ConstrainChoice(text, "Nothing.")
	if err != nil {
		t.Fatal(err)
	}
	d := &scriptedDecoder{script: saying('>', text)}
	l := openScripted(t, d)
	choices, usage := collect(t, l, Request{Prompt: "Say:>", Constraint: only, Temperature: new(0.0)})
	if choices[0].Text != text || choices[0].FinishReason != FinishStop || usage.CompletionTokens != len(text) {
		t.Errorf("got %q, %s, %+v", choices[0].Text, choices[0].FinishReason, usage)
	}
	if len(d.steps) > 2 {
		t.Errorf("%d tokens without a choice took the steps %v", len(text), d.steps)
	}
	// With probabilities wanted the model is asked, and the text is the same.
	choices, _ = collect(t, l, Request{Prompt: "Say:>", Constraint: only, Temperature: new(0.0), LogProbs: true})
	if choices[0].Text != text || len(choices[0].Tokens) != len(text) {
		t.Errorf("with probabilities: got %q with %d tokens", choices[0].Text, len(choices[0].Tokens))
	}
}

func TestConstraintsOfAllKinds(t *testing.T) {
	regex := func(pattern string) func(string) bool { return regexp.MustCompile("^(?:" + pattern + ")$").MatchString }
	source := []string{"The ferry leaves at noon.", "Größe zählt nicht."}
	tests := []struct {
		name  string
		make  func() (*Constraint, error)
		valid func(string) bool
	}{
		{"regex", func() (*Constraint, error) { return ConstrainRegex(`[a-f]{2,5}-\d+`) }, regex(`[a-f]{2,5}-\d+`)},
		{"gbnf", func() (*Constraint, error) { return ConstrainGrammar(`root ::= "a" [0-9]+ ("," [0-9]+)*`) }, regex(`a[0-9]+(,[0-9]+)*`)},
		{"choice", func() (*Constraint, error) { return ConstrainChoice("yes", "no", "not at all") }, regex("yes|no|not at all")},
		{"json", func() (*Constraint, error) { return ConstrainJSON(), nil }, func(s string) bool { return json.Valid([]byte(s)) && strings.HasPrefix(strings.TrimSpace(s), "{") }},
		{"spans", func() (*Constraint, error) { return ConstrainSpans(source...) }, func(s string) bool { return s != "" && strings.Contains(source[0]+"\x00"+source[1], s) }},
	}
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := tt.make()
			if err != nil {
				t.Fatal(err)
			}
			for seed := range int64(10) {
				choices, _ := collect(t, l, Request{Prompt: tt.name, MaxTokens: 30, Seed: &seed, Constraint: c})
				if got := choices[0]; !tt.valid(got.Text) {
					t.Errorf("seed %d: got %q, %s", seed, got.Text, got.FinishReason)
				} else if tt.name == "spans" {
					s := c.Sources(got.Text, 1)
					if len(s) != 1 || source[s[0].Text][s[0].Start:s[0].End] != got.Text {
						t.Errorf("seed %d: %q has sources %v", seed, got.Text, s)
					}
				}
			}
		})
	}
}

// After a trigger the text is held to the language, before and afterwards it
// is free.
func TestTriggeredConstraint(t *testing.T) {
	c, err := ConstrainRegex(`\d{3}!`)
	if err != nil {
		t.Fatal(err)
	}
	c.trigger = "call:"
	script := saying('>', "I call:abc! and call: twice")
	l := openScripted(t, &scriptedDecoder{script: script})
	choices, _ := collect(t, l, Request{Prompt: "Do:>", MaxTokens: 40, Temperature: new(0.0), Constraint: c, IgnoreEnd: true})
	if got := choices[0].Text; !regexp.MustCompile(`^I call:\d{3}!`).MatchString(got) {
		t.Errorf("got %q, want three digits and ! after call:", got)
	}
}

func TestConstraintsRefused(t *testing.T) {
	for name, err := range map[string]error{
		"schema": second(ConstrainSchema([]byte(`{"type": "object", "patternProperties": {}}`))),
		"regex":  second(ConstrainRegex(`(a`)),
		"gbnf":   second(ConstrainGrammar(`root ::= missing`)),
		"choice": second(ConstrainChoice()),
		"spans":  second(ConstrainSpans()),
	} {
		invalid, ok := errors.AsType[*InvalidError](err)
		if !ok || invalid.Field != "Constraint" {
			t.Errorf("%s: got %v, want an InvalidError about the Constraint", name, err)
		}
	}
}

func TestConstraintsAreRememberedWithinBounds(t *testing.T) {
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	for i := range 2 * keptLanguages { // more than a model remembers
		c, err := ConstrainChoice(fmt.Sprint("number ", i))
		if err != nil {
			t.Fatal(err)
		}
		choices, _ := collect(t, l, Request{Prompt: "x", Constraint: c})
		if want := fmt.Sprint("number ", i); choices[0].Text != want {
			t.Fatalf("got %q, want %q", choices[0].Text, want)
		}
	}
	if n := len(l.textLanguages.compiled); n > keptLanguages {
		t.Errorf("%d constraints are kept, want at most %d", n, keptLanguages)
	}
}

func second(_ *Constraint, err error) error { return err }
