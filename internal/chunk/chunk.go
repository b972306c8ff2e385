package chunk

import "github.com/ragstone/ragstone/internal/document"

// A Span is a half-open range of bytes.
type Span struct{ Start, End int }

// A Passage is a part of a document small enough to be embedded.
type Passage struct {
	Start, End int      // bytes of the document's text, without blanks at either end
	Headings   []string // of the sections it begins in, outermost first
	Page       int      // it begins on, 0 where the document has no pages
	Line       int      // it begins on, from 1
}

// Options say how large passages may be. MaxTokens and Count must be given.
type Options struct {
	// MaxTokens bounds Count(passage). Only a single character that alone is
	// longer may exceed it.
	MaxTokens int

	// Overlap is how many tokens of whole sentences a passage repeats from the
	// end of the one before it, at most. 0 is none.
	Overlap int

	// Count is the number of tokens of a text, as the embedding model counts.
	Count func(text string) int
}

// Split cuts a document into passages, in order.
func Split(doc *document.Document, o Options) []Passage { return nil }

// Sentences returns the sentences of a text.
func Sentences(text string) []Span { return nil }
