package inference

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/llm"
)

// The most tools of a request, and the most calls of an answer.
const (
	maxTools = 128
	maxCalls = 16
)

// toolsAllowed checks the tools of a chat request and what it says of their
// use.
func toolsAllowed(r *openai.ChatCompletionRequest) error {
	tools, choice := "tools", "tool_choice"
	if r.OldFunctions {
		tools, choice = "functions", "function_call"
	}
	if r.Tools == nil {
		if r.ToolChoice.Present {
			return openai.Refuse(choice, openai.CodeInvalidValue, "Invalid value for '%s': '%s' is only allowed when '%s' are specified.", choice, choice, tools)
		}
		if r.ParallelToolCalls != nil {
			return openai.Refuse("parallel_tool_calls", openai.CodeInvalidValue, "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.")
		}
		return nil
	}
	if err := first(notEmpty(tools, len(r.Tools)), arrayAtMost(tools, len(r.Tools), maxTools)); err != nil {
		return err
	}
	var names []string
	for i, t := range r.Tools {
		if slices.Contains(names, t.Name) {
			return openai.Refuse(fmt.Sprintf("%s[%d]", tools, i), openai.CodeInvalidValue, "Invalid '%s[%d]': the name '%s' is given twice.", tools, i, t.Name)
		}
		names = append(names, t.Name)
	}
	for _, name := range r.ToolChoice.Names {
		if !slices.Contains(names, name) {
			return openai.Refuse(choice, openai.CodeInvalidValue, "Invalid value for '%s': no function named '%s' was specified in the '%s' parameter.", choice, name, tools)
		}
	}
	return nil
}

// callsAnswered checks that every call of an assistant is followed by its
// result, and that every result has its call.
func callsAnswered(messages []openai.ChatMessage) error {
	var open []string // calls that wait for their results
	for i, m := range messages {
		if m.Role == "tool" {
			at := slices.Index(open, valueOr(m.ToolCallID, ""))
			if at < 0 {
				return openai.Refuse(fmt.Sprintf("messages[%d].role", i), openai.CodeInvalidValue, "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
			}
			open = slices.Delete(open, at, at+1)
			continue
		}
		if len(open) > 0 {
			return unanswered(i, open)
		}
		for _, call := range m.ToolCalls {
			if call.ID != "" { // a function_call of old has none
				open = append(open, call.ID)
			}
		}
	}
	if len(open) > 0 {
		return unanswered(len(messages), open)
	}
	return nil
}

func unanswered(at int, open []string) error {
	return openai.Refuse(fmt.Sprintf("messages[%d]", at-1), openai.CodeInvalidValue,
		"An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: %s", strings.Join(open, ", "))
}

// setTools converts a request's tools. A custom tool, whose input is a text, is
// to the model a function with that text as its only argument.
func setTools(request *llm.Request, r *openai.ChatCompletionRequest) {
	for _, t := range r.Tools {
		tool := llm.Tool{Name: t.Name, Description: t.Description, Parameters: t.Parameters, Strict: t.Strict}
		if t.Type == "custom" {
			tool.Parameters, tool.Strict = customParameters(t.Format), true
		}
		request.Tools = append(request.Tools, tool)
	}
	switch r.ToolChoice.Mode {
	case "none":
		request.ToolMode = llm.ToolsNone
	case "required":
		request.ToolMode = llm.ToolsRequired
	}
	request.ToolNames = r.ToolChoice.Names
	switch {
	case r.ToolChoice.Named, r.ParallelToolCalls != nil && !*r.ParallelToolCalls:
		request.MaxCalls = 1
	case r.ParallelToolCalls != nil:
		request.MaxCalls = maxCalls
	}
}

// customParameters is the schema of a custom tool's input.
func customParameters(format *openai.CustomFormat) json.RawMessage {
	input := map[string]string{"type": "string"}
	if format != nil {
		input["pattern"] = "^(?:" + format.Definition + ")$"
	}
	schema, err := json.Marshal(map[string]any{
		"type":                 "object",
		"properties":           map[string]any{"input": input},
		"required":             []string{"input"},
		"additionalProperties": false,
	})
	if err != nil {
		panic(fmt.Sprintf("inference: write the schema of a custom tool: %v", err)) // strings only
	}
	return schema
}

// customArguments are the arguments of a call with a custom tool's input.
func customArguments(input string) string {
	arguments, err := json.Marshal(map[string]string{"input": input})
	if err != nil {
		panic(fmt.Sprintf("inference: write a custom tool's input: %v", err)) // a string
	}
	return string(arguments)
}

// customInput is the text in the arguments of a custom tool's call.
func customInput(arguments string) string {
	var given struct{ Input string }
	if json.Unmarshal([]byte(arguments), &given) != nil {
		return arguments // the model broke off
	}
	return given.Input
}
