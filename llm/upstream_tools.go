package llm

// wireMessage is a message of a chat completion request.
type wireMessage struct {
	Role       string         `json:"role"`
	Content    *string        `json:"content"` // null beside calls
	Name       string         `json:"name,omitempty"`
	ToolCalls  []wireToolCall `json:"tool_calls,omitempty"`
	ToolCallID string         `json:"tool_call_id,omitempty"`
}

// wireToolCall is a call, or in a stream a piece of one.
type wireToolCall struct {
	Index    int    `json:"index,omitempty"` // in a stream
	ID       string `json:"id,omitempty"`
	Type     string `json:"type,omitempty"`
	Function struct {
		Name      string `json:"name,omitempty"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

func newWireMessage(m Message) wireMessage {
	w := wireMessage{Role: m.Role, Name: m.Name, ToolCallID: m.ToolCallID}
	if m.Content != "" || len(m.ToolCalls) == 0 {
		w.Content = &m.Content
	}
	for _, call := range m.ToolCalls {
		c := wireToolCall{ID: call.ID, Type: "function"}
		c.Function.Name, c.Function.Arguments = call.Name, call.Arguments
		w.ToolCalls = append(w.ToolCalls, c)
	}
	return w
}

// setTools writes a request's tools and what it says of their use.
func (w *wireRequest) setTools(req *Request) {
	for _, t := range req.Tools {
		w.Tools = append(w.Tools, t.raw(true))
	}
	type function struct {
		Name string `json:"name"`
	}
	type named struct {
		Type     string   `json:"type"`
		Function function `json:"function"`
	}
	var allowed []named
	for _, name := range req.ToolNames {
		allowed = append(allowed, named{"function", function{name}})
	}
	mode := req.ToolMode
	if mode == ToolsAuto {
		mode = "auto"
	}
	switch {
	case len(allowed) == 1 && mode == ToolsRequired:
		w.ToolChoice = allowed[0]
	case len(allowed) > 0 && mode != ToolsNone:
		w.ToolChoice = map[string]any{
			"type":          "allowed_tools",
			"allowed_tools": map[string]any{"mode": mode, "tools": allowed},
		}
	case req.ToolMode != ToolsAuto:
		w.ToolChoice = mode
	}
	if req.MaxCalls > 0 && len(req.Tools) > 0 {
		parallel := req.MaxCalls > 1
		w.ParallelToolCalls = &parallel
	}
}
