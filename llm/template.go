package llm

import (
	"errors"
	"fmt"

	"github.com/ragstone/ragstone/internal/chat"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// parseTemplate returns the renderer of a chat template, nil for an empty one.
func parseTemplate(source string, words *tokenizer.Tokenizer) (renderer, error) {
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
	return func(messages []Message) (string, []tokenizer.Span, error) {
		c := chat.Conversation{AddGenerationPrompt: true, BOS: bos, EOS: eos}
		for _, m := range messages {
			c.Messages = append(c.Messages, chat.Message{Role: m.Role, Content: m.Content, Name: m.Name})
		}
		return renderOrRefuse(template, c)
	}, nil
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
