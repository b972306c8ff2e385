package openai

import "encoding/json"

// CompletionRequest is the body of POST /completions, the older interface that
// goes on with a text.
type CompletionRequest struct {
	Model            string
	Prompt           TextOrTokens
	HasPrompt        bool
	BestOf           *int64
	Echo             bool
	FrequencyPenalty *float64
	LogitBias        []TokenBias
	LogProbs         *int64
	MaxTokens        *int64
	N                *int64
	PresencePenalty  *float64
	Seed             *int64
	Stop             []string
	Stream           bool
	StreamOptions    *StreamOptions
	Suffix           *string
	Temperature      *float64
	TopP             *float64
	User             *string

	// Body is the whole request, for a model that another server runs.
	Body Body
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *CompletionRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = CompletionRequest{Body: Body{o.value}}
		if model := o.text("model"); model != nil {
			r.Model = *model
		}
		r.Prompt, r.HasPrompt = o.textOrTokens("prompt")
		r.BestOf = o.integer("best_of")
		r.Echo = isSet(o.flag("echo"))
		r.FrequencyPenalty = o.decimal("frequency_penalty")
		r.LogitBias = o.logitBias("logit_bias")
		r.LogProbs = o.integer("logprobs")
		r.MaxTokens = o.integer("max_tokens")
		r.N = o.integer("n")
		r.PresencePenalty = o.decimal("presence_penalty")
		r.Seed = o.integer("seed")
		r.Stop = o.stop("stop")
		r.Stream = isSet(o.flag("stream"))
		r.StreamOptions = o.streamOptions("stream_options")
		r.Suffix = o.text("suffix")
		r.Temperature = o.decimal("temperature")
		r.TopP = o.decimal("top_p")
		r.User = o.text("user")
	})
}

// Completion is the answer to a completion request, and each event of a
// streamed one.
type Completion struct {
	ID                string             `json:"id"`
	Choices           []CompletionChoice `json:"choices"`
	Created           int64              `json:"created"`
	Model             string             `json:"model"`
	SystemFingerprint string             `json:"system_fingerprint,omitempty"`
	Object            string             `json:"object"` // text_completion
	Usage             ChunkUsage         `json:"usage,omitzero"`

	// Relayed is what another server wrote, in our shape. Where it is set it is
	// what Encode writes.
	Relayed json.RawMessage `json:"-"`
}

// CompletionChoice is one continuation, or what an event adds to it.
type CompletionChoice struct {
	FinishReason *string             `json:"finish_reason"` // null until the last event of the choice
	Index        int                 `json:"index"`
	LogProbs     *CompletionLogProbs `json:"logprobs"`
	Text         string              `json:"text"`
}

// CompletionLogProbs are the tokens of a continuation as four lists of one
// length.
type CompletionLogProbs struct {
	TextOffset    []int           `json:"text_offset"` // in characters, from the start of the choice's text
	TokenLogProbs []*float64      `json:"token_logprobs"`
	Tokens        []string        `json:"tokens"`
	TopLogProbs   []*TokenOptions `json:"top_logprobs"`
}

// TokenOptions are the likeliest tokens in one place, best first.
type TokenOptions []TokenOption

// TokenOption is a token and its log-probability.
type TokenOption struct {
	Token   string
	LogProb float64
}

// MarshalJSON writes an object from token to log-probability, in order. Two
// tokens that print alike share a key; the likelier one keeps it.
func (t TokenOptions) MarshalJSON() ([]byte, error) {
	out, seen := []byte{'{'}, map[string]bool{}
	for _, option := range t {
		if seen[option.Token] {
			continue
		}
		seen[option.Token] = true
		key, err := json.Marshal(option.Token)
		if err != nil {
			return nil, err
		}
		probability, err := json.Marshal(option.LogProb)
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, key...), ':'), probability...)
	}
	return append(out, '}'), nil
}
