package cli

import (
	"errors"
	"testing"

	"github.com/ragstone/ragstone/internal/catalog"
	"github.com/ragstone/ragstone/internal/testenv"
	"github.com/ragstone/ragstone/llm"
)

func TestBothModelsShareTheMemoryLimit(t *testing.T) {
	embedding, chat := testenv.Model(t, catalog.DefaultEmbed), testenv.Model(t, catalog.DefaultChat)
	a := &app{}
	a.config.MaxMemory = 200_000_000 // room for either, of 90 MB and 152 MB
	embedder, err := llm.OpenEmbedder(t.Context(), embedding, a.modelOptions(embedding))
	if err != nil {
		t.Fatal(err)
	}
	defer embedder.Close()
	flags := modelFlags{model: chat, method: "extract"}
	alone, err := a.openAnswerer(t.Context(), flags, chat, nil)
	if err != nil {
		t.Fatalf("the language model alone: %v", err)
	}
	defer alone.Close()
	both, err := a.openAnswerer(t.Context(), flags, chat, embedder)
	if _, tight := errors.AsType[*llm.MemoryError](err); !tight {
		t.Errorf("both models: got error %v, want a *llm.MemoryError", err)
	}
	if err == nil {
		both.Close()
	}
}
