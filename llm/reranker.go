package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/model"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// Reranker tells how well texts answer a query. *LocalReranker is a Reranker.
type Reranker interface {
	// Rerank returns one score for each text, in order: the higher, the better
	// it answers the query. Scores of one model compare across calls.
	Rerank(ctx context.Context, query string, texts []string) ([]float32, error)
}

// LocalReranker is a cross-encoder that runs in this process: it reads the query
// and a text together. It is safe for concurrent use, and a score is the same
// bits whatever is scored beside it.
type LocalReranker struct {
	info       Info
	vocabulary pairVocabulary
	pairing    pairing
	sigmoid    bool
	turns      turns
}

// pairVocabulary is what a reranker asks of a tokenizer.Tokenizer.
type pairVocabulary interface {
	Encode(text string, o tokenizer.Options) []int32
	Pair(first, second []int32) (ids, types []int32)
	PairOverhead() int
}

// OpenReranker loads a cross-encoder with one score a pair from a folder in
// Hugging Face's layout. A model that MaxMemory has no room for is a
// *MemoryError, before it is loaded. The caller closes the model.
//
// Of the options, Name, Threads, Precision and MaxMemory apply.
func OpenReranker(ctx context.Context, dir string, o Options) (*LocalReranker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := openReranker(dir, o.withDefaults(dir))
	if err != nil {
		return nil, fmt.Errorf("open reranking model %s: %w", dir, err)
	}
	return r, nil
}

func openReranker(dir string, o Options) (*LocalReranker, error) {
	options := model.EncoderOptions{Precision: model.Precision(o.Precision)}
	inspected, err := model.InspectCrossEncoder(dir, options)
	if err != nil {
		return nil, err
	}
	if n := inspected.Config.Labels; n != 1 {
		return nil, fmt.Errorf("it gives a pair %d scores, a reranker gives one", n)
	}
	if o.MaxMemory > 0 && inspected.Bytes > o.MaxMemory {
		return nil, &MemoryError{What: "the reranking model", Need: inspected.Bytes, Limit: o.MaxMemory}
	}
	words, err := readTokenizer(dir)
	if err != nil {
		return nil, err
	}
	pairs, err := readPairing(dir)
	if err != nil {
		return nil, err
	}
	pool := kernel.NewPool(o.Threads)
	options.Pool = pool
	m, err := model.LoadCrossEncoder(dir, options)
	if err != nil {
		pool.Close()
		return nil, err
	}
	c := m.Config()
	return newReranker(newTurns(m.Score, pool.Close), words, pairs, c.Sigmoid, Info{
		Name:         o.Name,
		Architecture: c.Architecture,
		Context:      c.MaxTokens,
		Vocabulary:   words.Size(),
		Bytes:        m.Bytes(),
	}), nil
}

// newReranker puts a cross-encoder that has been loaded to work.
func newReranker(t turns, v pairVocabulary, p pairing, sigmoid bool, info Info) *LocalReranker {
	return &LocalReranker{info: info, vocabulary: v, pairing: p, sigmoid: sigmoid, turns: t}
}

// pairing is what a model's tokenizer files say of pairs.
type pairing struct {
	shorten bool // one beyond the window loses the end of its longer text
	untyped bool // the model is not told which text a token is of
}

func readPairing(dir string) (pairing, error) {
	var file struct {
		Truncation struct {
			Strategy  string `json:"strategy"`
			Direction string `json:"direction"`
		} `json:"truncation"`
	}
	var config struct {
		Strategy string   `json:"truncation_strategy"`
		Side     string   `json:"truncation_side"`
		Inputs   []string `json:"model_input_names"`
	}
	for name, into := range map[string]any{tokenizerFile: &file, tokenizerConfigFile: &config} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) && name == tokenizerConfigFile {
			continue
		}
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			return pairing{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return pairing{
		shorten: (file.Truncation.Strategy == "LongestFirst" || config.Strategy == "longest_first") &&
			file.Truncation.Direction != "Left" && config.Side != "left",
		untyped: config.Inputs != nil && !slices.Contains(config.Inputs, "token_type_ids"),
	}, nil
}

// Info describes the model; its Context is the most tokens of a pair.
func (r *LocalReranker) Info() Info { return r.info }

// Close waits for what runs and frees the model; later calls fail with
// ErrClosed. Closing twice is fine.
func (r *LocalReranker) Close() error {
	r.turns.close()
	return nil
}

// Rerank implements Reranker. Scores are what the model's files make of its
// logits: these themselves, or numbers from 0 to 1.
//
// A query and a text that are together longer than the window lose the end of
// the longer of the two if the model's tokenizer files ask for that; else they are a *ContextLengthError, before anything is computed.
func (r *LocalReranker) Rerank(ctx context.Context, query string, texts []string) ([]float32, error) {
	pieces := make([]*piece, len(texts))
	first := r.vocabulary.Encode(query, tokenizer.Options{})
	for i, text := range texts {
		p, err := r.pair(first, r.vocabulary.Encode(text, tokenizer.Options{}))
		if err != nil {
			return nil, fmt.Errorf("rerank text %d: %w", i, err)
		}
		pieces[i] = p
	}
	if err := r.turns.run(ctx, pieces); err != nil {
		return nil, fmt.Errorf("rerank %d texts: %w", len(texts), err)
	}
	scores := make([]float32, len(texts))
	for i, p := range pieces {
		scores[i] = p.result[0]
		if r.sigmoid {
			scores[i] = float32(1 / (1 + math.Exp(-float64(scores[i]))))
		}
	}
	return scores, nil
}

// pair puts a query and a text together, shortened if that is allowed.
func (r *LocalReranker) pair(first, second []int32) (*piece, error) {
	room := r.info.Context - r.vocabulary.PairOverhead()
	if over := len(first) + len(second) - room; over > 0 {
		if !r.pairing.shorten || room < 0 {
			return nil, &ContextLengthError{Limit: r.info.Context, Requested: r.info.Context + over}
		}
		n, m := longestFirst(len(first), len(second), room)
		first, second = first[:n], second[:m]
	}
	ids, types := r.vocabulary.Pair(first, second)
	if r.pairing.untyped {
		types = nil
	}
	return &piece{Sequence: model.Sequence{Tokens: ids, Types: types}}, nil
}

// longestFirst shortens two lengths to a sum of room as Hugging Face's tokenizers
// do: the longer to what the shorter leaves, or both to a half, of which the
// longer gets the larger.
func longestFirst(n, m, room int) (int, int) {
	if n > m {
		m, n := longestFirst(m, n, room)
		return n, m
	}
	n = min(n, room/2)
	return n, room - n
}
