package llm_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/ragstone/ragstone/llm"
)

// A conversation, streamed.
func ExampleLocal_Generate() {
	ctx := context.Background()
	model, err := llm.OpenLocal(ctx, "SmolLM2-135M-Instruct.Q4_1.gguf", llm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	for piece, err := range model.Generate(ctx, llm.Request{
		Messages:    []llm.Message{{Role: "user", Content: "Name a fruit."}},
		Temperature: new(0.0), // always the likeliest token
		MaxTokens:   20,
	}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(piece.Text)
	}
}

// Which of two answers does the model find likelier?
func ExampleLocal_Score() {
	ctx := context.Background()
	model, err := llm.OpenLocal(ctx, "SmolLM2-135M-Instruct.Q4_1.gguf", llm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	answers := []string{" seven days.", " purple banana."}
	req := llm.ScoreRequest{}
	for _, a := range answers {
		req.Items = append(req.Items, llm.ScoreItem{Prompt: "A week has", Continuation: a})
	}
	scored, err := model.Score(ctx, req)
	if err != nil {
		log.Fatal(err)
	}
	sum := func(s llm.Scored) (total float64) {
		for _, token := range s.Tokens {
			total += token.LogProb
		}
		return total
	}
	fmt.Println(sum(scored[0]) > sum(scored[1]))
}

// The vectors of texts on the same matter lie close to one another.
func ExampleLocalEmbedder() {
	ctx := context.Background()
	model, err := llm.OpenEmbedder(ctx, "all-minilm-l6-v2", llm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	v, err := model.EmbedLong(ctx, []string{"How long do cats sleep?", "Cats sleep most of the day.", "Copper fell."})
	if err != nil {
		log.Fatal(err)
	}
	cosine := func(a, b []float32) (dot float32) { // the vectors have length 1
		for i := range a {
			dot += a[i] * b[i]
		}
		return dot
	}
	fmt.Println(cosine(v[0], v[1]) > cosine(v[0], v[2]))
}

// The same loop speaks to any server with OpenAI's API.
func ExampleUpstream() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"choices":[{"index":0,"delta":{"content":"A banana."},"finish_reason":"stop"}]}`, "\n\n")
		fmt.Fprint(w, "data: [DONE]\n\n")
	}))
	defer server.Close()

	var model llm.Generator = &llm.Upstream{URL: server.URL + "/v1", Model: "any"}
	choices, _, err := llm.Collect(model.Generate(context.Background(), llm.Request{
		Messages: []llm.Message{{Role: "user", Content: "Name a fruit."}},
	}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(choices[0].Text, choices[0].FinishReason)
	// Output: A banana. stop
}
