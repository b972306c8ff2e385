package chat

import (
	"encoding/json"
	"fmt"
)

// Calls is how a family writes tool calls, in a form that a grammar can be made
// of:
//
//	Before (Open arguments Shut) [Between (Open arguments Shut)]… After
//
// where Open and Shut are those of one of Tools, and the arguments are JSON that
// its schema allows.
type Calls struct {
	Before, Between, After string
	Tools                  []CallForm

	// Trigger begins a call in free text: where a model may choose whether to
	// call, whatever it writes is free until then. It is the beginning of
	// Before, or of each Open.
	Trigger string

	// Parallel says whether the family can write more than one call.
	Parallel bool
}

// CallForm is a call of one tool.
type CallForm struct {
	Name       string
	Open, Shut string
	Arguments  json.RawMessage // the JSON schema of the arguments
}

// anyObject is the schema of a tool that gives none.
const anyObject = `{"type":"object"}`

// Calls returns how the family writes calls of tools, each a JSON object as in
// the chat completions API. What the prompt ends with already, such as the
// ">>>" of Functionary 3.2 or the beginning of gpt-oss's message, is not in
// Before.
func (f Family) Calls(tools []json.RawMessage) (Calls, error) {
	c := f.form()
	for i, raw := range tools {
		var tool struct {
			Function struct {
				Name       string          `json:"name"`
				Parameters json.RawMessage `json:"parameters"`
			} `json:"function"`
		}
		if err := json.Unmarshal(raw, &tool); err != nil {
			return Calls{}, fmt.Errorf("tool %d: %w", i, err)
		}
		name := tool.Function.Name
		if !isFunctionName(name) {
			return Calls{}, fmt.Errorf("tool %d has the name %q: want letters, digits and any of _-.: in it", i, name)
		}
		schema := tool.Function.Parameters
		if len(schema) == 0 || string(schema) == "null" {
			schema = json.RawMessage(anyObject)
		}
		c.Tools = append(c.Tools, CallForm{Name: name, Open: fmt.Sprintf(c.open, name), Shut: c.shut, Arguments: schema})
	}
	return c.Calls, nil
}

// form is Calls without its tools; open has the place of the name.
type form struct {
	Calls
	open, shut string
}

func (f Family) form() form {
	list := func(before, after, open string) form {
		return form{Calls{Before: before + "[", Between: ", ", After: "]" + after, Trigger: before, Parallel: true}, open, "}"}
	}
	const named = `{"name": "%s", "arguments": `
	switch f {
	case Llama3:
		return form{Calls{Trigger: `{"name": "`}, `{"name": "%s", "parameters": `, "}"}
	case Mistral:
		return list("[TOOL_CALLS]", "", named)
	case MistralNamed:
		return form{Calls{Trigger: "[TOOL_CALLS]", Parallel: true}, "[TOOL_CALLS]%s[ARGS]", ""}
	case Functionary31:
		return form{Calls{Trigger: "<function=", Parallel: true}, "<function=%s>", "</function>"}
	case Functionary32:
		return form{Calls{Between: recipientMark, Trigger: recipientMark, Parallel: true}, "%s\n", ""}
	case CommandR:
		c := list("Action: ```json\n", "```", `{"tool_name": "%s", "parameters": `)
		c.Trigger = "Action:"
		return c
	case CommandR7B:
		return list("<|START_ACTION|>", "<|END_ACTION|>", `{"tool_name": "%s", "parameters": `)
	case DeepSeek, DeepSeek31:
		open, shut := "%s"+deepSeekSeparator, ""
		if f == DeepSeek {
			open, shut = "function"+deepSeekSeparator+"%s\n```json\n", "\n```"
		}
		return form{
			Calls{Before: "<｜tool▁calls▁begin｜>", After: "<｜tool▁calls▁end｜>", Trigger: "<｜tool▁calls▁begin｜>", Parallel: true},
			"<｜tool▁call▁begin｜>" + open, shut + "<｜tool▁call▁end｜>",
		}
	case Granite:
		return list("<|tool_call|>", "", named)
	case Kimi:
		return form{
			Calls{Before: "<|tool_calls_section_begin|>", After: "<|tool_calls_section_end|>", Trigger: "<|tool_calls_section_begin|>"},
			"<|tool_call_begin|>functions.%s:0<|tool_call_argument_begin|>", "<|tool_call_end|>",
		}
	case Nemotron:
		return list("<TOOLCALL>", "</TOOLCALL>", named)
	case Harmony:
		return form{
			Calls{Trigger: "<|channel|>commentary to=functions."},
			"<|channel|>commentary to=functions.%s <|constrain|>json<|message|>", "<|call|>",
		}
	}
	return form{Calls{Between: "\n", Trigger: "<tool_call>", Parallel: true}, "<tool_call>\n" + named, "}\n</tool_call>"}
}
