package inference

import (
	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/llm"
)

// callStyle is how the calls of an answer are written.
type callStyle struct {
	custom map[string]bool // names of custom tools
	old    bool            // as function_call
	named  bool            // the caller named the tool
	sure   bool            // there is a call, and no text beside it
}

func styleOf(r *openai.ChatCompletionRequest) callStyle {
	s := callStyle{
		custom: map[string]bool{},
		old:    r.OldFunctions,
		named:  r.ToolChoice.Named,
		sure:   r.ToolChoice.Mode == "required",
	}
	for _, t := range r.Tools {
		s.custom[t.Name] = t.Type == "custom"
	}
	return s
}

// finish is the finish reason of a choice on the wire. A caller who names the
// tool knows that it is called, and the API says stop.
func (s callStyle) finish(reason string) string {
	switch {
	case reason != llm.FinishCalls:
		return reason
	case s.named:
		return llm.FinishStop
	case s.old:
		return "function_call"
	}
	return reason
}

// message is a choice as the API writes it. Its content is null where the model
// called and said nothing.
func (s *callStream) message(c llm.Completion) openai.AssistantMessage {
	m := openai.AssistantMessage{Content: &c.Text, Annotations: []struct{}{}, Role: "assistant", ReasoningContent: c.Reasoning}
	if len(c.Calls) > 0 && c.Text == "" {
		m.Content = nil
	}
	for i, call := range c.Calls {
		if s.style.old {
			m.FunctionCall = &openai.CalledFunction{Name: call.Name, Arguments: call.Arguments}
			break
		}
		m.ToolCalls = append(m.ToolCalls, s.call(i, call))
	}
	return m
}

func (s *callStream) call(index int, c llm.ToolCall) openai.CalledTool {
	called := openai.CalledTool{ID: s.id(index), Type: "function"}
	if s.style.custom[c.Name] {
		called.Type, called.Custom = "custom", &openai.CalledCustom{Name: c.Name, Input: customInput(c.Arguments)}
	} else {
		called.Function = &openai.CalledFunction{Name: c.Name, Arguments: c.Arguments}
	}
	return called
}

// callStream writes the calls of one choice as they come.
type callStream struct {
	style callStyle
	ids   []string // of the calls so far

	// A custom tool's input is JSON inside its call's arguments, so it is held
	// until it is whole.
	held      *openai.ToolCallDelta
	arguments string
}

// id is the id of a call, the same each time.
func (s *callStream) id(index int) string {
	for len(s.ids) <= index {
		s.ids = append(s.ids, state.NewID("call_"))
	}
	return s.ids[index]
}

// deltas converts pieces of calls; ended says that there are no more.
func (s *callStream) deltas(pieces []llm.CallDelta, ended bool) []openai.ChatDelta {
	var deltas []openai.ChatDelta
	for _, p := range pieces {
		if p.Name != "" {
			deltas = append(append(deltas, s.release()...), s.begin(p)...)
		}
		if p.Arguments != "" {
			deltas = append(deltas, s.goOn(p)...)
		}
	}
	if ended {
		deltas = append(deltas, s.release()...)
	}
	return deltas
}

// begin is the first delta of a call: all but its arguments.
func (s *callStream) begin(p llm.CallDelta) []openai.ChatDelta {
	switch {
	case s.style.old && p.Index > 0:
		return nil // there is room for one
	case s.style.old:
		return []openai.ChatDelta{{FunctionCall: &openai.FunctionDelta{Name: p.Name}}}
	case s.style.custom[p.Name]:
		s.held = &openai.ToolCallDelta{Index: p.Index, ID: s.id(p.Index), Type: "custom", Custom: &openai.CustomDelta{Name: p.Name}}
		return nil
	}
	return toolDelta(openai.ToolCallDelta{Index: p.Index, ID: s.id(p.Index), Type: "function", Function: &openai.FunctionDelta{Name: p.Name}})
}

// goOn is a further part of a call's arguments.
func (s *callStream) goOn(p llm.CallDelta) []openai.ChatDelta {
	switch {
	case s.held != nil:
		s.arguments += p.Arguments
		return nil
	case s.style.old && p.Index > 0:
		return nil
	case s.style.old:
		return []openai.ChatDelta{{FunctionCall: &openai.FunctionDelta{Arguments: p.Arguments}}}
	}
	return toolDelta(openai.ToolCallDelta{Index: p.Index, Function: &openai.FunctionDelta{Arguments: p.Arguments}})
}

// release is the call of a custom tool that was held.
func (s *callStream) release() []openai.ChatDelta {
	if s.held == nil {
		return nil
	}
	input := openai.ToolCallDelta{Index: s.held.Index, Custom: &openai.CustomDelta{Input: customInput(s.arguments)}}
	deltas := append(toolDelta(*s.held), toolDelta(input)...)
	s.held, s.arguments = nil, ""
	return deltas
}

func toolDelta(d openai.ToolCallDelta) []openai.ChatDelta {
	return []openai.ChatDelta{{ToolCalls: []openai.ToolCallDelta{d}}}
}
