package openai

import "encoding/json"

// ChatCompletion is the answer to a chat request that does not stream.
type ChatCompletion struct {
	ID                string       `json:"id"`
	Choices           []ChatChoice `json:"choices"`
	Created           int64        `json:"created"` // Unix seconds
	Model             string       `json:"model"`
	ServiceTier       string       `json:"service_tier"`
	SystemFingerprint string       `json:"system_fingerprint,omitempty"`
	Object            string       `json:"object"` // chat.completion
	Usage             Usage        `json:"usage"`

	// Relayed is what another server wrote, in our shape. Where it is set it is
	// what Encode writes.
	Relayed json.RawMessage `json:"-"`
}

// ChatChoice is one of the answers asked for.
type ChatChoice struct {
	FinishReason string           `json:"finish_reason"`
	Index        int              `json:"index"`
	Message      AssistantMessage `json:"message"`
	LogProbs     *ChatLogProbs    `json:"logprobs"`
}

// AssistantMessage is what the model said.
type AssistantMessage struct {
	Content     *string    `json:"content"`
	Refusal     *string    `json:"refusal"`
	Annotations []struct{} `json:"annotations"` // of web searches: always empty
	Role        string     `json:"role"`        // assistant

	ToolCalls    []CalledTool    `json:"tool_calls,omitempty"`
	FunctionCall *CalledFunction `json:"function_call,omitempty"` // asked for with functions

	// ReasoningContent is what the model thought before it answered. OpenAI's
	// models keep that to themselves; DeepSeek's API and vLLM's have the name.
	ReasoningContent string `json:"reasoning_content,omitempty"`
}

// CalledTool is a call in an assistant's message.
type CalledTool struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"` // function or custom
	Function *CalledFunction `json:"function,omitempty"`
	Custom   *CalledCustom   `json:"custom,omitempty"`
}

// CalledFunction is the function of a call.
type CalledFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON, unless the model broke off
}

// CalledCustom is the custom tool of a call.
type CalledCustom struct {
	Name  string `json:"name"`
	Input string `json:"input"`
}

// ChatLogProbs are the tokens of an answer with their log-probabilities.
type ChatLogProbs struct {
	Content []TokenLogProb `json:"content"`
	Refusal []TokenLogProb `json:"refusal"`
}

// TokenLogProb is one token and the likeliest in its place.
type TokenLogProb struct {
	Token       string       `json:"token"`
	LogProb     float64      `json:"logprob"`
	Bytes       TokenBytes   `json:"bytes"`
	TopLogProbs []TopLogProb `json:"top_logprobs"`
}

// TopLogProb is a token that could have stood in a place.
type TopLogProb struct {
	Token   string     `json:"token"`
	LogProb float64    `json:"logprob"`
	Bytes   TokenBytes `json:"bytes"`
}

// TokenBytes is a token's text as an array of numbers: tokens may end inside a
// character, where a string cannot say what they are.
type TokenBytes []byte

// MarshalJSON writes an array of integers, where []byte alone would be base64.
func (b TokenBytes) MarshalJSON() ([]byte, error) {
	numbers := make([]uint16, len(b))
	for i, c := range b {
		numbers[i] = uint16(c)
	}
	return json.Marshal(numbers)
}

// ChatCompletionChunk is one event of a streamed answer.
type ChatCompletionChunk struct {
	ID                string        `json:"id"`
	Choices           []ChunkChoice `json:"choices"`
	Created           int64         `json:"created"`
	Model             string        `json:"model"`
	ServiceTier       string        `json:"service_tier"`
	SystemFingerprint string        `json:"system_fingerprint,omitempty"`
	Object            string        `json:"object"` // chat.completion.chunk
	Usage             ChunkUsage    `json:"usage,omitzero"`

	// Relayed is what another server wrote, in our shape. Where it is set it is
	// what Encode writes.
	Relayed json.RawMessage `json:"-"`
}

// ChunkChoice is what one event adds to one choice.
type ChunkChoice struct {
	Delta        ChatDelta     `json:"delta"`
	LogProbs     *ChatLogProbs `json:"logprobs"`
	FinishReason *string       `json:"finish_reason"`
	Index        int           `json:"index"`
}

// ChatDelta is an addition to a message. Its zero value adds nothing; the
// first delta of a choice has a Role.
type ChatDelta struct {
	Content      *string
	Role         string
	Reasoning    string
	ToolCalls    []ToolCallDelta
	FunctionCall *FunctionDelta
}

// ToolCallDelta is a piece of a call. The first piece has its ID, type and name.
type ToolCallDelta struct {
	Index    int            `json:"index"`
	ID       string         `json:"id,omitempty"`
	Type     string         `json:"type,omitempty"`
	Function *FunctionDelta `json:"function,omitempty"`
	Custom   *CustomDelta   `json:"custom,omitempty"`
}

// FunctionDelta is a piece of a function's call.
type FunctionDelta struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// CustomDelta is a piece of a custom tool's call.
type CustomDelta struct {
	Name  string `json:"name,omitempty"`
	Input string `json:"input"`
}

// MarshalJSON writes only what the delta adds; the first one shows the shape of
// the whole message, refusal included.
func (d ChatDelta) MarshalJSON() ([]byte, error) {
	if d.Role != "" {
		return json.Marshal(struct {
			Content *string `json:"content"`
			Refusal *string `json:"refusal"`
			Role    string  `json:"role"`
		}{d.Content, nil, d.Role})
	}
	return json.Marshal(struct {
		Content      *string         `json:"content,omitempty"`
		Reasoning    string          `json:"reasoning_content,omitempty"`
		ToolCalls    []ToolCallDelta `json:"tool_calls,omitempty"`
		FunctionCall *FunctionDelta  `json:"function_call,omitempty"`
	}{d.Content, d.Reasoning, d.ToolCalls, d.FunctionCall})
}

// ChunkUsage is a chunk's usage, which has three states: absent, when nobody
// asked for it; null, on the chunks before the last; and counted.
type ChunkUsage struct {
	Asked  bool
	Counts *Usage
}

// IsZero reports whether the key is absent.
func (u ChunkUsage) IsZero() bool { return !u.Asked }

// MarshalJSON writes the counts or null.
func (u ChunkUsage) MarshalJSON() ([]byte, error) { return json.Marshal(u.Counts) }

// Usage counts the tokens of a request.
type Usage struct {
	CompletionTokens        int                    `json:"completion_tokens"`
	PromptTokens            int                    `json:"prompt_tokens"`
	TotalTokens             int                    `json:"total_tokens"`
	CompletionTokensDetails CompletionTokenDetails `json:"completion_tokens_details"`
	PromptTokensDetails     PromptTokenDetails     `json:"prompt_tokens_details"`
}

// CompletionTokenDetails breaks down the tokens of a completion. Models of
// this version neither reason in hidden tokens nor speak.
type CompletionTokenDetails struct {
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens"`
	AudioTokens              int `json:"audio_tokens"`
	ReasoningTokens          int `json:"reasoning_tokens"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens"`
}

// PromptTokenDetails breaks down the tokens of a prompt.
type PromptTokenDetails struct {
	AudioTokens  int `json:"audio_tokens"`
	CachedTokens int `json:"cached_tokens"`
}
