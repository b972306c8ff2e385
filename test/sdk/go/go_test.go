package sdk

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func client() openai.Client {
	return openai.NewClient(option.WithBaseURL(baseURL), option.WithAPIKey(apiKey))
}

func hello() openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:               openai.ChatModelGPT4oMini,
		Messages:            []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage("Say hello.")},
		Temperature:         openai.Float(0),
		MaxCompletionTokens: openai.Int(12),
	}
}

func TestChat(t *testing.T) {
	c := client()
	answer, err := c.Chat.Completions.New(t.Context(), hello())
	if err != nil {
		t.Fatal(err)
	}
	whole := answer.Choices[0].Message.Content
	if whole == "" || answer.Model != "gpt-4o-mini" || answer.Usage.TotalTokens != answer.Usage.PromptTokens+answer.Usage.CompletionTokens {
		t.Errorf("answer %s", answer.RawJSON())
	}

	params := hello()
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := c.Chat.Completions.NewStreaming(t.Context(), params)
	accumulator, pieces := openai.ChatCompletionAccumulator{}, 0
	for stream.Next() {
		if !accumulator.AddChunk(stream.Current()) {
			t.Errorf("the accumulator refused %s", stream.Current().RawJSON())
		}
		pieces++
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got := accumulator.Choices[0].Message.Content; got != whole || pieces < 4 {
		t.Errorf("streamed %q in %d pieces, whole %q", got, pieces, whole)
	}
	if accumulator.Usage.TotalTokens != answer.Usage.TotalTokens {
		t.Errorf("usage streamed %+v, whole %+v", accumulator.Usage, answer.Usage)
	}
}

func TestChatChoicesAndLogProbs(t *testing.T) {
	c := client()
	params := hello()
	params.N, params.Logprobs, params.TopLogprobs, params.MaxCompletionTokens = openai.Int(2), openai.Bool(true), openai.Int(2), openai.Int(3)
	answer, err := c.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Choices) != 2 {
		t.Fatalf("%d choices, want 2", len(answer.Choices))
	}
	for _, choice := range answer.Choices {
		if len(choice.Logprobs.Content) != 3 || len(choice.Logprobs.Content[0].TopLogprobs) != 2 || choice.FinishReason != "length" {
			t.Errorf("choice %s", choice.RawJSON())
		}
	}
}

func TestCompletion(t *testing.T) {
	c := client()
	answer, err := c.Completions.New(t.Context(), openai.CompletionNewParams{
		Model:     openai.CompletionNewParamsModelGPT3_5TurboInstruct,
		Prompt:    openai.CompletionNewParamsPromptUnion{OfString: openai.String("Once upon a time")},
		MaxTokens: openai.Int(4),
		Echo:      openai.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := answer.Choices[0].Text; !strings.HasPrefix(text, "Once upon a time") || len(text) < 20 {
		t.Errorf("text %q", text)
	}
}

func TestEmbeddings(t *testing.T) {
	c := client()
	answer, err := c.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: openai.EmbeddingModelTextEmbedding3Small,
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{
			"How do I reset my password?", "Choose a new password in the account settings.", "Whisk two eggs into the flour.",
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	v := answer.Data
	if len(v) != 3 || len(v[0].Embedding) != 384 || math.Abs(dot(v[0].Embedding, v[0].Embedding)-1) > 1e-4 {
		t.Fatalf("%d vectors of %d", len(v), len(v[0].Embedding))
	}
	if near, far := dot(v[0].Embedding, v[1].Embedding), dot(v[0].Embedding, v[2].Embedding); near <= far {
		t.Errorf("the passage that answers is at %.3f, another at %.3f", near, far)
	}
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func TestModelsAndErrors(t *testing.T) {
	c := client()
	models, err := c.Models.List(t.Context())
	if err != nil || len(models.Data) != 9 {
		t.Errorf("%d models, %v; want 2 and 7 aliases", len(models.Data), err)
	}
	params := hello()
	params.Model = "no-such-model"
	_, err = c.Chat.Completions.New(t.Context(), params)
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != 404 || refused.Code != "model_not_found" {
		t.Errorf("unknown model: %v", err)
	}
	stranger := openai.NewClient(option.WithBaseURL(baseURL), option.WithAPIKey("sk-proj-wrong"))
	if _, err := stranger.Models.List(t.Context()); !errors.As(err, &refused) || refused.StatusCode != 401 {
		t.Errorf("wrong key: %v", err)
	}
}
