package llm

import (
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
	precision  string
	pooling    string
	dimensions int
	prompts    prompts
	vocabulary vocabulary
	before     []int32 // tokens the model wants before a text,
	after      []int32 // and after it
	identity   func() (string, error)
	turns      turns
}

// OpenEmbedder loads an embedding model from a folder in the layout of
// Sentence-Transformers. Its errors are an *OpenError, which holds a *MemoryError,
// before anything is loaded, where MaxMemory has no room for the model. The caller
// closes the model.
//
// Of the options, Name, Threads, Precision and MaxMemory apply.
func OpenEmbedder(ctx context.Context, dir string, o Options) (*LocalEmbedder, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e, err := openEmbedder(dir, o.withDefaults(dir))
	if err != nil {
		return nil, &OpenError{dir, "embedding model", err}
	}
	return e, nil
}

func openEmbedder(dir string, o Options) (*LocalEmbedder, error) {
	options := model.EncoderOptions{Precision: model.Precision(o.Precision)}
	inspected, err := model.InspectEncoder(dir, options)
	if err != nil {
		return nil, err
	}
	if o.MaxMemory > 0 && inspected.Bytes > o.MaxMemory {
		return nil, &MemoryError{What: "the embedding model", Need: inspected.Bytes, Limit: o.MaxMemory}
	}
	words, err := readTokenizer(dir)
	if err != nil {
		return nil, err
	}
	pool := kernel.NewPool(o.Threads)
	options.Pool = pool
	m, err := model.LoadEncoder(dir, options)
	if err != nil {
		pool.Close()
		return nil, err
	}
	c := m.Config()
	e := newEmbedder(newTurns(m.EncodeSequences, pool.Close), words, c.Dimensions(), Info{
		Name:         o.Name,
		Architecture: c.Architecture,
		Context:      c.MaxTokens,
		Vocabulary:   words.Size(),
		Bytes:        m.Bytes(),
	})
	e.precision, e.pooling = string(m.Precision()), string(c.Pooling)
	e.prompts = newPrompts(o.Name, c.Prompts)
	e.identity = sync.OnceValues(func() (string, error) { return identify(dir, &c) })
	return e, nil
}

// readTokenizer reads the tokenizer of a folder in Hugging Face's layout.
func readTokenizer(dir string) (*tokenizer.Tokenizer, error) {
	data, err := os.ReadFile(filepath.Join(dir, tokenizerFile))
	if err != nil {
		return nil, err
	}
	words, err := tokenizer.FromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tokenizerFile, err)
	}
	return words, nil
}

// identify names what decides the vectors of a model besides its precision.
func identify(dir string, c *model.EncoderConfig) (string, error) {
	weights, err := filepath.Glob(filepath.Join(dir, "model*.safetensors")) // one file or several
	if err != nil {
		return "", err
	}
	files := slices.Concat([]string{filepath.Join(dir, configFile)}, weights, []string{filepath.Join(dir, tokenizerFile)})
	described := fmt.Sprintf("pooling=%s normalized=%t window=%d", c.Pooling, c.Normalize, c.MaxTokens)
	for _, m := range c.Modules {
		if d := m.Dense; d != nil {
			files = append(files, filepath.Join(dir, d.Folder, weightsFile))
			described += fmt.Sprintf(" dense=%d,%s", d.Out, d.Activation)
		}
	}
	hash, err := hashFiles(files)
	return "sha256:" + hash + " " + described, err
}

// newEmbedder puts an encoder that has been loaded to work.
func newEmbedder(t turns, v vocabulary, dimensions int, info Info) *LocalEmbedder {
	e := &LocalEmbedder{info: info, dimensions: dimensions, vocabulary: v, turns: t}
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
	return e
}

// Info describes the model; its Context is the window.
func (e *LocalEmbedder) Info() Info { return e.info }

// Dimensions is the length of the model's vectors.
func (e *LocalEmbedder) Dimensions() int { return e.dimensions }

// Window is the most tokens a text may have, counted as Count does.
func (e *LocalEmbedder) Window() int { return e.info.Context }

// Precision is how the model computes: Options.Precision, spelled out.
func (e *LocalEmbedder) Precision() string { return e.precision }

// Pooling is how the model makes one vector of a text's tokens: mean, cls or
// last.
func (e *LocalEmbedder) Pooling() string { return e.pooling }

// Count returns the number of tokens of a text, with those the model adds but
// without its prompts.
func (e *LocalEmbedder) Count(text string) int {
	return len(e.before) + len(e.after) + len(e.vocabulary.Encode(text, tokenizer.Options{}))
}

// Identity names what makes two vectors of one precision comparable: the model's
// files, its pooling and its window. It is computed on the first call.
func (e *LocalEmbedder) Identity() (string, error) { return e.identity() }

// Close waits for what runs and frees the model; later calls fail with
// ErrClosed. Closing twice is fine.
func (e *LocalEmbedder) Close() error {
	e.turns.close()
	return nil
}

// Embed implements Embedder. Each text has the model's usual prompt before it,
// if the model has one. A text longer than the window is a *ContextLengthError,
// before anything is computed.
func (e *LocalEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, e.prompts.usual, texts, e.whole)
}

// EmbedLong is Embed for texts of any length: one beyond the window is
// embedded in overlapping windows, whose vectors are averaged, weighted by
// their tokens, and brought to length 1. Texts that fit get Embed's vectors.
func (e *LocalEmbedder) EmbedLong(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, e.prompts.usual, texts, func(tokens []int32, room int) ([][]int32, error) {
		return windows(tokens, room), nil
	})
}

// EmbedCut is Embed as Sentence-Transformers does it: what is beyond the
// window is ignored. It is there to compare with that library.
func (e *LocalEmbedder) EmbedCut(ctx context.Context, texts []string) ([][]float32, error) {
	return e.embed(ctx, e.prompts.usual, texts, func(tokens []int32, room int) ([][]int32, error) {
		return [][]int32{tokens[:min(len(tokens), room)]}, nil
	})
}

// whole leaves a text in one piece and refuses one that does not fit.
func (e *LocalEmbedder) whole(tokens []int32, room int) ([][]int32, error) {
	if len(tokens) > room {
		return nil, &ContextLengthError{Limit: e.Window(), Requested: len(tokens) + e.Window() - room}
	}
	return [][]int32{tokens}, nil
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

// embed puts the prefix before every text, cuts it into windows, embeds those
// and pools them again.
func (e *LocalEmbedder) embed(ctx context.Context, prefix string, texts []string, cut func(tokens []int32, room int) ([][]int32, error)) ([][]float32, error) {
	var pieces []*piece
	room := e.Window() - len(e.before) - len(e.after)
	for i, text := range texts {
		cuts, err := cut(e.vocabulary.Encode(prefix+text, tokenizer.Options{}), room)
		if err != nil {
			return nil, fmt.Errorf("embed text %d: %w", i, err)
		}
		for _, tokens := range cuts {
			pieces = append(pieces, &piece{text: i, Sequence: model.Sequence{Tokens: slices.Concat(e.before, tokens, e.after)}})
		}
	}
	if err := e.turns.run(ctx, pieces); err != nil {
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

// pool returns the mean of the pieces' vectors, weighted by their tokens and
// of length 1; a lone vector is returned as it is.
func pool(pieces []*piece) []float32 {
	if len(pieces) == 1 {
		return pieces[0].result
	}
	sums := make([]float64, len(pieces[0].result))
	for _, p := range pieces {
		for i, x := range p.result {
			sums[i] += float64(len(p.Tokens)) * float64(x)
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
