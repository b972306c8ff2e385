package inference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/openai"
)

// The most choices a request may ask for, and a bound of what any context
// holds.
const (
	maxChoices = 128
	maxTokens  = 1 << 31
)

// validateChat checks all that can be said of a chat request without knowing
// its model.
func validateChat(r *openai.ChatCompletionRequest) error {
	return first(
		modelGiven(r.Model),
		messagesAllowed(r),
		decimalWithin("temperature", r.Temperature, 0, 2),
		decimalWithin("top_p", r.TopP, 0, 1),
		decimalWithin("frequency_penalty", r.FrequencyPenalty, -2, 2),
		decimalWithin("presence_penalty", r.PresencePenalty, -2, 2),
		integerWithin("n", r.N, 1, maxChoices),
		integerWithin("top_logprobs", r.TopLogProbs, 0, 20),
		integerWithin("max_completion_tokens", r.MaxCompletionTokens, 1, maxTokens),
		integerWithin("max_tokens", r.MaxTokens, 1, maxTokens),
		oneTokenCap(r),
		stopsAllowed(r.Stop),
		needs("top_logprobs", r.TopLogProbs != nil, "logprobs", r.LogProbs != nil && *r.LogProbs),
		needs("stream_options", r.StreamOptions != nil, "stream", r.Stream),
		oneOf("service_tier", r.ServiceTier, "auto", "default", "flex", "scale", "priority"),
		identifierAllowed(r.SafetyIdentifier),
		metadataAllowed(r),
		toolsAllowed(r),
		formatAllowed(r),
	)
}

func oneTokenCap(r *openai.ChatCompletionRequest) error {
	if r.MaxTokens != nil && r.MaxCompletionTokens != nil {
		return openai.Refuse("max_tokens", "invalid_parameter_combination", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	}
	return nil
}

func identifierAllowed(id *string) error {
	const most = 64
	if id == nil || len([]rune(*id)) <= most {
		return nil
	}
	return openai.Refuse("safety_identifier", openai.CodeStringTooLong, "Invalid 'safety_identifier': string too long. Expected a string with maximum length %d, but got a string with length %d instead.", most, len([]rune(*id)))
}

func metadataAllowed(r *openai.ChatCompletionRequest) error {
	if len(r.Metadata) > 0 && (r.Store == nil || !*r.Store) {
		return openai.Refuse("metadata", openai.CodeInvalidValue, "The 'metadata' parameter is only allowed when 'store' is enabled.")
	}
	return nil
}

// chatUnserved refuses what no local model does.
func chatUnserved(r *openai.ChatCompletionRequest) error {
	for _, param := range r.Unserved {
		return openai.Unsupported(param)
	}
	for _, m := range r.Modalities {
		if m != "text" {
			return openai.Refuse("modalities", openai.CodeUnsupportedValue, "Unsupported value: 'modalities' holds '%s', and this server answers in text.", m)
		}
	}
	for i, m := range r.Messages {
		path := fmt.Sprintf("messages[%d]", i)
		if m.HasAudio {
			return openai.Unsupported(path + ".audio")
		}
		if m.UnservedContent != "" {
			return openai.Refuse(m.UnservedContent, openai.CodeUnsupported, "Unsupported content: '%s' is not text, and the model reads text only.", m.UnservedContent)
		}
	}
	for i, t := range r.Tools {
		if t.Format != nil && t.Format.Syntax != "regex" {
			return openai.Refuse(fmt.Sprintf("tools[%d].custom.format.grammar.syntax", i), openai.CodeUnsupportedValue, "Unsupported value: the syntax '%s' is not supported by this model. Supported values are: 'regex'.", t.Format.Syntax)
		}
	}
	return oneOf("service_tier", r.ServiceTier, "auto", "default")
}

// formatAllowed checks the response format. The API wants the word JSON in the
// conversation, lest a model that was not told writes white space for ever.
func formatAllowed(r *openai.ChatCompletionRequest) error {
	f := r.ResponseFormat
	if f == nil {
		return nil
	}
	if err := oneOf("response_format.type", &f.Type, "json_object", "json_schema", "text"); err != nil {
		return err
	}
	mentioned := func(m openai.ChatMessage) bool {
		return strings.Contains(strings.ToLower(m.Content.Text()), "json")
	}
	if f.Type == "json_object" && !slices.ContainsFunc(r.Messages, mentioned) {
		return openai.Refuse("messages", openai.CodeInvalidValue, "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")
	}
	return nil
}

// roles are those the API knows.
var roles = []string{"system", "assistant", "user", "function", "tool", "developer"}

func messagesAllowed(r *openai.ChatCompletionRequest) error {
	if !r.HasMessages {
		return openai.Missing("messages")
	}
	if err := notEmpty("messages", len(r.Messages)); err != nil {
		return err
	}
	for i := range r.Messages {
		if err := messageAllowed(&r.Messages[i], fmt.Sprintf("messages[%d]", i)); err != nil {
			return err
		}
	}
	return callsAnswered(r.Messages)
}

func messageAllowed(m *openai.ChatMessage, path string) error {
	if err := oneOf(path+".role", &m.Role, roles...); err != nil {
		return err
	}
	calls := m.Role == "assistant" && len(m.ToolCalls) > 0
	switch {
	case m.Role == "tool" && m.ToolCallID == nil:
		return openai.Missing(path + ".tool_call_id")
	case m.Role != "tool" && m.ToolCallID != nil:
		return openai.Refuse(path+".tool_call_id", openai.CodeInvalidValue, "Invalid '%s.tool_call_id': only a message with role 'tool' answers a call.", path)
	case m.Role == "function" && m.Name == nil:
		return openai.Missing(path + ".name")
	case m.Role != "assistant" && len(m.ToolCalls) > 0:
		return openai.Refuse(path+".tool_calls", openai.CodeInvalidValue, "Invalid '%s.tool_calls': only a message with role 'assistant' has calls.", path)
	case (calls || m.HasAudio) && (m.Content.Null || !m.Content.Given):
		return nil
	case m.Content.Null:
		return openai.Refuse(path+".content", openai.CodeInvalidType, "Invalid type for '%s.content': expected one of an array of objects or string, but got null instead.", path)
	case !m.Content.Given:
		return openai.Missing(path + ".content")
	}
	return notEmpty(path+".content", len(m.Content.Parts)+len(m.Media))
}

// validateCompletion checks all that can be said of a completion request
// without knowing its model.
func validateCompletion(r *openai.CompletionRequest) error {
	err := first(
		modelGiven(r.Model),
		arrayAtMost("prompt", r.Prompt.Len(), maxPrompts),
		integerWithin("best_of", r.BestOf, 1, 20),
		decimalWithin("frequency_penalty", r.FrequencyPenalty, -2, 2),
		integerWithin("logprobs", r.LogProbs, 0, 5),
		integerWithin("max_tokens", r.MaxTokens, 0, maxTokens),
		integerWithin("n", r.N, 1, maxChoices),
		decimalWithin("presence_penalty", r.PresencePenalty, -2, 2),
		stopsAllowed(r.Stop),
		needs("stream_options", r.StreamOptions != nil, "stream", r.Stream),
		decimalWithin("temperature", r.Temperature, 0, 2),
		decimalWithin("top_p", r.TopP, 0, 1),
	)
	switch {
	case err != nil:
		return err
	case !r.HasPrompt:
		return openai.Missing("prompt")
	case slices.Contains(r.Prompt.Texts, ""):
		return openai.Refuse("prompt", openai.CodeInvalidValue, "Invalid 'prompt': empty string. Expected a text to go on with.")
	case r.Suffix != nil && *r.Suffix != "" && r.Echo:
		return openai.Refuse("suffix", openai.CodeInvalidValue, "Invalid 'suffix': a prompt with a suffix cannot be echoed.")
	case r.BestOf != nil && *r.BestOf < valueOr(r.N, 1):
		return openai.Refuse("best_of", openai.CodeInvalidValue, "Invalid 'best_of': it is %d. Expected at least 'n', which is %d.", *r.BestOf, valueOr(r.N, 1))
	case r.BestOf != nil && *r.BestOf > valueOr(r.N, 1) && r.Stream:
		return openai.Refuse("best_of", openai.CodeInvalidValue, "Invalid 'best_of': what is best shows at the end, so it cannot be streamed.")
	case r.MaxTokens != nil && *r.MaxTokens == 0 && !r.Echo:
		return openai.Refuse("max_tokens", openai.CodeIntegerBelowMin, "Invalid 'max_tokens': 0 asks for nothing unless 'echo' is set. Expected a value >= 1.")
	}
	return nil
}

// validateEmbedding checks all that can be said of an embeddings request
// without knowing its model.
func validateEmbedding(r *openai.EmbeddingRequest) error {
	if err := modelGiven(r.Model); err != nil {
		return err
	}
	if !r.HasInput {
		return openai.Missing("input")
	}
	for i, text := range r.Input.Texts {
		if text == "" {
			return openai.Refuse("input", openai.CodeInvalidValue, "Invalid 'input': text %d is an empty string. Expected a text to embed.", i)
		}
	}
	return first(
		arrayAtMost("input", r.Input.Len(), maxInputs),
		oneOf("encoding_format", r.EncodingFormat, "float", "base64"),
		integerWithin("dimensions", r.Dimensions, 1, maxTokens),
	)
}
