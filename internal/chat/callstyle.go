package chat

import (
	"encoding/json"
	"slices"
	"strings"
)

// callStyle is how a template wants the calls of past messages. Templates differ
// and say so nowhere.
type callStyle struct {
	asText     bool // arguments as a string, not as an object
	noContent  bool // content is None where it is empty
	asContent  bool // the template ignores calls: they become text
	systemless bool // the template refuses system messages
	parts      bool // the template takes content in parts
}

// The probe is a conversation with one call, whose parts are looked for in what
// templates make of it.
const (
	probeID       = "abcdef123" // as Mistral's templates want them
	probeFunction = "probe_function"
	probeValue    = "probe_value"
	probeTool     = `{"type": "function", "function": {"name": "probe_function", "description": "Probe.",
		"parameters": {"type": "object", "properties": {"key": {"type": "string", "description": "Key."}}, "required": ["key"]}}}`
)

// style probes the template, once.
func (t *Template) style() callStyle {
	t.probe.Do(func() {
		t.calls = callStyle{asContent: true}
		for _, s := range []callStyle{{}, {noContent: true}, {asText: true}, {asText: true, noContent: true}} {
			if t.tools && t.shows(s) {
				t.calls = s
				break
			}
		}
		system := Conversation{Messages: []Message{{Role: "system", Content: probeValue}, {Role: "user", Content: "?"}}}
		text, _, err := t.render(system, callStyle{})
		t.calls.parts = t.takesParts()
		t.calls.systemless = err != nil || !strings.Contains(text, probeValue)
	})
	return t.calls
}

// takesParts reports whether the template writes the text of a part and nothing
// else of it.
func (t *Template) takesParts() bool {
	text, _, err := t.render(Conversation{Messages: []Message{
		{Role: "user", Parts: rawObjects(`{"type": "text", "text": "` + probeValue + `"}`)},
	}}, callStyle{})
	return err == nil && strings.Contains(text, probeValue) && !strings.Contains(text, `'`+probeValue) && !strings.Contains(text, `"`+probeValue)
}

// hasParts reports whether a conversation has content in parts.
func (c *Conversation) hasParts() bool {
	return slices.ContainsFunc(c.Messages, func(m Message) bool { return len(m.Parts) > 0 })
}

// joined is the conversation with the texts of parts put together.
func (c Conversation) joined() Conversation {
	c.Messages = slices.Clone(c.Messages)
	for i := range c.Messages {
		m := &c.Messages[i]
		for _, raw := range m.Parts {
			var part struct{ Text string }
			if json.Unmarshal(raw, &part) == nil {
				m.Content += part.Text
			}
		}
		m.Parts = nil
	}
	return c
}

// shows reports whether the template writes the probe's call as JSON can be
// read: neither as Python's own spelling nor quoted twice.
func (t *Template) shows(s callStyle) bool {
	text, _, err := t.render(Conversation{
		Tools: rawObjects(probeTool),
		Messages: []Message{
			{Role: "user", Content: "?"},
			{Role: "assistant", ToolCalls: []ToolCall{{ID: probeID, Name: probeFunction, Arguments: []byte(`{"key": "` + probeValue + `"}`)}}},
		},
	}, s)
	return err == nil && strings.Count(text, probeFunction) > 1 && strings.Contains(text, probeValue) &&
		!strings.Contains(text, `'`+probeValue) && !strings.Contains(text, `\"`+probeValue)
}
