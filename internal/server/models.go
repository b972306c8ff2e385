package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ragstone/ragstone/internal/catalog"
	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/llm"
)

// models are the local models, and what other names mean.
type models struct {
	list     []inference.Model
	aliases  []inference.Alias
	host     *llm.Host
	observed []observedModel
}

// openModels loads the models the configuration names.
func openModels(ctx context.Context, c config.Config, find func(context.Context, string) (string, error)) (_ *models, err error) {
	m := &models{host: llm.NewHost(llm.HostOptions{MaxMemory: c.MaxMemory, Idle: c.Idle})}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	var writes, embeds string
	if c.EmbeddingModel != "" {
		if embeds, err = m.openEmbedder(ctx, c, find); err != nil {
			return nil, err
		}
	}
	if c.ChatModel != "" {
		if writes, err = m.openGenerator(ctx, c, find); err != nil {
			return nil, err
		}
	}
	m.aliases = withAliases(inference.DefaultAliases(writes, embeds), c.Aliases)
	return m, nil
}

// openGenerator loads the model that writes and returns its name.
func (m *models) openGenerator(ctx context.Context, c config.Config, find func(context.Context, string) (string, error)) (string, error) {
	name := config.LocalName(c.ChatModel)
	path, err := find(ctx, c.ChatModel)
	if err != nil {
		return "", err
	}
	entry, _ := catalog.Find(c.ChatModel)
	local, err := m.host.OpenLocal(ctx, path, llm.Options{Name: name, Threads: c.Threads, CachePrecision: c.CachePrecision, Sampling: llm.Sampling(entry.Sampling)})
	if err != nil {
		return "", fmt.Errorf("open model %s: %w", c.ChatModel, err)
	}
	hash, err := local.Fingerprint()
	if err != nil {
		return "", fmt.Errorf("open model %s: %w", c.ChatModel, err)
	}
	m.observed = append(m.observed, observedModel{name, local.Stats})
	m.list = append(m.list, inference.Model{
		Name:        name,
		Created:     modified(path),
		Fingerprint: fingerprint(hash),
		Generator:   local,
		Vocabulary:  local,
		Context:     local.Info().Context,
	})
	return name, nil
}

// openEmbedder loads the model that embeds and returns its name.
func (m *models) openEmbedder(ctx context.Context, c config.Config, find func(context.Context, string) (string, error)) (string, error) {
	name := config.LocalName(c.EmbeddingModel)
	path, err := find(ctx, c.EmbeddingModel)
	if err != nil {
		return "", err
	}
	local, err := m.host.OpenEmbedder(ctx, path, llm.Options{Name: name, Threads: c.Threads, Precision: c.Precision})
	if err != nil {
		return "", fmt.Errorf("open model %s: %w", c.EmbeddingModel, err)
	}
	m.list = append(m.list, inference.Model{Name: name, Created: modified(path), Embedder: local, Windowed: local})
	return name, nil
}

// fingerprint is the short form of a hash that the API shows.
func fingerprint(hash string) string { return "fp_" + hash[:min(10, len(hash))] }

// modified is when a model came to this machine, as far as its file tells.
func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Unix(0, 0)
	}
	return info.ModTime()
}

// Close unloads the models.
func (m *models) Close() error { return m.host.Close() }
