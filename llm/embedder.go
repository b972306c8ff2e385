package llm

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/model"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// LocalEmbedder is an embedding model that runs in this process, safe for
// concurrent use. A text's vector is the same bits whatever is embedded
// beside it.
type LocalEmbedder struct {
	info       Info
	dimensions int
	encoder    encoder
	vocabulary vocabulary
	before     []int32 // tokens the model wants before a text,
	after      []int32 // and after it
	identity   func() (string, error)
	free       func()

	turn   chan struct{} // holds one token; whoever has it runs the encoder
	closed bool          // read and written only by whoever has the turn
}

// encoder is what is asked of a model.Encoder.
type encoder interface {
	Encode(ctx context.Context, sequences [][]int32) ([][]float32, error)
}

// OpenEmbedder loads an embedding model from a folder in the layout of
// Sentence-Transformers. A model that MaxMemory has no room for is a
// *MemoryError, before it is loaded. The caller closes the model.
//
// Of the options, Name, Threads and MaxMemory apply.
func OpenEmbedder(ctx context.Context, dir string, o Options) (*LocalEmbedder, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e, err := openEmbedder(dir, o.withDefaults(dir))
	if err != nil {
		return nil, fmt.Errorf("open embedding model %s: %w", dir, err)
	}
	return e, nil
}

func openEmbedder(dir string, o Options) (*LocalEmbedder, error) {
	inspected, err := model.InspectEncoder(dir, model.EncoderOptions{})
	if err != nil {
		return nil, err
	}
	if o.MaxMemory > 0 && inspected.Bytes > o.MaxMemory {
		return nil, &MemoryError{What: "the embedding model", Need: inspected.Bytes, Limit: o.MaxMemory}
	}
	data, err := os.ReadFile(filepath.Join(dir, tokenizerFile))
	if err != nil {
		return nil, err
	}
	words, err := tokenizer.FromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tokenizerFile, err)
	}
	pool := kernel.NewPool(o.Threads)
	m, err := model.LoadEncoder(dir, model.EncoderOptions{Pool: pool})
	if err != nil {
		pool.Close()
		return nil, err
	}
	c := m.Config()
	e := newEmbedder(m, words, c.Dimensions(), Info{
		Name:         o.Name,
		Architecture: c.Architecture,
		Context:      c.MaxTokens,
		Vocabulary:   words.Size(),
		Bytes:        m.Bytes(),
	})
	e.free = pool.Close
	e.identity = sync.OnceValues(func() (string, error) {
		weights, err := hashFiles([]string{
			filepath.Join(dir, configFile), filepath.Join(dir, weightsFile), filepath.Join(dir, tokenizerFile),
		})
		return fmt.Sprintf("sha256:%s pooling=%s normalized=%t window=%d", weights, c.Pooling, c.Normalize, c.MaxTokens), err
	})
	return e, nil
}

// newEmbedder puts an encoder that has been loaded to work.
func newEmbedder(m encoder, v vocabulary, dimensions int, info Info) *LocalEmbedder {
	e := &LocalEmbedder{
		info:       info,
		dimensions: dimensions,
		encoder:    m,
		vocabulary: v,
		free:       func() {},
		turn:       make(chan struct{}, 1),
	}
	// BERT's files ask for one token before a text and one after it; whatever
	// they ask for, it shows around a text of one letter.
	bare := v.Encode("a", tokenizer.Options{})
	around := v.Encode("a", tokenizer.Options{AddSpecial: true})
	for i := range len(around) - len(bare) + 1 {
		if slices.Equal(around[i:i+len(bare)], bare) {
			e.before, e.after = around[:i:i], around[i+len(bare):]
			break
		}
	}
	e.turn <- struct{}{}
	return e
}

// Info describes the model; its Context is the window.
func (e *LocalEmbedder) Info() Info { return e.info }

// Dimensions is the length of the model's vectors.
func (e *LocalEmbedder) Dimensions() int { return e.dimensions }

// Window is the most tokens a text may have, counted as Count does.
func (e *LocalEmbedder) Window() int { return e.info.Context }

// Count returns the number of tokens of a text, with those the model adds.
func (e *LocalEmbedder) Count(text string) int {
	return len(e.before) + len(e.after) + len(e.vocabulary.Encode(text, tokenizer.Options{}))
}

// Identity names what makes two vectors comparable: the model's files, its
// pooling and its window. It is computed on the first call.
func (e *LocalEmbedder) Identity() (string, error) { return e.identity() }

// Close waits for what runs and frees the model; later calls fail with
// ErrClosed. Closing twice is fine.
func (e *LocalEmbedder) Close() error {
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	if !e.closed {
		e.closed = true
		e.free()
	}
	return nil
}

// Embed implements Embedder. A text longer than the window is a
// *ContextLengthError, before anything is computed.
func (e *LocalEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, texts, func(tokens []int32, room int) ([][]int32, error) {
		if len(tokens) > room {
			return nil, &ContextLengthError{Limit: e.Window(), Requested: len(tokens) + e.Window() - room}
		}
		return [][]int32{tokens}, nil
	})
}

// EmbedLong is Embed for texts of any length: one beyond the window is
// embedded in overlapping windows, whose vectors are averaged, weighted by
// their tokens, and brought to length 1. Texts that fit get Embed's vectors.
func (e *LocalEmbedder) EmbedLong(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, texts, func(tokens []int32, room int) ([][]int32, error) {
		return windows(tokens, room), nil
	})
}

// EmbedCut is Embed as Sentence-Transformers does it: what is beyond the
// window is ignored. It is there to compare with that library.
func (e *LocalEmbedder) EmbedCut(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, texts, func(tokens []int32, room int) ([][]int32, error) {
		return [][]int32{tokens[:min(len(tokens), room)]}, nil
	})
}

// windows cuts tokens into windows of at most room, each of which repeats the
// last eighth of the one before it.
func windows(tokens []int32, room int) [][]int32 {
	overlap := room / 8
	var cut [][]int32
	for len(tokens) > room {
		cut = append(cut, tokens[:room])
		tokens = tokens[room-overlap:]
	}
	return append(cut, tokens)
}

// piece is a window of a text on its way to a vector.
type piece struct {
	text   int // which one
	tokens []int32
	vector []float32
}

// embed cuts every text into windows, embeds those and pools them again.
func (e *LocalEmbedder) embed(ctx context.Context, texts []string, cut func(tokens []int32, room int) ([][]int32, error)) ([][]float32, error) {
	var pieces []*piece
	room := e.Window() - len(e.before) - len(e.after)
	for i, text := range texts {
		cuts, err := cut(e.vocabulary.Encode(text, tokenizer.Options{}), room)
		if err != nil {
			return nil, fmt.Errorf("embed text %d: %w", i, err)
		}
		for _, tokens := range cuts {
			pieces = append(pieces, &piece{text: i, tokens: slices.Concat(e.before, tokens, e.after)})
		}
	}
	if err := e.run(ctx, pieces); err != nil {
		return nil, fmt.Errorf("embed %d texts: %w", len(texts), err)
	}
	vectors := make([][]float32, len(texts))
	for len(pieces) > 0 {
		n := 1
		for n < len(pieces) && pieces[n].text == pieces[0].text {
			n++
		}
		vectors[pieces[0].text] = pool(pieces[:n])
		pieces = pieces[n:]
	}
	return vectors, nil
}

// batchTokens is the work of one call of the encoder. Callers take turns after
// each, so that a question does not wait for a whole folder.
const batchTokens = 4096

// run embeds pieces in batches of similar length.
func (e *LocalEmbedder) run(ctx context.Context, pieces []*piece) error {
	sorted := slices.Clone(pieces)
	slices.SortStableFunc(sorted, func(a, b *piece) int { return cmp.Compare(len(a.tokens), len(b.tokens)) })
	for len(sorted) > 0 {
		n, tokens := 0, 0
		for n < len(sorted) && (n == 0 || tokens+len(sorted[n].tokens) <= batchTokens) {
			tokens += len(sorted[n].tokens)
			n++
		}
		if err := e.runBatch(ctx, sorted[:n]); err != nil {
			return err
		}
		sorted = sorted[n:]
	}
	return nil
}

func (e *LocalEmbedder) runBatch(ctx context.Context, batch []*piece) error {
	select {
	case <-e.turn:
		defer func() { e.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if e.closed {
		return ErrClosed
	}
	sequences := make([][]int32, len(batch))
	for i, p := range batch {
		sequences[i] = p.tokens
	}
	vectors, err := e.encoder.Encode(ctx, sequences)
	if err != nil {
		return err
	}
	for i, p := range batch {
		p.vector = vectors[i]
	}
	return nil
}

// pool returns the mean of the pieces' vectors, weighted by their tokens and
// of length 1; a lone vector is returned as it is.
func pool(pieces []*piece) []float32 {
	if len(pieces) == 1 {
		return pieces[0].vector
	}
	sums := make([]float64, len(pieces[0].vector))
	for _, p := range pieces {
		for i, x := range p.vector {
			sums[i] += float64(len(p.tokens)) * float64(x)
		}
	}
	norm := 0.0
	for _, x := range sums {
		norm += x * x
	}
	norm = max(math.Sqrt(norm), math.SmallestNonzeroFloat64)
	mean := make([]float32, len(sums))
	for i, x := range sums {
		mean[i] = float32(x / norm)
	}
	return mean
}
