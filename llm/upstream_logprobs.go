package llm

import (
	"cmp"
	"math"
	"slices"
)

// wireLogProbs is the log-probabilities of a chunk: Content in chats, the
// other fields, position by position, in completions.
type wireLogProbs struct {
	Content []struct {
		wireToken
		TopLogProbs []wireToken `json:"top_logprobs"`
	} `json:"content"`

	Tokens        []string             `json:"tokens"`
	TokenLogProbs []*float64           `json:"token_logprobs"`
	TopLogProbs   []map[string]float64 `json:"top_logprobs"`
}

type wireToken struct {
	Token   string  `json:"token"`
	LogProb float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"` // null where the token is no text
}

func (t wireToken) token() TokenLogProb {
	text := []byte(t.Token)
	if t.Bytes != nil {
		text = make([]byte, len(t.Bytes))
		for i, b := range t.Bytes {
			text[i] = byte(b)
		}
	}
	return TokenLogProb{ID: -1, Bytes: text, LogProb: t.LogProb}
}

// tokens returns what the chunk tells of its tokens; nil tells nothing.
func (w *wireLogProbs) tokens() []TokenLogProb {
	if w == nil {
		return nil
	}
	var tokens []TokenLogProb
	for _, c := range w.Content {
		t := c.token()
		for _, other := range c.TopLogProbs {
			t.Top = append(t.Top, other.token())
		}
		tokens = append(tokens, t)
	}
	for i, text := range w.Tokens {
		t := TokenLogProb{ID: -1, Bytes: []byte(text), LogProb: math.NaN()}
		if i < len(w.TokenLogProbs) && w.TokenLogProbs[i] != nil {
			t.LogProb = *w.TokenLogProbs[i]
		}
		if i < len(w.TopLogProbs) {
			t.Top = likeliestFirst(w.TopLogProbs[i])
		}
		tokens = append(tokens, t)
	}
	return tokens
}

func likeliestFirst(logProbs map[string]float64) []TokenLogProb {
	var tokens []TokenLogProb
	for text, logProb := range logProbs {
		tokens = append(tokens, TokenLogProb{ID: -1, Bytes: []byte(text), LogProb: logProb})
	}
	slices.SortFunc(tokens, func(a, b TokenLogProb) int {
		return cmp.Or(cmp.Compare(b.LogProb, a.LogProb), slices.Compare(a.Bytes, b.Bytes))
	})
	return tokens
}
