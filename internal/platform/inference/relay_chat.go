package inference

import (
	"context"
	"iter"
	"strings"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/upstream"
)

// maxRelayedBytes bounds an upstream's answer in one piece.
const maxRelayedBytes = 64 << 20

// relayChat is Chat for a model that an upstream runs. The request passes as it
// came but for what is this server's own affair.
func (s *Service) relayChat(ctx context.Context, caller account.Caller, route *route, r *openai.ChatCompletionRequest) (*ChatAnswer, error) {
	if err := relayable(r); err != nil {
		return nil, err
	}
	order, err := s.orderOf(caller, r)
	if err != nil {
		return nil, err
	}
	most := int(valueOr(r.MaxCompletionTokens, valueOr(r.MaxTokens, int64(s.completionCap))))
	prompt := func() int { return chatTokens(vocabularyOf(route.model.Name), r) }
	envelope := newEnvelope("chatcmpl-", route, r.StreamOptions)
	relay, err := s.relay(ctx, caller, route, account.KindCompletions, envelope.id, relayedChatBound(r, most), prompt, s.chatToRelay(route, r))
	if err != nil {
		return nil, err
	}
	relay.unfinished = int(valueOr(r.N, 1))
	return &ChatAnswer{running: relay.running, envelope: envelope, relay: relay, order: order}, nil
}

// chatToRelay is a chat request as an upstream gets it. It is told a cap where
// the caller gave none, under the newer name if that is the one its model
// wants. Storing is done here, and the usage of a stream is always asked for.
func (s *Service) chatToRelay(route *route, r *openai.ChatCompletionRequest) *upstream.Request {
	changes := []openai.Member{{Name: "store"}, {Name: "metadata"}}
	if r.Stream {
		changes = append(changes, openai.Member{Name: "stream_options", Value: []byte(`{"include_usage":true}`)})
	}
	request := &upstream.Request{Path: "/chat/completions", Model: route.model.Name, Stream: r.Stream, MaxBytes: maxRelayedBytes}
	if r.MaxTokens != nil || r.MaxCompletionTokens != nil {
		request.Body = relayedBody(r.Body, changes...)
		return request
	}
	capUnder := func(name string) {
		most := openai.Member{Name: name, Value: openai.Number(s.completionCap)}
		request.Body = relayedBody(r.Body, append(changes[:len(changes):len(changes)], most)...)
	}
	capUnder("max_tokens")
	if _, newer := s.newerCap.Load(route.model.Name); newer {
		capUnder("max_completion_tokens")
		return request
	}
	request.Amend = func(refused *upstream.Error) bool {
		if refused.Param != "max_tokens" && !strings.Contains(refused.Message, "max_completion_tokens") {
			return false
		}
		s.newerCap.Store(route.model.Name, true)
		capUnder("max_completion_tokens")
		return true
	}
	return request
}

// relayedBody is a request under the name that an upstream calls its model by.
func relayedBody(body openai.Body, changes ...openai.Member) func(model string) []byte {
	return func(model string) []byte {
		return body.With(append([]openai.Member{{Name: "model", Value: openai.Text(model)}}, changes...)...)
	}
}

func (e envelope) identity(object string) openai.Identity {
	return openai.Identity{ID: e.id, Object: object, Created: e.created, Model: e.model}
}

// relayedCompletion is Completion for an upstream's answer.
func (a *ChatAnswer) relayedCompletion() (*openai.ChatCompletion, error) {
	body := a.relay.inOurShape(a.identity("chat.completion"))
	var said transcript
	said.add(a.relay.whole)
	c := said.completion(a)
	c.Relayed = body
	return c, a.finish(c)
}

// relayedChunks is Chunks for an upstream's answer.
func (a *ChatAnswer) relayedChunks() iter.Seq2[*openai.ChatCompletionChunk, error] {
	return func(yield func(*openai.ChatCompletionChunk, error) bool) {
		var said transcript
		keep := func(part *openai.ForeignAnswer) {
			if a.order != nil {
				said.add(part)
			}
		}
		settle := func() error { return a.finish(said.completion(a)) }
		for event, err := range a.relay.stream(a.identity("chat.completion.chunk"), a.withUsage, keep, settle) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&openai.ChatCompletionChunk{Relayed: event}, nil) {
				return
			}
		}
	}
}

// transcript gathers the pieces of an upstream's answer.
type transcript struct{ choices []openai.ChatChoice }

func (t *transcript) add(part *openai.ForeignAnswer) {
	for _, p := range part.Pieces {
		for len(t.choices) <= p.Index {
			t.choices = append(t.choices, openai.ChatChoice{
				Index:   len(t.choices),
				Message: openai.AssistantMessage{Role: "assistant", Annotations: []struct{}{}},
			})
		}
		c := &t.choices[p.Index]
		c.Message.Content = joined(c.Message.Content, p.Content)
		c.Message.Refusal = joined(c.Message.Refusal, p.Refusal)
		c.Message.ReasoningContent += p.Reasoning
		if p.FinishReason != "" {
			c.FinishReason = p.FinishReason
		}
		for _, d := range p.ToolCalls {
			addCall(&c.Message, d)
		}
		if d := p.FunctionCall; d != nil {
			if c.Message.FunctionCall == nil {
				c.Message.FunctionCall = &openai.CalledFunction{}
			}
			c.Message.FunctionCall.Name += d.Name
			c.Message.FunctionCall.Arguments += d.Arguments
		}
	}
}

// joined is a text and more of it; a text that is nowhere is null.
func joined(text *string, more string) *string {
	if more == "" {
		return text
	}
	whole := valueOr(text, "") + more
	return &whole
}

// addCall adds a piece of a call to a message.
func addCall(m *openai.AssistantMessage, d openai.ToolCallDelta) {
	if d.Index < 0 || d.Index > len(m.ToolCalls) {
		d.Index = len(m.ToolCalls)
	}
	if d.Index == len(m.ToolCalls) || d.ID != "" && m.ToolCalls[d.Index].ID != "" && d.ID != m.ToolCalls[d.Index].ID {
		d.Index = len(m.ToolCalls)
		m.ToolCalls = append(m.ToolCalls, openai.CalledTool{Type: "function"})
	}
	call := &m.ToolCalls[d.Index]
	if d.ID != "" {
		call.ID = d.ID
	}
	if d.Type != "" {
		call.Type = d.Type
	}
	if d.Function != nil {
		if call.Function == nil {
			call.Function = &openai.CalledFunction{}
		}
		call.Function.Name += d.Function.Name
		call.Function.Arguments += d.Function.Arguments
	}
	if d.Custom != nil {
		if call.Custom == nil {
			call.Custom = &openai.CalledCustom{}
		}
		call.Custom.Name += d.Custom.Name
		call.Custom.Input += d.Custom.Input
	}
}

// completion is what was gathered, as the answer that it is.
func (t *transcript) completion(a *ChatAnswer) *openai.ChatCompletion {
	return &openai.ChatCompletion{
		ID:          a.id,
		Choices:     t.choices,
		Created:     a.created,
		Model:       a.model,
		ServiceTier: "default",
		Object:      "chat.completion",
		Usage:       wireUsage(a.exact),
	}
}
