package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/catalog"
	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/llm"
	"github.com/ragstone/ragstone/rag"
)

// modelFlags say which model answers, and how.
type modelFlags struct {
	model         string
	upstream      string
	upstreamModel string
	method        string
}

func (f *modelFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.model, "model", config.DefaultChatModel, "language `model`: a name from `ragstone models`, a GGUF file, or none")
	c.Flags().StringVar(&f.upstream, "upstream", "", "let the OpenAI-compatible server at this `URL` write the answer (it is sent the passages; key: RAGSTONE_UPSTREAM_KEY)")
	c.Flags().StringVar(&f.upstreamModel, "upstream-model", "", "the upstream's `model`")
	c.Flags().StringVar(&f.method, "answer", "", "extract, write or quote; default is what suits the model, measured once")
	complete(c, "answer", string(rag.MethodExtract), string(rag.MethodWrite), string(rag.MethodQuote))
	complete(c, "model", append(modelNames(catalog.Chat, catalog.Base), "none")...)
}

// validate refuses flags that do not go together, before any work is done.
func (f modelFlags) validate() error {
	switch method := rag.Method(f.method); {
	case method != "" && method != rag.MethodExtract && method != rag.MethodWrite && method != rag.MethodQuote:
		return &exitError{exitUsage, fmt.Errorf("--answer is %q: want extract, write or quote", f.method)}
	case f.upstream == "" && f.model == "none" && (method == rag.MethodExtract || method == rag.MethodWrite):
		return &exitError{exitUsage, fmt.Errorf("--answer %s needs a model, and --model is none", method)}
	case f.upstream == "":
		return nil
	case method == rag.MethodExtract:
		return &exitError{exitUsage, errors.New("an upstream cannot extract: it does not tell how likely given words are; leave --answer out or use write")}
	case method == rag.MethodQuote:
		return &exitError{exitUsage, errors.New("--answer quote asks no model: leave --upstream out")}
	case f.upstreamModel == "":
		return &exitError{exitUsage, errors.New("--upstream needs --upstream-model, a model that server has")}
	}
	if err := (&llm.Upstream{URL: f.upstream, Model: f.upstreamModel}).Validate(); err != nil {
		return &exitError{exitUsage, fmt.Errorf("--upstream: %w", err)}
	}
	return nil
}

// openedAnswerer is an answerer with what it must release.
type openedAnswerer struct {
	rag.Answerer
	close func() error
}

// Close releases the model.
func (o *openedAnswerer) Close() error {
	if o.close == nil {
		return nil
	}
	return o.close()
}

// answererModel finds the local model the flags ask for, or says why there is
// none. It comes before the folder is indexed, which may take minutes.
func (a *app) answererModel(ctx context.Context, flags modelFlags) (path, note string, err error) {
	switch {
	case flags.upstream != "":
		return "", "", nil
	case flags.method == string(rag.MethodQuote) || flags.model == "none":
		return "", "These are quotations: no language model was asked.", nil
	}
	path, err = a.modelPath(ctx, flags.model)
	if err != nil && a.doesWithout(err) {
		return "", "No language model is loaded: these are the passages that fit the question best.", nil
	}
	return path, "", err
}

// openAnswerer opens the answerer: an upstream writes, the local model at path
// does what it was measured to do better, without either there are quotes.
func (a *app) openAnswerer(ctx context.Context, flags modelFlags, path string, embedder *llm.LocalEmbedder) (*openedAnswerer, error) {
	switch {
	case flags.upstream != "":
		upstream := &llm.Upstream{URL: flags.upstream, Key: a.config.UpstreamKey, Model: flags.upstreamModel}
		return &openedAnswerer{Answerer: &rag.Write{Generator: upstream, Model: flags.upstreamModel}}, nil
	case path == "":
		return &openedAnswerer{Answerer: &rag.Quote{Embedder: sentenceEmbedder(embedder)}}, nil
	}
	return a.openLocal(ctx, flags, path, embedder)
}

func (a *app) openLocal(ctx context.Context, flags modelFlags, path string, embedder *llm.LocalEmbedder) (*openedAnswerer, error) {
	options := a.modelOptions(flags.model)
	if embedder != nil && options.MaxMemory > 0 { // the limit is for both models
		options.MaxMemory = max(1, options.MaxMemory-embedder.Info().Bytes)
	}
	local, err := llm.OpenLocal(ctx, path, options)
	if err != nil {
		return nil, err
	}
	method := rag.Method(flags.method)
	if method == "" {
		if method, err = a.measuredMethod(ctx, local); err != nil {
			local.Close()
			return nil, err
		}
	}
	opened := &openedAnswerer{close: local.Close}
	if method == rag.MethodWrite {
		opened.Answerer = &rag.Write{Generator: local, Model: local.Info().Name}
	} else {
		opened.Answerer = &rag.Extract{Scorer: local, Model: local.Info().Name, Embedder: sentenceEmbedder(embedder)}
	}
	return opened, nil
}

// sentenceEmbedder keeps a nil embedder a nil interface.
func sentenceEmbedder(e *llm.LocalEmbedder) rag.Embedder {
	if e == nil {
		return nil
	}
	return e
}
