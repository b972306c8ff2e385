// Command ask is the smallest program that answers from a folder with
// Ragstone's packages: it indexes the folder named first, asks the question
// named second, and prints the answer with its citations.
//
//	go run ./examples/ask ./docs "How many parameters does the default model have?"
//
// It expects the two default models in Ragstone's store; `ragstone pull
// smollm2-135m-instruct all-minilm-l6-v2` puts them there.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/ragstone/ragstone/llm"
	"github.com/ragstone/ragstone/rag"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: ask FOLDER QUESTION")
	}
	if err := ask(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func ask(ctx context.Context, folder, question string) error {
	models := os.Getenv("RAGSTONE_MODELS")
	if models == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		models = filepath.Join(home, ".local", "share", "ragstone", "models")
	}

	// Two models: one compares meanings, one judges answers.
	embedder, err := llm.OpenEmbedder(ctx, filepath.Join(models, "all-minilm-l6-v2"), llm.Options{})
	if err != nil {
		return err
	}
	defer embedder.Close()
	model, err := llm.OpenLocal(ctx, filepath.Join(models, "smollm2-135m-instruct"), llm.Options{})
	if err != nil {
		return err
	}
	defer model.Close()

	// A corpus keeps its index in a folder of yours, away from the documents.
	index, err := os.MkdirTemp("", "ask-index-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(index)
	embedding, err := rag.NewEmbedding("all-minilm-l6-v2", embedder)
	if err != nil {
		return err
	}
	corpus, err := rag.OpenCorpus(index, rag.CorpusOptions{Embedding: embedding})
	if err != nil {
		return err
	}
	defer corpus.Close()
	if _, err := corpus.Sync(ctx, []string{folder}, rag.SyncOptions{}); err != nil {
		return err
	}

	answerer := &rag.Extract{Scorer: model, Embedder: embedder, Model: "smollm2-135m-instruct"}
	reply, err := rag.Ask(ctx, corpus, answerer, question, nil)
	if err != nil {
		return err
	}
	if !reply.Answer.Answered {
		fmt.Println("The documents do not answer this.")
	}
	fmt.Println(reply.Answer.Text)
	for _, c := range reply.Answer.Citations {
		fmt.Printf("[%d] %s “%s”\n", c.N, c.Place.In(c.Path), c.Quote)
	}
	return nil
}
