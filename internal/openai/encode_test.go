package openai

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden answers in testdata")

// TestGoldenAnswers pins the exact bytes of every answer type: which keys are
// there, which are null, and in what order.
func TestGoldenAnswers(t *testing.T) {
	usage := Usage{CompletionTokens: 3, PromptTokens: 1100, TotalTokens: 1103, PromptTokensDetails: PromptTokenDetails{CachedTokens: 1024}}
	logProbs := &ChatLogProbs{Content: []TokenLogProb{{
		Token: "\uFFFD", LogProb: -0.5, Bytes: TokenBytes{0xe2, 0x82},
		TopLogProbs: []TopLogProb{{Token: "<b>", LogProb: -0.25, Bytes: TokenBytes("<b>")}},
	}}}
	tests := []struct {
		name   string
		answer any
	}{
		{"chat_completion", ChatCompletion{
			ID: "chatcmpl-1", Created: 1_700_000_000, Model: "gpt-4o-mini", ServiceTier: "default", SystemFingerprint: "fp_1", Object: "chat.completion", Usage: usage,
			Choices: []ChatChoice{{FinishReason: "stop", Message: AssistantMessage{Content: ptr("Hello"), Annotations: []struct{}{}, Role: "assistant"}, LogProbs: logProbs}},
		}},
		{"chat_chunk_first", ChatCompletionChunk{
			ID: "chatcmpl-1", Created: 1_700_000_000, Model: "gpt-4o-mini", ServiceTier: "default", Object: "chat.completion.chunk",
			Choices: []ChunkChoice{{Delta: ChatDelta{Role: "assistant", Content: ptr("")}}},
		}},
		{"chat_chunk_text", ChatCompletionChunk{
			ID: "chatcmpl-1", Created: 1_700_000_000, Model: "gpt-4o-mini", ServiceTier: "default", Object: "chat.completion.chunk",
			Choices: []ChunkChoice{{Delta: ChatDelta{Content: ptr("Hel")}, Index: 1}}, Usage: ChunkUsage{Asked: true},
		}},
		{"chat_chunk_end", ChatCompletionChunk{
			ID: "chatcmpl-1", Created: 1_700_000_000, Model: "gpt-4o-mini", ServiceTier: "default", Object: "chat.completion.chunk",
			Choices: []ChunkChoice{{FinishReason: ptr("length")}},
		}},
		{"chat_chunk_usage", ChatCompletionChunk{
			ID: "chatcmpl-1", Created: 1_700_000_000, Model: "gpt-4o-mini", ServiceTier: "default", Object: "chat.completion.chunk",
			Choices: []ChunkChoice{}, Usage: ChunkUsage{Asked: true, Counts: &usage},
		}},
		{"completion", Completion{
			ID: "cmpl-1", Created: 1_700_000_000, Model: "gpt-3.5-turbo-instruct", Object: "text_completion", Usage: ChunkUsage{Asked: true, Counts: &usage},
			Choices: []CompletionChoice{{FinishReason: ptr("stop"), Text: "ab", LogProbs: &CompletionLogProbs{
				TextOffset: []int{0, 1}, TokenLogProbs: []*float64{nil, ptr(-0.5)}, Tokens: []string{"a", "b"},
				TopLogProbs: []*TokenOptions{nil, {{"b", -0.5}, {"\uFFFD", -2}, {"\uFFFD", -3}}},
			}}},
		}},
		{"embedding_float", EmbeddingList{Model: "text-embedding-3-small", Object: "list", Usage: EmbeddingUsage{2, 2}, Data: []Embedding{{Object: "embedding", Embedding: Vector{Values: []float32{0.1, -1e-7, 0}}}}}},
		{"embedding_base64", EmbeddingList{Model: "text-embedding-3-small", Object: "list", Usage: EmbeddingUsage{2, 2}, Data: []Embedding{{Object: "embedding", Embedding: Vector{Values: []float32{0.1, -1e-7, 0}, Base64: true}}}}},
		{"model_list", ModelList{Object: "list", Data: []Model{{ID: "m", Created: 1_700_000_000, Object: "model", OwnedBy: "ragstone"}}}},
		{"error", ErrorResponse{Error{Message: "no", Type: TypeInvalidRequest}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got bytes.Buffer
			e := json.NewEncoder(&got)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			if err := e.Encode(test.answer); err != nil {
				t.Fatal(err)
			}
			path := "testdata/" + test.name + ".json"
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}
