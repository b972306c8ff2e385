package sdk

import (
	"encoding/json"
	"errors"
	"strconv"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

// object is the schema of an object that has one property, a truth value.
func object(name string) map[string]any {
	return map[string]any{
		"type": "object", "properties": map[string]any{name: map[string]any{"type": "boolean"}},
		"required": []string{name}, "additionalProperties": false,
	}
}

func TestTools(t *testing.T) {
	c := client()
	params := hello()
	params.MaxCompletionTokens = openai.Int(64)
	params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name: "greet", Strict: openai.Bool(true), Parameters: object("loud"),
	})}
	params.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: "greet"})
	answer, err := c.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	calls := answer.Choices[0].Message.ToolCalls
	var arguments struct{ Loud *bool }
	if len(calls) != 1 || calls[0].Function.Name != "greet" || json.Unmarshal([]byte(calls[0].Function.Arguments), &arguments) != nil || arguments.Loud == nil {
		t.Fatalf("answer %s", answer.RawJSON())
	}
	params.Messages = append(params.Messages, answer.Choices[0].Message.ToParam(), openai.ToolMessage("Hello!", calls[0].ID))
	params.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("none")}
	if answer, err = c.Chat.Completions.New(t.Context(), params); err != nil || answer.Choices[0].Message.Content == "" {
		t.Errorf("after the tool's result: %v", err)
	}
}

func TestStructuredOutput(t *testing.T) {
	c := client()
	params := hello()
	params.MaxCompletionTokens = openai.Int(64)
	params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "verdict", Strict: openai.Bool(true), Schema: object("good")},
	}
	answer, err := c.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	var verdict struct{ Good *bool }
	if err := json.Unmarshal([]byte(answer.Choices[0].Message.Content), &verdict); err != nil || verdict.Good == nil {
		t.Errorf("answer %s: %v", answer.RawJSON(), err)
	}
}

// Who asks more often than allowed is told how long to wait, and the SDK does.
func TestRetries(t *testing.T) {
	c := openai.NewClient(option.WithBaseURL(baseURL), option.WithAPIKey(limitedKey(t)), option.WithMaxRetries(0))
	embed := func(o ...option.RequestOption) error {
		_, err := c.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
			Model: "all-minilm-l6-v2", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("a cat")},
		}, o...)
		return err
	}
	var refused *openai.Error
	for range 100 {
		if err := embed(); err != nil {
			if !errors.As(err, &refused) {
				t.Fatal(err)
			}
			break
		}
	}
	if refused == nil || refused.StatusCode != 429 || refused.Code != "rate_limit_exceeded" {
		t.Fatalf("a hundred requests at 60 a minute: %v", refused)
	}
	if wait, err := strconv.Atoi(refused.Response.Header.Get("retry-after")); err != nil || wait < 1 {
		t.Errorf("retry-after %q, want whole seconds", refused.Response.Header.Get("retry-after"))
	}
	if err := embed(option.WithMaxRetries(4)); err != nil {
		t.Errorf("with retries: %v", err)
	}
}
