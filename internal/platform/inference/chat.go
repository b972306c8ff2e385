package inference

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/llm"
)

// ChatAnswer is a chat completion under way. Its caller takes either
// Completion or Chunks, once, and closes it.
type ChatAnswer struct {
	*running
	envelope
	choices  int
	logProbs bool
	calls    []callStream // by choice
	order    *order       // nil: the answer is not kept
	relay    *relayed     // nil: the model runs here
}

// Chat starts the answer to a chat request. An error means that nothing was
// run; it is an *openai.RequestError, a *ModelNotFoundError, an
// *account.LimitError, a *ContextError, or one of the model's.
func (s *Service) Chat(ctx context.Context, caller account.Caller, r *openai.ChatCompletionRequest) (*ChatAnswer, error) {
	if err := validateChat(r); err != nil {
		return nil, err
	}
	route, err := s.routeToGenerator(r.Model)
	if err != nil {
		return nil, err
	}
	if route.elsewhere {
		return s.relayChat(ctx, caller, route, r)
	}
	if err := chatUnserved(r); err != nil {
		return nil, err
	}
	request, err := route.chatRequest(r, caller.Tenant.ProjectID)
	if err != nil {
		return nil, err
	}
	order, err := s.orderOf(caller, r)
	if err != nil {
		return nil, err
	}
	bound := chatBound(request, formatBytes(r.ResponseFormat), route.model.Context)
	envelope := newEnvelope("chatcmpl-", route, r.StreamOptions)
	run, err := s.start(ctx, caller, route, envelope.id, "messages", bound, route.model.Generator.Generate(ctx, request))
	if err != nil {
		return nil, err
	}
	a := &ChatAnswer{running: run, envelope: envelope, choices: request.N, logProbs: request.LogProbs, order: order}
	for range request.N {
		a.calls = append(a.calls, callStream{style: styleOf(r)})
	}
	return a, nil
}

// chatRequest converts a request from the wire.
func (rt route) chatRequest(r *openai.ChatCompletionRequest, tenant string) (llm.Request, error) {
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
func (rt route) constraint(f *openai.ResponseFormat) (*llm.Constraint, error) {
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

// assumedCompletion stands for the completion of a request without a cap, where
// the model does not tell its context either.
const assumedCompletion = 8192

// capped is a usage bound of a prompt and n completions of at most most tokens,
// zero meaning what the context holds.
func capped(prompt, most, n, context int) Usage {
	switch {
	case context > 0:
		prompt = min(prompt, context)
		if most <= 0 || most > context {
			most = context
		}
	case most <= 0:
		most = assumedCompletion
	}
	return Usage{PromptTokens: prompt, CompletionTokens: most * max(n, 1)}
}

// Completion reads the answer to its end, charges it and stores it, if that was
// asked for.
func (a *ChatAnswer) Completion() (*openai.ChatCompletion, error) {
	if a.relay != nil {
		return a.relayedCompletion()
	}
	choices, usage, err := llm.Collect(a.deltas())
	if err != nil {
		return nil, err
	}
	c := a.whole(choices, usage)
	return c, a.finish(c)
}

// finish charges the answer, which is c, and stores it if it is to be.
func (a *ChatAnswer) finish(c *openai.ChatCompletion) error {
	if a.order == nil {
		return a.settle(nil)
	}
	bought, err := a.order.completion(c)
	if err != nil {
		return err
	}
	return a.settle(bought)
}

// whole is the answer in one piece.
func (a *ChatAnswer) whole(choices []llm.Completion, usage llm.Usage) *openai.ChatCompletion {
	c := &openai.ChatCompletion{
		ID:                a.id,
		Choices:           make([]openai.ChatChoice, len(choices)),
		Created:           a.created,
		Model:             a.model,
		ServiceTier:       "default",
		SystemFingerprint: a.fingerprint,
		Object:            "chat.completion",
		Usage:             wireUsage(usage),
	}
	for i, choice := range choices {
		c.Choices[i] = openai.ChatChoice{
			FinishReason: a.calls[i].style.finish(choice.FinishReason),
			Index:        i,
			Message:      a.calls[i].message(choice),
			LogProbs:     a.chatLogProbs(choice.Tokens),
		}
	}
	return c
}

// Chunks streams the answer: for each choice its role, its text, its end; then
// the usage, if it was asked for. The answer is charged, and stored if it is to
// be, before the last of them.
func (a *ChatAnswer) Chunks() iter.Seq2[*openai.ChatCompletionChunk, error] {
	if a.relay != nil {
		return a.relayedChunks()
	}
	return func(yield func(*openai.ChatCompletionChunk, error) bool) {
		for i := range a.choices {
			first := openai.ChatDelta{Role: "assistant"}
			if !a.calls[i].style.sure {
				first.Content = new(string)
			}
			if !yield(a.chunk(openai.ChunkChoice{Index: i, Delta: first}), nil) {
				return
			}
		}
		var said recorder
		for delta, err := range a.deltas() {
			if err != nil {
				yield(nil, err)
				return
			}
			if a.order != nil {
				said.pieces = append(said.pieces, delta)
			}
			if !a.yieldDelta(delta, yield) {
				return
			}
		}
		if err := a.finishStream(&said); err != nil {
			yield(nil, err)
			return
		}
		if a.withUsage {
			last := a.chunk()
			counts := wireUsage(a.exact)
			last.Usage.Counts = &counts
			yield(last, nil)
		}
	}
}

// finishStream is finish for what was streamed.
func (a *ChatAnswer) finishStream(said *recorder) error {
	if a.order == nil {
		return a.settle(nil)
	}
	choices, usage, err := said.choices()
	if err != nil {
		return err
	}
	return a.finish(a.whole(choices, usage))
}

// yieldDelta sends what a delta adds and then, in a chunk of its own, why the
// choice ended.
func (a *ChatAnswer) yieldDelta(d llm.Delta, yield func(*openai.ChatCompletionChunk, error) bool) bool {
	if d.Text != "" || len(d.Tokens) > 0 {
		choice := openai.ChunkChoice{Index: d.Index, Delta: openai.ChatDelta{Content: &d.Text}, LogProbs: a.chatLogProbs(d.Tokens)}
		if !yield(a.chunk(choice), nil) {
			return false
		}
	}
	if d.Reasoning != "" && !yield(a.chunk(openai.ChunkChoice{Index: d.Index, Delta: openai.ChatDelta{Reasoning: d.Reasoning}}), nil) {
		return false
	}
	calls := &a.calls[d.Index]
	for _, delta := range calls.deltas(d.Calls, d.FinishReason != "") {
		if !yield(a.chunk(openai.ChunkChoice{Index: d.Index, Delta: delta}), nil) {
			return false
		}
	}
	if d.FinishReason == "" {
		return true
	}
	reason := calls.style.finish(d.FinishReason)
	return yield(a.chunk(openai.ChunkChoice{Index: d.Index, FinishReason: &reason}), nil)
}

func (a *ChatAnswer) chunk(choices ...openai.ChunkChoice) *openai.ChatCompletionChunk {
	if choices == nil {
		choices = []openai.ChunkChoice{}
	}
	return &openai.ChatCompletionChunk{
		ID:                a.id,
		Choices:           choices,
		Created:           a.created,
		Model:             a.model,
		ServiceTier:       "default",
		SystemFingerprint: a.fingerprint,
		Object:            "chat.completion.chunk",
		Usage:             openai.ChunkUsage{Asked: a.withUsage},
	}
}

func (a *ChatAnswer) chatLogProbs(tokens []llm.TokenLogProb) *openai.ChatLogProbs {
	if !a.logProbs {
		return nil
	}
	content := make([]openai.TokenLogProb, len(tokens))
	for i, t := range tokens {
		top := make([]openai.TopLogProb, len(t.Top))
		for j, o := range t.Top {
			top[j] = openai.TopLogProb{Token: tokenText(o), LogProb: logProb(o), Bytes: o.Bytes}
		}
		content[i] = openai.TokenLogProb{Token: tokenText(t), LogProb: logProb(t), Bytes: t.Bytes, TopLogProbs: top}
	}
	return &openai.ChatLogProbs{Content: content}
}

// tokenText is a token as a string; bytes that are no whole character become
// U+FFFD, and stand beside it as numbers.
func tokenText(t llm.TokenLogProb) string { return strings.ToValidUTF8(string(t.Bytes), "\uFFFD") }

// logProb is a token's log-probability. JSON has no infinity; the API writes
// -9999 for a token that cannot be.
func logProb(t llm.TokenLogProb) float64 { return max(t.LogProb, -9999) }
