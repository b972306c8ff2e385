package llm

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

var weather = Tool{
	Name:        "get_weather",
	Description: "The weather in a city.",
	Parameters:  json.RawMessage(`{"type":"object","properties":{"city":{"type":"string","maxLength":6},"unit":{"enum":["C","F"]}},"required":["city","unit"],"additionalProperties":false}`),
	Strict:      true,
}

var clock = Tool{Name: "get_time"}

func question(text string) []Message { return []Message{{Role: "user", Content: text}} }

// A required call is made, whatever the model would rather write, and its
// arguments satisfy the schema.
func TestRequiredCallsAreMade(t *testing.T) {
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	for seed := range int64(10) {
		req := Request{Messages: question("Weather?"), MaxTokens: 120, Seed: &seed, Tools: []Tool{weather, clock}, ToolMode: ToolsRequired}
		if seed%2 == 0 {
			req.ToolNames, req.MaxCalls = []string{"get_weather"}, 1
		}
		choices, _ := collect(t, l, req)
		c := choices[0]
		if len(c.Calls) == 0 || c.Text != "" || seed%2 == 0 && len(c.Calls) != 1 {
			t.Errorf("seed %d: got the text %q and calls %+v", seed, c.Text, c.Calls)
		}
		for i, call := range c.Calls {
			var arguments struct{ City, Unit *string }
			err := json.Unmarshal([]byte(call.Arguments), &arguments)
			if err != nil || seed%2 == 0 && call.Name != "get_weather" || call.Name == "get_weather" && (arguments.City == nil || arguments.Unit == nil) {
				t.Errorf("seed %d: call %d is %+v, %v", seed, i, call, err)
			}
		}
		if c.FinishReason != FinishCalls && c.FinishReason != FinishLength {
			t.Errorf("seed %d: finish reason %q", seed, c.FinishReason)
		}
	}
}

// Where the model may choose, its text is free until it begins a call, which is
// then held to the schema.
func TestChosenCalls(t *testing.T) {
	script := saying(tokenTurn, "Let me see.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\", \"unit\": \"K\"}}\n</tool_call>")
	l := openScripted(t, &scriptedDecoder{script: script})
	choices, _ := collect(t, l, Request{Messages: question("Rome?>"), MaxTokens: 140, Temperature: new(0.0), Tools: []Tool{weather}})
	c := choices[0]
	if c.Text != "Let me see." || len(c.Calls) != 1 || c.FinishReason != FinishCalls {
		t.Fatalf("got %q, %+v, %s", c.Text, c.Calls, c.FinishReason)
	}
	if call := c.Calls[0]; call.Name != "get_weather" || !strings.HasPrefix(call.Arguments, `{"city": "Rome", "unit": "`) || strings.Contains(call.Arguments, "K") {
		t.Errorf("got %+v, want the city as said and a unit that the schema has", call)
	}
	// Without tools, or with none to be called, the same words are text.
	for name, req := range map[string]Request{
		"no tools":        {},
		"none to be used": {Tools: []Tool{weather}, ToolMode: ToolsNone},
	} {
		req.Messages, req.MaxTokens, req.Temperature = question("Rome?>"), 140, new(0.0)
		choices, _ := collect(t, l, req)
		if c := choices[0]; len(c.Calls) != 0 || !strings.Contains(c.Text, "<tool_call>") {
			t.Errorf("%s: got %q, %+v", name, c.Text, c.Calls)
		}
	}
}

func TestToolsRefused(t *testing.T) {
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	strict := weather
	strict.Parameters = json.RawMessage(`{"type":"object","propertyNames":{"pattern":"a"}}`)
	for name, tt := range map[string]struct {
		req   Request
		field string
	}{
		"two of a name":           {Request{Messages: question("x"), Tools: []Tool{clock, clock}}, "Tools"},
		"no JSON":                 {Request{Messages: question("x"), Tools: []Tool{{Name: "f", Parameters: json.RawMessage("{")}}}, "Tools"},
		"a schema not enforced":   {Request{Messages: question("x"), Tools: []Tool{strict}}, "Tools"},
		"a name that is not":      {Request{Messages: question("x"), Tools: []Tool{clock}, ToolNames: []string{"g"}}, "ToolNames"},
		"required, without tools": {Request{Messages: question("x"), ToolMode: ToolsRequired}, "ToolMode"},
		"with a prompt":           {Request{Prompt: "x", Tools: []Tool{clock}}, "Tools"},
	} {
		_, _, err := Collect(l.Generate(t.Context(), tt.req))
		if invalid, ok := errors.AsType[*InvalidError](err); !ok || invalid.Field != tt.field {
			t.Errorf("%s: got %v, want an InvalidError about %s", name, err, tt.field)
		}
	}
	// Advice that cannot be enforced is advice.
	strict.Strict = false
	if _, _, err := Collect(l.Generate(t.Context(), Request{Messages: question("x"), MaxTokens: 90, Tools: []Tool{strict}, ToolMode: ToolsRequired})); err != nil {
		t.Errorf("a schema as advice: %v", err)
	}
}

// The chat model, told to call, calls; its answer to the result is text.
func TestChatModelCalls(t *testing.T) {
	l := openChatModel(t)
	req := Request{Messages: question("What is the weather in Paris, in Celsius?"), MaxTokens: 100, Temperature: new(0.0), Tools: []Tool{weather}, ToolMode: ToolsRequired, MaxCalls: 1}
	choices, _, err := Collect(l.Generate(t.Context(), req))
	if err != nil {
		t.Fatal(err)
	}
	c := choices[0]
	if len(c.Calls) != 1 || c.Calls[0].Name != "get_weather" || !json.Valid([]byte(c.Calls[0].Arguments)) || c.FinishReason != FinishCalls {
		t.Fatalf("got %+v", c)
	}
	req.Messages = append(req.Messages, Message{Role: "assistant", ToolCalls: c.Calls}, Message{Role: "tool", ToolCallID: "c", Content: `{"degrees": 21}`})
	req.ToolMode = ToolsNone
	choices, _, err = Collect(l.Generate(t.Context(), req))
	if err != nil || choices[0].Text == "" || len(choices[0].Calls) != 0 {
		t.Errorf("after the result: got %+v, %v", choices, err)
	}
}
