package openai

import (
	"strings"
	"testing"
)

// BenchmarkRelay is what this package does for one request of 1 kB that an
// upstream answers: decode it, write it again, read the answer, write that.
func BenchmarkRelay(b *testing.B) {
	request := []byte(`{"model":"gpt-4o-mini","temperature":0.7,"max_tokens":100,"messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"` + strings.Repeat("All work and no play. ", 40) + `"}]}`)
	answer := []byte(`{"id":"chatcmpl-x","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"` + strings.Repeat("Makes Jack a dull boy. ", 20) + `","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":100,"total_tokens":300,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}`)
	identity := Identity{ID: "chatcmpl-y", Object: "chat.completion", Created: 1, Model: "gpt-4o-mini"}
	b.ReportAllocs()
	for b.Loop() {
		var r ChatCompletionRequest
		if err := r.UnmarshalJSON(request); err != nil {
			b.Fatal(err)
		}
		r.Body.With(Member{"model", Text("gpt-4o-mini")}, Member{"store", nil}, Member{"metadata", nil})
		a, err := ReadForeign(answer)
		if err != nil {
			b.Fatal(err)
		}
		a.Whole(identity, Usage{PromptTokens: 200, CompletionTokens: 100, TotalTokens: 300})
	}
}

// BenchmarkRelayChunk is what it does for an event of a stream.
func BenchmarkRelayChunk(b *testing.B) {
	event := []byte(`{"id":"chatcmpl-x","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"abcdef"}`)
	identity := Identity{ID: "chatcmpl-y", Object: "chat.completion.chunk", Created: 1, Model: "gpt-4o-mini"}
	b.ReportAllocs()
	for b.Loop() {
		a, err := ReadForeign(event)
		if err != nil {
			b.Fatal(err)
		}
		a.Chunk(identity, false)
	}
}
