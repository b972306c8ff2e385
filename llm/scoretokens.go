package llm

import (
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/internal/tokenizer"
)

// scoreTokenizer turns the items of a request into sequences, remembering the
// prompts they share.
type scoreTokenizer struct {
	*prompter
	context int
	prompts map[string][]int32
}

// sequence returns the sequence of an item and the places of its results. The
// sequence is nil where there is nothing to score.
func (t *scoreTokenizer) sequence(req *ScoreRequest, item int) (*scoreSequence, []ScoredToken, error) {
	prompt, err := t.prompt(req, item)
	if err != nil {
		return nil, nil, err
	}
	pieces := t.continuation(req.Items[item], prompt)
	if req.MaxTokens > 0 && len(pieces) > req.MaxTokens {
		pieces = pieces[:req.MaxTokens]
	}
	if len(pieces) == 0 {
		return nil, nil, nil
	}
	s := &scoreSequence{item: item, tokens: slices.Clone(prompt), prompt: len(prompt)}
	places := make([]ScoredToken, len(pieces))
	for i, p := range pieces {
		s.tokens = append(s.tokens, p.ID)
		places[i] = ScoredToken{Start: p.Start, End: p.End}
	}
	s.run = len(s.tokens)
	if req.End == "" {
		s.run-- // nothing is asked of what follows the last token
	}
	if s.run > t.context {
		return nil, nil, fmt.Errorf("score item %d: %w", item, &ContextLengthError{Limit: t.context, Requested: s.run})
	}
	return s, places, nil
}

// prompt returns the tokens of an item's prompt, of which there is at least
// one: an empty prompt is the token that begins a text.
func (t *scoreTokenizer) prompt(req *ScoreRequest, item int) ([]int32, error) {
	text := req.Items[item].Prompt
	tokens, ok := t.prompts[text]
	if ok {
		return tokens, nil
	}
	tokens = t.text(text, tokenizer.Options{})
	if bos, ok := t.vocabulary.BOS(); ok && len(tokens) == 0 {
		tokens = []int32{bos}
	}
	if len(tokens) == 0 {
		return nil, &InvalidError{"Items", fmt.Sprintf("the prompt of item %d is empty, and the model has no token that begins a text", item)}
	}
	t.prompts[text] = tokens
	return tokens, nil
}

// continuation returns the pieces of an item's continuation; see ScoreItem.
func (t *scoreTokenizer) continuation(item ScoreItem, prompt []int32) []tokenizer.Piece {
	n := len(item.Prompt)
	if n == 0 {
		return t.vocabulary.EncodeOffsets(item.Continuation, tokenizer.Options{})
	}
	prompt = prompt[len(t.begin):]
	joint := t.vocabulary.EncodeOffsets(item.Prompt+item.Continuation, tokenizer.Options{})
	if !beginsWith(joint, prompt, n) {
		return t.vocabulary.EncodeOffsets(item.Continuation, tokenizer.Options{})
	}
	pieces := joint[len(prompt):]
	for i := range pieces {
		pieces[i].Start -= n
		pieces[i].End -= n
	}
	return pieces
}

// beginsWith reports whether pieces begin with tokens, and a piece then begins
// at the n-th byte.
func beginsWith(pieces []tokenizer.Piece, tokens []int32, n int) bool {
	if len(pieces) < len(tokens) {
		return false
	}
	for i, id := range tokens {
		if pieces[i].ID != id {
			return false
		}
	}
	return len(pieces) == len(tokens) || pieces[len(tokens)].Start == n
}
