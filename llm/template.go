package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ragstone/ragstone/internal/chat"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// dialect is how a model's conversations are written.
type dialect struct {
	render  renderer
	family  chat.Family // of its calls and its reasoning
	thinks  bool        // it may reason before it answers
	trained bool        // its template knows tools, so the model will too
}

// renderer turns a request's messages into the model's text, and says which
// parts of it the messages have written.
type renderer func(*Request) (string, []tokenizer.Span, error)

// parseTemplate returns the dialect of a chat template, nil for an empty one.
func parseTemplate(source string, words *tokenizer.Tokenizer) (*dialect, error) {
	template, err := chat.ParseTemplate(source)
	if errors.Is(err, chat.ErrNoTemplate) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("chat template: %w", err)
	}
	spelling := func(id int32, ok bool) string {
		if !ok {
			return ""
		}
		return words.Token(id)
	}
	bos, eos := spelling(words.BOS()), spelling(words.EOS())
	d := &dialect{family: chat.FamilyOf(source), trained: template.KnowsTools()}
	d.thinks = d.family == chat.Harmony || strings.Contains(strings.ToLower(source), "think")
	d.render = func(r *Request) (string, []tokenizer.Span, error) {
		c := chat.Conversation{AddGenerationPrompt: true, BOS: bos, EOS: eos}
		for _, m := range r.Messages {
			c.Messages = append(c.Messages, chatMessage(m))
		}
		for _, tool := range r.offered() {
			c.Tools = append(c.Tools, tool.raw(false))
		}
		return renderOrRefuse(template, c)
	}
	return d, nil
}

func chatMessage(m Message) chat.Message {
	out := chat.Message{Role: m.Role, Content: m.Content, Name: m.Name, Reasoning: m.Reasoning, ToolCallID: m.ToolCallID}
	for _, call := range m.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, chat.ToolCall{ID: call.ID, Name: call.Name, Arguments: json.RawMessage(call.Arguments)})
	}
	return out
}

// renderOrRefuse tells a template that refuses a conversation, say for the order
// of its roles, from one that is broken.
func renderOrRefuse(t *chat.Template, c chat.Conversation) (string, []tokenizer.Span, error) {
	text, given, err := t.RenderSpans(c)
	var refusal *chat.Error
	if errors.As(err, &refusal) && refusal.Refused {
		return "", nil, &InvalidError{Field: "Messages", Reason: refusal.Reason}
	} else if err != nil {
		return "", nil, fmt.Errorf("chat template: %w", err)
	}
	return text, given, nil
}
