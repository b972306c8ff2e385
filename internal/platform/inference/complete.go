package inference

import (
	"context"
	"fmt"
	"iter"
	"math"
	"unicode/utf8"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/llm"
)

// maxPrompts bounds the prompts of one completion request.
const maxPrompts = 128

// defaultMaxTokens is what a completion request without a cap gets, by the
// API's definition.
const defaultMaxTokens = 16

// CompletionAnswer is a completion under way. Its caller takes either
// Completion or Events, once, and closes it.
type CompletionAnswer struct {
	*running
	envelope
	logProbs bool
	options  int      // likeliest tokens wanted beside each
	offsets  []int    // characters sent so far, by choice
	relay    *relayed // nil: the model runs here
}

// Complete starts the answer to a completion request. Errors are those of
// Chat.
func (s *Service) Complete(ctx context.Context, caller account.Caller, r *openai.CompletionRequest) (*CompletionAnswer, error) {
	if err := validateCompletion(r); err != nil {
		return nil, err
	}
	route, err := s.routeToGenerator(r.Model)
	if err != nil {
		return nil, err
	}
	if route.elsewhere {
		return s.relayCompletion(ctx, caller, route, r)
	}
	requests, err := route.completionRequests(r, caller.Tenant.ProjectID)
	if err != nil {
		return nil, err
	}
	n := requests[0].N
	stream := inParallel(ctx, len(requests), n, func(ctx context.Context, g int) iter.Seq2[llm.Delta, error] {
		return route.model.Generator.Generate(ctx, requests[g])
	})
	envelope := newEnvelope("cmpl-", route, r.StreamOptions)
	run, err := s.start(ctx, caller, route, completionText, envelope.id, completionBound(requests, route.model.Context), stream)
	if err != nil {
		return nil, err
	}
	return &CompletionAnswer{
		running:  run,
		envelope: envelope,
		logProbs: r.LogProbs != nil,
		options:  int(valueOr(r.LogProbs, 0)),
		offsets:  make([]int, len(requests)*n),
	}, nil
}

// completionRequests converts a request from the wire: one of the model's for
// each prompt.
func (rt *route) completionRequests(r *openai.CompletionRequest, tenant string) ([]llm.Request, error) {
	bias, err := rt.logitBias(r.LogitBias)
	if err != nil {
		return nil, err
	}
	request := llm.Request{
		MaxTokens:        int(valueOr(r.MaxTokens, defaultMaxTokens)),
		N:                int(valueOr(r.N, 1)),
		Temperature:      r.Temperature,
		TopP:             r.TopP,
		PresencePenalty:  valueOr(r.PresencePenalty, 0),
		FrequencyPenalty: valueOr(r.FrequencyPenalty, 0),
		LogitBias:        bias,
		Seed:             r.Seed,
		Stop:             r.Stop,
		LogProbs:         r.LogProbs != nil,
		TopLogProbs:      int(valueOr(r.LogProbs, 0)),
		Echo:             r.Echo,
		BestOf:           int(valueOr(r.BestOf, 0)),
		Suffix:           valueOr(r.Suffix, ""),
		Tenant:           tenant,
	}
	if request.MaxTokens == 0 {
		request.MaxTokens = llm.NoTokens
	}
	requests := make([]llm.Request, 0, r.Prompt.Len())
	for _, text := range r.Prompt.Texts {
		request.Prompt = text
		requests = append(requests, request)
	}
	for i, ids := range r.Prompt.Tokens {
		if err := rt.setPromptTokens(&request, ids, fmt.Sprintf("prompt[%d]", i)); err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	return requests, nil
}

// setPromptTokens makes ids the prompt: as text where the name promises
// another's vocabulary, else as the model's own tokens.
func (rt *route) setPromptTokens(request *llm.Request, ids []int64, param string) error {
	f, isForeign, err := rt.vocabulary()
	if err != nil {
		return err
	}
	if isForeign {
		request.Prompt, err = f.text(ids, param)
		return err
	}
	if rt.model.Vocabulary == nil {
		return openai.Refuse("prompt", openai.CodeUnsupported, "Unsupported parameter: the vocabulary of '%s' is not known here, so 'prompt' must be text.", rt.asked)
	}
	tokens := make([]int32, len(ids))
	for i, id := range ids {
		if id < 0 || id > math.MaxInt32 {
			return openai.Refuse(fmt.Sprintf("%s[%d]", param, i), openai.CodeInvalidValue, "Invalid token id %d.", id)
		}
		tokens[i] = int32(id)
	}
	request.Tokens = tokens
	return nil
}

// completionBound is the most tokens that all prompts of a request can take.
func completionBound(requests []llm.Request, context int) Usage {
	var bound Usage
	for _, r := range requests {
		one := capped(len(r.Prompt)+len(r.Suffix)+len(r.Tokens)+4, max(r.MaxTokens, 1), max(r.N, r.BestOf), context)
		bound.PromptTokens += one.PromptTokens
		bound.CompletionTokens += one.CompletionTokens
	}
	return bound
}

// Completion reads the answer to its end and charges it.
func (a *CompletionAnswer) Completion() (*openai.Completion, error) {
	if a.relay != nil {
		return a.relayedCompletion()
	}
	choices, usage, err := llm.Collect(a.deltas())
	if err != nil {
		return nil, err
	}
	c := a.event(make([]openai.CompletionChoice, len(choices))...)
	for i, choice := range choices {
		c.Choices[i] = a.choice(i, choice.Text, choice.Tokens, choice.FinishReason)
	}
	counts := wireUsage(usage)
	c.Usage = openai.ChunkUsage{Asked: true, Counts: &counts}
	return c, a.settle(nil)
}

// Events streams the answer and charges it; the usage comes last, if it was
// asked for.
func (a *CompletionAnswer) Events() iter.Seq2[*openai.Completion, error] {
	if a.relay != nil {
		return a.relayedEvents()
	}
	return func(yield func(*openai.Completion, error) bool) {
		for delta, err := range a.deltas() {
			if err != nil {
				yield(nil, err)
				return
			}
			if delta.Text == "" && len(delta.Tokens) == 0 && delta.FinishReason == "" {
				continue
			}
			if !yield(a.event(a.choice(delta.Index, delta.Text, delta.Tokens, delta.FinishReason)), nil) {
				return
			}
		}
		if err := a.settle(nil); err != nil {
			yield(nil, err)
			return
		}
		if a.withUsage {
			last := a.event()
			counts := wireUsage(a.exact)
			last.Usage.Counts = &counts
			yield(last, nil)
		}
	}
}

func (a *CompletionAnswer) event(choices ...openai.CompletionChoice) *openai.Completion {
	if choices == nil {
		choices = []openai.CompletionChoice{}
	}
	return &openai.Completion{
		ID:                a.id,
		Choices:           choices,
		Created:           a.created,
		Model:             a.model,
		SystemFingerprint: a.fingerprint,
		Object:            "text_completion",
		Usage:             openai.ChunkUsage{Asked: a.withUsage},
	}
}

func (a *CompletionAnswer) choice(index int, text string, tokens []llm.TokenLogProb, finish string) openai.CompletionChoice {
	c := openai.CompletionChoice{Index: index, Text: text, LogProbs: a.completionLogProbs(index, tokens)}
	if finish != "" {
		c.FinishReason = &finish
	}
	return c
}

// completionLogProbs lays tokens out in the four lists of the older interface.
func (a *CompletionAnswer) completionLogProbs(index int, tokens []llm.TokenLogProb) *openai.CompletionLogProbs {
	if !a.logProbs {
		return nil
	}
	l := &openai.CompletionLogProbs{
		TextOffset:    make([]int, len(tokens)),
		TokenLogProbs: make([]*float64, len(tokens)),
		Tokens:        make([]string, len(tokens)),
		TopLogProbs:   make([]*openai.TokenOptions, len(tokens)),
	}
	for i, t := range tokens {
		l.Tokens[i] = tokenText(t)
		l.TextOffset[i] = a.offsets[index]
		a.offsets[index] += utf8.RuneCountInString(l.Tokens[i])
		if math.IsNaN(t.LogProb) {
			continue // the first token of a prompt: nothing came before it
		}
		own := logProb(t)
		l.TokenLogProbs[i] = &own
		options := make(openai.TokenOptions, 0, a.options+1)
		for _, o := range t.Top {
			options = append(options, openai.TokenOption{Token: tokenText(o), LogProb: logProb(o)})
		}
		l.TopLogProbs[i] = &options
	}
	return l
}
