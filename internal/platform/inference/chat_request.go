package inference

import (
	"errors"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/llm"
)

// chatRequest converts a request from the wire.
func (rt *route) chatRequest(r *openai.ChatCompletionRequest, tenant string) (llm.Request, error) {
	bias, err := rt.logitBias(r.LogitBias)
	if err != nil {
		return llm.Request{}, err
	}
	constraint, err := rt.constraint(r.ResponseFormat)
	if err != nil {
		return llm.Request{}, err
	}
	request := llm.Request{
		MaxTokens:        int(valueOr(r.MaxCompletionTokens, valueOr(r.MaxTokens, 0))),
		N:                int(valueOr(r.N, 1)),
		Temperature:      r.Temperature,
		TopP:             r.TopP,
		PresencePenalty:  valueOr(r.PresencePenalty, 0),
		FrequencyPenalty: valueOr(r.FrequencyPenalty, 0),
		LogitBias:        bias,
		Seed:             r.Seed,
		Stop:             r.Stop,
		LogProbs:         r.LogProbs != nil && *r.LogProbs,
		TopLogProbs:      int(valueOr(r.TopLogProbs, 0)),
		Constraint:       constraint,
		Expected:         r.Prediction,
		Tenant:           tenant,
	}
	for _, m := range r.Messages {
		request.Messages = append(request.Messages, modelMessage(m))
	}
	setTools(&request, r)
	return request, nil
}

// constraint is what a response format asks of the model. A schema that is not
// strict is advice: where it cannot be enforced, any JSON object will do.
func (rt *route) constraint(f *openai.ResponseFormat) (*llm.Constraint, error) {
	switch {
	case f == nil || f.Type == "text":
		return nil, nil
	case f.Type == "json_object":
		return llm.ConstrainJSON(), nil
	}
	c, err := llm.ConstrainSchema(f.Schema.Schema)
	invalid, ok := errors.AsType[*llm.InvalidError](err)
	if !ok {
		return c, err
	}
	if f.Schema.Strict {
		return nil, openai.Refuse("response_format", openai.CodeInvalidValue, "Invalid schema for response_format '%s': %s.", f.Schema.Name, invalid.Reason)
	}
	return llm.ConstrainJSON(), nil
}

// modelMessage converts a message to the roles that chat templates know. Few
// templates show a speaker's name, so it is written before the words, where
// every model can read it.
func modelMessage(m openai.ChatMessage) llm.Message {
	message := llm.Message{Role: m.Role, Content: m.Content.Text(), ToolCallID: valueOr(m.ToolCallID, "")}
	for _, call := range m.ToolCalls {
		if call.Type == "custom" {
			call.Arguments = customArguments(call.Arguments)
		}
		message.ToolCalls = append(message.ToolCalls, llm.ToolCall{ID: call.ID, Name: call.Name, Arguments: call.Arguments})
	}
	switch m.Role {
	case "developer":
		message.Role = "system"
	case "function": // a tool's result of old, whose name is the function's
		message.Role, message.Name = "tool", valueOr(m.Name, "")
		return message
	}
	if m.Name != nil && *m.Name != "" {
		message.Content = *m.Name + ": " + message.Content
	}
	return message
}

// messageOverhead bounds the tokens that a chat template puts around one
// message and before the answer.
const messageOverhead = 64

// toolOverhead bounds the tokens of what a template says about tools in general,
// and spread how much longer it may write a schema, which some indent.
const (
	toolOverhead = 1024
	spread       = 4
)

// formatBytes is the size of what a prompt may repeat of a response format.
func formatBytes(f *openai.ResponseFormat) int {
	if f == nil {
		return 0
	}
	return len(f.Raw)
}

// chatBound is the most tokens a chat request can take: a token is at least a
// byte, and prompt and completion together fit the context. The format of the
// answer has so many bytes.
func chatBound(r llm.Request, format, context int) Usage {
	prompt := messageOverhead + spread*format
	for _, m := range r.Messages {
		prompt += len(m.Content) + messageOverhead
		for _, call := range m.ToolCalls {
			prompt += len(call.Name) + 2*len(call.Arguments) + messageOverhead
		}
	}
	if len(r.Tools) > 0 {
		prompt += toolOverhead
	}
	for _, t := range r.Tools {
		prompt += len(t.Name) + len(t.Description) + spread*len(t.Parameters) + messageOverhead
	}
	return capped(prompt, r.MaxTokens, r.N, context)
}

// capped is a usage bound of a prompt and n completions of at most most tokens,
// zero meaning what the context holds. A context of zero bounds nothing: then
// most says it all.
func capped(prompt, most, n, context int) Usage {
	if context > 0 {
		prompt = min(prompt, context)
		if most <= 0 || most > context {
			most = context
		}
	}
	return Usage{PromptTokens: prompt, CompletionTokens: most * max(n, 1)}
}
