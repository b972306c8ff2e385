package llm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/ragstone/ragstone/internal/openai"
)

// wireRequest is the body of POST /chat/completions and of POST /completions.
// The last three fields are known to vLLM and llama-server, not to OpenAI,
// which refuses them.
type wireRequest struct {
	Model               string             `json:"model"`
	Messages            []wireMessage      `json:"messages,omitempty"`
	Prompt              string             `json:"prompt,omitempty"`
	MaxTokens           *int               `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int               `json:"max_completion_tokens,omitempty"`
	N                   int                `json:"n,omitempty"`
	Temperature         *float64           `json:"temperature,omitempty"`
	TopP                *float64           `json:"top_p,omitempty"`
	PresencePenalty     float64            `json:"presence_penalty,omitempty"`
	FrequencyPenalty    float64            `json:"frequency_penalty,omitempty"`
	LogitBias           map[string]float64 `json:"logit_bias,omitempty"`
	Seed                *int64             `json:"seed,omitempty"`
	Stop                []string           `json:"stop,omitempty"`
	LogProbs            json.RawMessage    `json:"logprobs,omitempty"` // chat: true; completions: a number
	TopLogProbs         int                `json:"top_logprobs,omitempty"`
	Echo                bool               `json:"echo,omitempty"`
	Suffix              string             `json:"suffix,omitempty"`
	Prediction          *wirePrediction    `json:"prediction,omitempty"`
	ResponseFormat      json.RawMessage    `json:"response_format,omitempty"`
	Tools               []json.RawMessage  `json:"tools,omitempty"`
	ToolChoice          any                `json:"tool_choice,omitempty"`
	ParallelToolCalls   *bool              `json:"parallel_tool_calls,omitempty"`
	Stream              bool               `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	TopK              int     `json:"top_k,omitempty"`
	MinP              float64 `json:"min_p,omitempty"`
	RepetitionPenalty float64 `json:"repetition_penalty,omitempty"`
}

// wirePrediction is Request.Expected, for chat completions.
type wirePrediction struct {
	Type    string `json:"type"`
	Content string `json:"content"`
}

// wireChunk is one event of either stream.
type wireChunk struct {
	Choices []struct {
		Index int    `json:"index"`
		Text  string `json:"text"` // completions
		Delta struct {
			Content   string         `json:"content"`
			Refusal   string         `json:"refusal"`
			Reasoning string         `json:"reasoning_content"` // vLLM's and DeepSeek's name for it
			ToolCalls []wireToolCall `json:"tool_calls"`
		} `json:"delta"` // chat
		LogProbs     *wireLogProbs `json:"logprobs"`
		FinishReason string        `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens        int `json:"prompt_tokens"`
		CompletionTokens    int `json:"completion_tokens"`
		PromptTokensDetails struct {
			CachedTokens int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	} `json:"usage"`
	Error *wireError `json:"error"`
}

// Generate implements Generator with chat completions for Messages and
// completions for a Prompt. Tokens, EndTokens and IgnoreEnd are refused: they
// are in terms of a vocabulary that is not known. What the server thinks
// before it answers is Reasoning where it tells. The Usage is missing if the
// server does not tell it.
func (u *Upstream) Generate(ctx context.Context, req Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		if err := u.generate(ctx, &req, func(d Delta) bool { return yield(d, nil) }); err != nil {
			yield(Delta{}, u.hideKey(err))
		}
	}
}

// generate returns nil also when yield has returned false.
func (u *Upstream) generate(ctx context.Context, req *Request, yield func(Delta) bool) error {
	if err := req.validate(); err != nil {
		return err
	}
	for _, tokens := range []struct {
		field string
		given bool
	}{{"Tokens", len(req.Tokens) > 0}, {"EndTokens", len(req.EndTokens) > 0}, {"IgnoreEnd", req.IgnoreEnd}} {
		if tokens.given {
			return &InvalidError{tokens.field, "an upstream's tokens are not known"}
		}
	}
	if c := req.Constraint; c != nil && (c.format == nil || len(req.Messages) == 0) {
		return &InvalidError{"Constraint", "an upstream can be held to JSON only, and only where it answers Messages"}
	}
	if req.BestOf > max(1, req.N) {
		return &InvalidError{"BestOf", "an upstream's choices cannot be held back and compared"}
	}
	body, err := u.postGenerate(ctx, u.wireRequest(req), req)
	if err != nil {
		return err
	}
	defer body.Close()
	stream := &wireStream{unfinished: max(1, req.N)}
	for data, err := range events(body) {
		if err != nil {
			return fmt.Errorf("read the upstream's stream: %w", err)
		}
		if string(data) == "[DONE]" {
			break
		}
		deltas, err := stream.read(data)
		if err != nil {
			return err
		}
		for _, d := range deltas {
			if !yield(d) {
				return nil
			}
		}
	}
	if stream.unfinished > 0 {
		return errors.New("the upstream's stream broke off before the answer was complete")
	}
	return nil
}

// postGenerate sends a request. Some models want the cap under its newer name,
// and say so.
func (u *Upstream) postGenerate(ctx context.Context, w *wireRequest, req *Request) (io.ReadCloser, error) {
	if len(req.Messages) == 0 {
		return u.post(ctx, "/completions", w)
	}
	body, err := u.post(ctx, "/chat/completions", w)
	refusal, ok := errors.AsType[*UpstreamError](err)
	if ok && refusal.Code == "unsupported_parameter" && refusal.Param == "max_tokens" {
		w.MaxTokens, w.MaxCompletionTokens = nil, w.MaxTokens
		return u.post(ctx, "/chat/completions", w)
	}
	return body, err
}

func (u *Upstream) wireRequest(req *Request) *wireRequest {
	w := &wireRequest{
		Model:             u.Model,
		Prompt:            req.Prompt,
		N:                 req.N,
		Temperature:       req.Temperature,
		TopP:              req.TopP,
		PresencePenalty:   req.PresencePenalty,
		FrequencyPenalty:  req.FrequencyPenalty,
		Seed:              req.Seed,
		Stop:              req.Stop,
		Echo:              req.Echo,
		Suffix:            req.Suffix,
		Stream:            true,
		TopK:              req.TopK,
		MinP:              req.MinP,
		RepetitionPenalty: req.RepetitionPenalty,
	}
	w.StreamOptions.IncludeUsage = true
	for _, m := range req.Messages {
		w.Messages = append(w.Messages, newWireMessage(m))
	}
	w.setTools(req)
	if req.MaxTokens != 0 {
		w.MaxTokens = new(max(0, req.MaxTokens)) // NoTokens is 0 there
	}
	if len(req.LogitBias) > 0 {
		w.LogitBias = map[string]float64{}
		for id, bias := range req.LogitBias {
			w.LogitBias[strconv.Itoa(int(id))] = bias
		}
	}
	if req.Constraint != nil {
		w.ResponseFormat = req.Constraint.format
	}
	if req.Expected != "" && len(req.Messages) > 0 {
		w.Prediction = &wirePrediction{"content", req.Expected}
	}
	switch {
	case req.LogProbs && len(req.Messages) > 0:
		w.LogProbs, w.TopLogProbs = json.RawMessage("true"), req.TopLogProbs
	case req.LogProbs:
		w.LogProbs = json.RawMessage(strconv.Itoa(req.TopLogProbs))
	}
	return w
}

// wireStream turns chunks into deltas.
type wireStream struct {
	unfinished int // choices whose finish reason has not come
}

func (s *wireStream) read(data []byte) ([]Delta, error) {
	var chunk wireChunk
	if err := json.Unmarshal(data, &chunk); err != nil {
		return nil, fmt.Errorf("the upstream's stream is broken: %w", err)
	}
	if chunk.Error != nil {
		return nil, chunk.Error.asError(0)
	}
	var deltas []Delta
	for _, c := range chunk.Choices {
		if c.Index < 0 || c.Index >= maxChoices {
			return nil, fmt.Errorf("the upstream's stream is broken: it has a choice %d", c.Index)
		}
		d := Delta{
			Index:        c.Index,
			Text:         cmp.Or(c.Delta.Content, c.Delta.Refusal, c.Text),
			Reasoning:    c.Delta.Reasoning,
			Tokens:       c.LogProbs.tokens(),
			FinishReason: c.FinishReason,
		}
		for _, call := range c.Delta.ToolCalls {
			if call.Index < 0 || call.Index >= maxChoices {
				return nil, fmt.Errorf("the upstream's stream is broken: it has a tool call %d", call.Index)
			}
			d.Calls = append(d.Calls, CallDelta{Index: call.Index, ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments})
		}
		if d.FinishReason != "" {
			s.unfinished--
		}
		if d.Text != "" || d.Reasoning != "" || d.FinishReason != "" || len(d.Calls)+len(d.Tokens) > 0 {
			deltas = append(deltas, d)
		}
	}
	if chunk.Usage != nil && s.unfinished <= 0 {
		usage := Usage{
			PromptTokens:     chunk.Usage.PromptTokens,
			CachedTokens:     chunk.Usage.PromptTokensDetails.CachedTokens,
			CompletionTokens: chunk.Usage.CompletionTokens,
		}
		deltas = append(deltas, Delta{Usage: &usage})
	}
	return deltas, nil
}

// events are the data of a stream of server-sent events.
func events(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		reader := openai.NewEventReader(io.LimitReader(r, maxStreamBytes), maxEventBytes)
		for {
			data, err := reader.Next()
			if err == io.EOF || !yield(data, err) || err != nil {
				return
			}
		}
	}
}
