package llm

import (
	"context"

	"github.com/ragstone/ragstone/internal/tokenizer"
)

// decoder is what the engine asks of a language model: of model.Decoder, and
// in tests of a scripted one. It is used by one goroutine at a time.
type decoder interface {
	Context() int    // most tokens of one sequence
	Vocabulary() int // logits of one position
	CacheBytes(tokens int) int64
	NewCache() cache

	// Forward appends each input's tokens to its cache and fills the logits of
	// the rows it asks for. What one input gets does not depend on the others.
	Forward(ctx context.Context, batch []*input) error
}

// cache is the state of one sequence, the keys and values of its tokens.
type cache interface {
	Len() int
	Fork() cache // a sequence that begins the same; full blocks are shared
	Truncate(n int)
	Free()
}

// input is one sequence's part of a step.
type input struct {
	cache  cache
	tokens []int32
	rows   []int       // indexes of tokens, in order, whose logits are wanted
	logits [][]float32 // one for each row, provided by the engine
}

// vocabulary is what is asked of a tokenizer: of tokenizer.Tokenizer, and in
// tests of one that takes bytes.
type vocabulary interface {
	Encode(text string, o tokenizer.Options) []int32
	EncodeOffsets(text string, o tokenizer.Options) []tokenizer.Piece
	Decode(ids []int32) string
	TokenBytes(id int32) []byte // nil for a control token
	EndTokens() []int32
	BOS() (int32, bool)
	ID(name string) (int32, bool)
	Size() int
}
