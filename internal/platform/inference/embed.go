package inference

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/llm"
)

// The API's limits of one embeddings request.
const (
	maxInputs      = 2048
	maxInputTokens = 300_000 // of all texts together
)

// Embedding is the answer to an embeddings request.
type Embedding struct {
	Head
	List *openai.EmbeddingList
}

// Embed answers an embeddings request. Errors are those of Chat.
func (s *Service) Embed(ctx context.Context, caller account.Caller, r *openai.EmbeddingRequest) (_ *Embedding, err error) {
	if err := validateEmbedding(r); err != nil {
		return nil, err
	}
	route, err := s.routeToEmbedder(r.Model)
	if err != nil {
		return nil, err
	}
	if route.elsewhere {
		return s.relayEmbedding(ctx, caller, route, r)
	}
	if err := route.dimensionsAllowed(r.Dimensions); err != nil {
		return nil, err
	}
	texts, tokens, err := route.embeddingTexts(r.Input)
	if err != nil {
		return nil, err
	}
	work := beginWork(ctx, opEmbeddings, route)
	defer func() { work.end(err) }()
	admitted, err := s.admit(work.ctx, caller, route, account.KindEmbeddings, state.NewID("embd-"), Usage{PromptTokens: tokens})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, admitted.drop()) }() // unless it is settled, and also when the model panics
	vectors, err := route.embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	list, err := embeddingList(vectors, r, tokens)
	if err != nil {
		return nil, err
	}
	work.took(admitted.head(route), Usage{PromptTokens: tokens})
	span := work.phase("settle")
	err = admitted.settle(account.Tokens{Input: int64(tokens)}, nil)
	endSpan(span, err)
	if err != nil {
		return nil, err
	}
	return &Embedding{admitted.head(route), list}, nil
}

// dimensionsAllowed checks the wanted size against the model's: vectors are cut
// but never padded.
func (rt *route) dimensionsAllowed(wanted *int64) error {
	switch {
	case wanted == nil:
		return nil
	case rt.alias.OneSize:
		return openai.Refuse("dimensions", openai.CodeUnsupported, "This model does not support specifying dimensions.")
	case rt.model.Windowed == nil:
		return nil
	}
	return integerWithin("dimensions", wanted, 1, int64(rt.model.Windowed.Dimensions()))
}

// embeddingTexts returns the texts of an input and their tokens: of the
// vocabulary that the name promises, else of the model's own. Each must fit
// the window.
func (rt *route) embeddingTexts(in openai.TextOrTokens) (texts []string, total int, err error) {
	for i := range in.Len() {
		text, tokens, err := rt.embeddingText(in, i)
		if err != nil {
			return nil, 0, err
		}
		texts = append(texts, text)
		if total += tokens; total > maxInputTokens {
			return nil, 0, openai.Refuse("input", "max_tokens_per_request",
				"Requested %d tokens or more, max %d tokens per request.", total, maxInputTokens)
		}
	}
	return texts, total, nil
}

func (rt *route) embeddingText(in openai.TextOrTokens, i int) (text string, tokens int, err error) {
	f, isForeign, err := rt.vocabulary()
	if err != nil {
		return "", 0, err
	}
	exact := true
	switch {
	case in.Texts == nil && !isForeign:
		return "", 0, openai.Refuse("input", openai.CodeUnsupportedValue,
			"Unsupported value: 'input' holds token ids, and the vocabulary of '%s' is not one of OpenAI's. Send text, or ask for an alias such as text-embedding-3-small.", rt.asked)
	case in.Texts == nil:
		tokens = len(in.Tokens[i])
		if text, err = f.text(in.Tokens[i], fmt.Sprintf("input[%d]", i)); err != nil {
			return "", 0, err
		}
	case isForeign:
		text = in.Texts[i]
		if tokens, exact, err = f.count(text, rt.window()); err != nil {
			return "", 0, fmt.Errorf("count tokens: %w", err)
		}
	default:
		text, tokens = in.Texts[i], rt.countOwn(in.Texts[i])
	}
	if window := rt.window(); window > 0 && tokens > window {
		return "", 0, &ContextError{Param: "input", Limit: window, Requested: tokens, AtLeast: !exact}
	}
	return text, tokens, nil
}

// window is how many tokens a text may have; zero when that is not known.
func (rt *route) window() int {
	switch {
	case rt.alias.Window > 0:
		return rt.alias.Window
	case rt.model.Windowed != nil:
		return rt.model.Windowed.Window()
	}
	return 0
}

// countOwn counts the tokens of a text for a model asked by its own name. Those
// of an upstream are not known; its bytes bound them.
func (rt *route) countOwn(text string) int {
	if rt.model.Windowed == nil {
		return len(text)
	}
	return rt.model.Windowed.Count(text)
}

// embed runs the model. Under an alias a text may be longer than the model's
// own window.
func (rt *route) embed(ctx context.Context, texts []string) ([][]float32, error) {
	run := rt.model.Embedder.Embed
	if rt.alias.Window > 0 && rt.model.Windowed != nil {
		run = rt.model.Windowed.EmbedLong
	}
	vectors, err := run(ctx, texts)
	if window, ok := errors.AsType[*llm.ContextLengthError](err); ok {
		return nil, &ContextError{Param: "input", Limit: window.Limit, Requested: window.Requested}
	}
	if err == nil && len(vectors) != len(texts) {
		err = fmt.Errorf("the model gave %d vectors for %d texts", len(vectors), len(texts))
	}
	return vectors, err
}

// embeddingList lays vectors out for the wire.
func embeddingList(vectors [][]float32, r *openai.EmbeddingRequest, tokens int) (*openai.EmbeddingList, error) {
	list := &openai.EmbeddingList{
		Data:   make([]openai.Embedding, len(vectors)),
		Model:  r.Model,
		Object: "list",
		Usage:  openai.EmbeddingUsage{PromptTokens: tokens, TotalTokens: tokens},
	}
	base64 := r.EncodingFormat != nil && *r.EncodingFormat == "base64"
	for i, v := range vectors {
		if r.Dimensions != nil {
			wanted := int(*r.Dimensions)
			if wanted > len(v) {
				return nil, integerWithin("dimensions", r.Dimensions, 1, int64(len(v)))
			}
			v = cut(v, wanted)
		}
		list.Data[i] = openai.Embedding{Index: i, Embedding: openai.Vector{Values: v, Base64: base64}, Object: "embedding"}
	}
	return list, nil
}

// cut returns the first n numbers of a vector scaled to length 1, the
// truncation of Matryoshka embeddings (Kusupati et al. 2022). A vector of
// zeros stays one.
func cut(v []float32, n int) []float32 {
	if n == len(v) {
		return v
	}
	var square float64
	for _, x := range v[:n] {
		square += float64(x) * float64(x)
	}
	if square == 0 {
		return v[:n]
	}
	scale := 1 / math.Sqrt(square)
	out := make([]float32, n)
	for i, x := range v[:n] {
		out[i] = float32(float64(x) * scale)
	}
	return out
}
