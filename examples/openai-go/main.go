// Command openai-go streams a chat answer and makes an embedding with OpenAI's
// own Go SDK. It reads OPENAI_BASE_URL and OPENAI_API_KEY.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/openai/openai-go/v3"
)

func main() {
	ctx := context.Background()
	client := openai.NewClient()

	stream := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:    "gpt-4o-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Name three birds.")},

		// A small model raves at OpenAI's default of 1.
		Temperature: openai.Float(0),
		MaxTokens:   openai.Int(100),
	})
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			fmt.Print(choice.Delta.Content)
		}
	}
	if err := stream.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println()

	vectors, err := client.Embeddings.New(ctx, openai.EmbeddingNewParams{
		Model: "text-embedding-3-small",
		Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("An owl is a bird.")},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(vectors.Data[0].Embedding), "dimensions")
}
