package llm

import (
	"context"
	"iter"
	"sync"
	"time"
)

// HostedModel is a language model of a Host: a Generator and a Scorer, loaded
// when it is asked for something. Its tokenizer stays in memory.
type HostedModel struct {
	reader
	place *place
}

// OpenLocal loads a model as the function of that name does, into the host.
// Options.MaxMemory bounds this model within the host's ceiling.
func (h *Host) OpenLocal(ctx context.Context, path string, o Options) (*HostedModel, error) {
	m := &HostedModel{}
	var once sync.Once
	var err error
	m.place, err = h.add(ctx, func(ctx context.Context, maxMemory int64) (resident, error) {
		l, err := OpenLocal(ctx, path, o.within(maxMemory))
		if err != nil {
			return nil, err
		}
		once.Do(func() { m.reader = l.reader })
		return l, nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// within returns the options with a tighter bound of memory; zero is none.
func (o Options) within(maxMemory int64) Options {
	if maxMemory > 0 && (o.MaxMemory == 0 || maxMemory < o.MaxMemory) {
		o.MaxMemory = maxMemory
	}
	return o
}

// Generate implements Generator.
func (m *HostedModel) Generate(ctx context.Context, req Request) iter.Seq2[Delta, error] {
	return func(yield func(Delta, error) bool) {
		began, loaded := time.Now(), m.Loaded()
		r, err := m.place.use(ctx)
		if err != nil {
			yield(Delta{}, err)
			return
		}
		defer m.place.leave()
		took := time.Since(began)
		r.(*Local).Generate(ctx, req)(func(d Delta, err error) bool {
			if d.Usage != nil && !loaded {
				d.Usage.Timings.Loading = took
			}
			return yield(d, err)
		})
	}
}

// Score implements Scorer.
func (m *HostedModel) Score(ctx context.Context, req ScoreRequest) ([]Scored, error) {
	r, err := m.place.use(ctx)
	if err != nil {
		return nil, err
	}
	defer m.place.leave()
	return r.(*Local).Score(ctx, req)
}

// Stats returns the model's counts since it was opened. Its levels are zero
// while it is not loaded.
func (m *HostedModel) Stats() Stats { return m.place.stats() }

// Loaded reports whether the model is in memory.
func (m *HostedModel) Loaded() bool { return m.place.loaded() }

// Unload takes the model out of memory unless it is in use, and reports whether
// it did.
func (m *HostedModel) Unload() bool { return m.place.unload(0) }

// HostedEmbedder is an embedding model of a Host, loaded when it is asked for
// vectors. Its tokenizer stays in memory.
type HostedEmbedder struct {
	place *place
	words *LocalEmbedder // as it was opened, without the weights
}

// OpenEmbedder loads an embedding model as the function of that name does, into
// the host.
func (h *Host) OpenEmbedder(ctx context.Context, dir string, o Options) (*HostedEmbedder, error) {
	m := &HostedEmbedder{}
	var once sync.Once
	var err error
	m.place, err = h.add(ctx, func(ctx context.Context, maxMemory int64) (resident, error) {
		e, err := OpenEmbedder(ctx, dir, o.within(maxMemory))
		if err != nil {
			return nil, err
		}
		once.Do(func() { m.words = e.withoutWeights() })
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Embed implements Embedder.
func (m *HostedEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return m.embed(ctx, texts, (*LocalEmbedder).Embed)
}

// EmbedLong is as LocalEmbedder's.
func (m *HostedEmbedder) EmbedLong(ctx context.Context, texts []string) ([][]float32, error) {
	return m.embed(ctx, texts, (*LocalEmbedder).EmbedLong)
}

func (m *HostedEmbedder) embed(ctx context.Context, texts []string, method func(*LocalEmbedder, context.Context, []string) ([][]float32, error)) ([][]float32, error) {
	r, err := m.place.use(ctx)
	if err != nil {
		return nil, err
	}
	defer m.place.leave()
	return method(r.(*LocalEmbedder), ctx, texts)
}

// Info, Dimensions, Window, Count and Identity are as LocalEmbedder's. They do
// not load the model.
func (m *HostedEmbedder) Info() Info { return m.words.Info() }

// Dimensions is the length of the model's vectors.
func (m *HostedEmbedder) Dimensions() int { return m.words.Dimensions() }

// Window is the most tokens a text may have.
func (m *HostedEmbedder) Window() int { return m.words.Window() }

// Count returns the number of tokens of a text.
func (m *HostedEmbedder) Count(text string) int { return m.words.Count(text) }

// Identity names what makes two vectors comparable.
func (m *HostedEmbedder) Identity() (string, error) { return m.words.Identity() }

// Loaded reports whether the model is in memory.
func (m *HostedEmbedder) Loaded() bool { return m.place.loaded() }

// Unload takes the model out of memory unless it is in use, and reports whether
// it did.
func (m *HostedEmbedder) Unload() bool { return m.place.unload(0) }

// footprint implements resident: weights, and what requests have reserved.
func (l *Local) footprint() int64 {
	limits := l.engine.limits
	return l.info.Bytes + limits.cacheBytes + int64(limits.stepRows)*int64(l.info.Vocabulary)*4
}

func (e *LocalEmbedder) footprint() int64 { return e.info.Bytes }

// withoutWeights returns an embedder that counts tokens and embeds nothing.
func (e *LocalEmbedder) withoutWeights() *LocalEmbedder {
	return &LocalEmbedder{
		info:       e.info,
		dimensions: e.dimensions,
		vocabulary: e.vocabulary,
		before:     e.before,
		after:      e.after,
		identity:   e.identity,
	}
}
