package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ragstone/ragstone/internal/tokenizer"
)

// Conversation is what a template is rendered with.
type Conversation struct {
	Messages []Message

	// Tools are the tools the model may call, each a JSON object as in the
	// chat completions API: {"type": "function", "function": {…}}.
	Tools []json.RawMessage

	// AddGenerationPrompt ends the text with the beginning of the assistant's
	// answer.
	AddGenerationPrompt bool

	// BOS and EOS are the spelling of the model's tokens.
	BOS, EOS string

	// Variables are further values the template may ask for, such as
	// enable_thinking.
	Variables map[string]json.RawMessage

	// Now is the date for templates that state it; zero means the present.
	Now time.Time
}

// Message is one turn of a conversation.
type Message struct {
	Role       string     // "system", "user", "assistant" or "tool"
	Content    string     // the text
	Parts      []Part     // where there are any, instead of Content
	Name       string     // empty: absent
	Reasoning  string     // what the model thought, passed as reasoning_content; empty: absent
	ToolCalls  []ToolCall // of the assistant
	ToolCallID string     // of a tool's answer
}

// Part is a part of a message's content, a JSON object as in the API, such as
// {"type": "text", "text": "…"}. Where a template knows no parts, the texts are
// put together and other parts are left out.
type Part = json.RawMessage

// ToolCall is an assistant's call of a tool.
type ToolCall struct {
	ID        string
	Name      string
	Arguments json.RawMessage // an object; what is none is passed as a string
}

// ErrNoTemplate says that a model has no chat template: it completes text and
// does not hold conversations.
var ErrNoTemplate = errors.New("the model has no chat template")

// Error says why a template could not be parsed or rendered.
type Error struct {
	Line   int // in the template, from 1
	Reason string

	// Refused means that the template itself refused the conversation, for the
	// reason it gave: a matter for who sent the conversation.
	Refused bool
}

func (e *Error) Error() string {
	if e.Refused {
		return "the chat template refuses the conversation: " + e.Reason
	}
	return fmt.Sprintf("chat template, line %d: %s", e.Line, e.Reason)
}

// Template is a parsed chat template.
type Template struct {
	body   []statement
	tools  bool   // it asks for the tools
	family Family // whose form calls take where they become text

	probe sync.Once
	calls callStyle // after probe
}

// ParseTemplate parses a template's source. An empty source is
// [ErrNoTemplate]; any other error is an [*Error].
func ParseTemplate(source string) (*Template, error) {
	if source == "" {
		return nil, ErrNoTemplate
	}
	tokens, err := lex(source)
	if err != nil {
		return nil, err
	}
	body, err := parse(tokens)
	if err != nil {
		return nil, err
	}
	return &Template{body: body, tools: asksForTools(tokens), family: FamilyOf(source)}, nil
}

// KnowsTools reports whether the template shows the model its tools.
func (t *Template) KnowsTools() bool { return t.tools }

// Render returns a conversation as the model's text.
func (t *Template) Render(c Conversation) (string, error) {
	text, _, err := t.RenderSpans(c)
	return text, err
}

// RenderSpans is Render that also returns which bytes of the text came from
// the conversation and not from the template, in order and apart: pass them as
// tokenizer.Options.Verbatim, so that no message can forge a control token.
// Where the template knows no tools, those of the conversation are described in
// its system message, and results become text; so do calls that it ignores.
func (t *Template) RenderSpans(c Conversation) (string, []tokenizer.Span, error) {
	if !c.hasTools() && !c.hasParts() {
		return t.render(c, callStyle{})
	}
	style := t.style()
	if !style.parts {
		c = c.joined()
	}
	return t.render(t.withTools(c, style), style)
}

// render is RenderSpans for a conversation that needs no changes.
func (t *Template) render(c Conversation, style callStyle) (string, []tokenizer.Span, error) {
	globals, size, err := c.globals(style)
	if err != nil {
		return "", nil, err
	}
	r := newRenderer(size, c.now())
	out, err := r.run(t.body, globals)
	if err != nil {
		return "", nil, err
	}
	return out.s, out.given, nil
}

func (c *Conversation) now() time.Time {
	if c.Now.IsZero() {
		return time.Now()
	}
	return c.Now
}

// globals builds the variables of a template, and returns the size of the
// conversation, to which limits are proportional.
func (c *Conversation) globals(style callStyle) (map[string]value, int, error) {
	g := map[string]value{
		"bos_token":             literal(c.BOS),
		"eos_token":             literal(c.EOS),
		"add_generation_prompt": c.AddGenerationPrompt,
		"tools":                 nil,
		"documents":             nil,
	}
	size := 0
	messages := &list{}
	for i := range c.Messages {
		m, n := c.Messages[i].dict(style)
		messages.items = append(messages.items, m)
		size += n
	}
	g["messages"] = messages
	if len(c.Tools) > 0 {
		tools := &list{}
		for i, raw := range c.Tools {
			v, err := decodeJSON(raw)
			if err != nil {
				return nil, 0, fmt.Errorf("tool %d: %w", i, err)
			}
			tools.items = append(tools.items, v)
			size += len(raw)
		}
		g["tools"] = tools
	}
	for name, raw := range c.Variables {
		v, err := decodeJSON(raw)
		if err != nil {
			return nil, 0, fmt.Errorf("template variable %q: %w", name, err)
		}
		g[name] = v
		size += len(raw)
	}
	return g, size, nil
}

// dict is a message as templates see it, and its size.
func (m *Message) dict(style callStyle) (*dict, int) {
	size := len(m.Role) + len(m.Content) + len(m.Name) + len(m.Reasoning) + len(m.ToolCallID)
	d := newDict()
	d.set("role", outside(m.Role))
	d.set("content", outside(m.Content))
	if len(m.Parts) > 0 {
		parts := &list{}
		for _, raw := range m.Parts {
			v, err := decodeJSON(raw)
			if err != nil {
				v = outside(string(raw))
			}
			parts.items = append(parts.items, v)
			size += len(raw)
		}
		d.set("content", parts)
	}
	if style.noContent && m.Content == "" && len(m.ToolCalls) > 0 {
		d.set("content", nil)
	}
	if m.Name != "" {
		d.set("name", outside(m.Name))
	}
	if m.Reasoning != "" {
		d.set("reasoning_content", outside(m.Reasoning))
	}
	if len(m.ToolCalls) > 0 {
		calls := &list{}
		for _, call := range m.ToolCalls {
			calls.items = append(calls.items, call.dict(style))
			size += len(call.ID) + len(call.Name) + len(call.Arguments)
		}
		d.set("tool_calls", calls)
	}
	if m.ToolCallID != "" {
		d.set("tool_call_id", outside(m.ToolCallID))
	}
	return d, size
}

func (c *ToolCall) dict(style callStyle) *dict {
	arguments, err := decodeJSON(c.Arguments)
	if _, ok := arguments.(*dict); err != nil || !ok || style.asText {
		arguments = outside(string(c.Arguments))
	}
	function := newDict()
	function.set("name", outside(c.Name))
	function.set("arguments", arguments)
	d := newDict()
	if c.ID != "" {
		d.set("id", outside(c.ID))
	}
	d.set("type", literal("function"))
	d.set("function", function)
	return d
}
