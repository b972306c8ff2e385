package inference

import (
	"context"
	"iter"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/internal/state"
)

// relayCompletion is Complete for a model that an upstream runs.
func (s *Service) relayCompletion(ctx context.Context, caller account.Caller, route *route, r *openai.CompletionRequest) (*CompletionAnswer, error) {
	most, n := int(valueOr(r.MaxTokens, defaultMaxTokens)), int(valueOr(r.N, 1))
	changes := []openai.Member{{Name: "max_tokens", Value: openai.Number(most)}}
	if r.Stream {
		changes = append(changes, openai.Member{Name: "stream_options", Value: []byte(`{"include_usage":true}`)})
	}
	request := &upstream.Request{Path: "/completions", Model: route.model.Name, Body: relayedBody(r.Body, changes...), Stream: r.Stream, MaxBytes: maxRelayedBytes}
	bound := Usage{
		PromptTokens:     textBytes(r.Prompt) + len(valueOr(r.Suffix, "")),
		CompletionTokens: r.Prompt.Len() * max(most, 1) * max(n, int(valueOr(r.BestOf, 0))),
	}
	prompt := func() int { return textTokens(vocabularyOf(route.model.Name), r.Prompt) }
	envelope := newEnvelope("cmpl-", route, r.StreamOptions)
	relay, err := s.relay(ctx, caller, route, account.KindCompletions, envelope.id, bound, prompt, request)
	if err != nil {
		return nil, err
	}
	relay.unfinished = n * r.Prompt.Len()
	return &CompletionAnswer{running: relay.running, envelope: envelope, relay: relay}, nil
}

// relayedCompletion is Completion for an upstream's answer.
func (a *CompletionAnswer) relayedCompletion() (*openai.Completion, error) {
	return &openai.Completion{Relayed: a.relay.inOurShape(a.identity("text_completion"))}, a.settle(nil)
}

// relayedEvents is Events for an upstream's answer.
func (a *CompletionAnswer) relayedEvents() iter.Seq2[*openai.Completion, error] {
	return func(yield func(*openai.Completion, error) bool) {
		keep := func(*openai.ForeignAnswer) {}
		for event, err := range a.relay.stream(a.identity("text_completion"), a.withUsage, keep, func() error { return a.settle(nil) }) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&openai.Completion{Relayed: event}, nil) {
				return
			}
		}
	}
}

// relayEmbedding is Embed for a model that an upstream runs.
func (s *Service) relayEmbedding(ctx context.Context, caller account.Caller, route *route, r *openai.EmbeddingRequest) (*Embedding, error) {
	var answer *openai.ForeignEmbeddings
	read := func(data []byte) (err error) {
		answer, err = openai.ReadForeignEmbeddings(data, r.Input.Len())
		return err
	}
	request := &upstream.Request{Path: "/embeddings", Model: route.model.Name, Body: relayedBody(r.Body), Read: read, MaxBytes: 2 * maxRelayedBytes}
	bound := Usage{PromptTokens: textBytes(r.Input)}
	prompt := func() int { return textTokens(vocabularyOf(route.model.Name), r.Input) }
	relay, err := s.relay(ctx, caller, route, account.KindEmbeddings, state.NewID("embd-"), bound, prompt, request)
	if err != nil {
		return nil, err
	}
	defer relay.Close()
	if answer.Usage.PromptTokens > 0 {
		relay.usage = &openai.Usage{PromptTokens: answer.Usage.PromptTokens}
	}
	relay.count()
	list := answer.List(r.Model, relay.exact.PromptTokens)
	return &Embedding{relay.Head, list}, relay.settle(nil)
}

// Moderation is the answer to a moderation request.
type Moderation struct {
	Head
	Body *openai.Moderation
}

// Moderate asks the upstream that serves the model. Errors are those of Chat:
// no local model moderates.
func (s *Service) Moderate(ctx context.Context, caller account.Caller, r *openai.ModerationRequest) (*Moderation, error) {
	if !r.HasInput {
		return nil, openai.Missing("input")
	}
	route, err := s.route(r.Model)
	if err != nil {
		return nil, err
	}
	if !route.elsewhere {
		return nil, openai.Refuse("model", openai.CodeInvalidValue, "The model '%s' does not moderate. An upstream can serve one that does.", r.Model)
	}
	var body *openai.Moderation
	read := func(data []byte) (err error) {
		body, err = openai.RelayModeration(data, r.Model)
		return err
	}
	request := &upstream.Request{Path: "/moderations", Model: route.model.Name, Body: relayedBody(r.Body), Read: read, MaxBytes: maxRelayedBytes}
	bytes := len(r.Body.With())
	none := func() int { return 0 } // it is free, and tells no usage
	relay, err := s.relay(ctx, caller, route, account.KindModerations, state.NewID("modr-"), Usage{PromptTokens: bytes}, none, request)
	if err != nil {
		return nil, err
	}
	defer relay.Close()
	relay.count()
	return &Moderation{relay.Head, body}, relay.settle(nil)
}
