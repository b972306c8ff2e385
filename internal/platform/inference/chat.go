package inference

import (
	"context"
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
	return s.generateChat(ctx, caller, route, r)
}

// generateChat is Chat for a model that runs here.
func (s *Service) generateChat(ctx context.Context, caller account.Caller, route *route, r *openai.ChatCompletionRequest) (*ChatAnswer, error) {
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
	run, err := s.start(ctx, caller, route, chatText, envelope.id, bound, route.model.Generator.Generate(ctx, request))
	if err != nil {
		return nil, err
	}
	a := &ChatAnswer{running: run, envelope: envelope, choices: request.N, logProbs: request.LogProbs, order: order}
	for range request.N {
		a.calls = append(a.calls, callStream{style: styleOf(r)})
	}
	return a, nil
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
