package rag

import (
	"context"
	"errors"
	"fmt"
)

// Answerer answers a question from the passages a search found. There are
// three: Extract lets a model score sentences and spans and quotes the best,
// Write lets a model write and checks what it wrote, Quote needs no model.
// An Answerer is safe for concurrent use.
type Answerer interface {
	// Answer works on results, best passages first. say, which may be nil,
	// receives a written text in pieces as each becomes final. A text that is
	// a quotation is not said: Ask says it once it is verified.
	Answer(ctx context.Context, results *Results, say func(text string)) (*Answer, error)
}

// Method is how an answer was made.
type Method string

// The methods, by Answerer.
const (
	MethodExtract Method = "extract"
	MethodWrite   Method = "write"
	MethodQuote   Method = "quote"
)

// Answer is an answer with the quotes that carry it.
type Answer struct {
	Question string
	Method   Method
	Model    string // the model that scored or wrote; "" for Quote

	// Answered is false when the documents do not answer the question; Text
	// is then empty and Citations name the nearest passages.
	Answered bool

	// Text is the answer: a verbatim span for Extract, checked statements for
	// Write, a sentence for Quote.
	Text string

	// Statements are the parts of a written answer; nil for the others.
	Statements []Statement

	// Confidence is the estimated probability, from 0 to 1, that the documents
	// answer the question. Quote, which does not judge, leaves it 0.
	Confidence float64

	// Citations are the quotes, numbered from 1 as the text refers to them.
	Citations []Citation

	// Trace says what was considered; nil unless the Answerer was asked for it.
	Trace *Trace
}

// Statement is one sentence of a written answer.
type Statement struct {
	Text string

	// Cites are numbers of Answer.Citations. Supported says that the cited
	// passages cover the statement's names, numbers and content words and
	// hold its quotations word for word; a statement that is not supported is
	// not from the documents.
	Cites     []int
	Supported bool
}

// Citation is a verbatim quote and where it stands.
type Citation struct {
	N       int // from 1
	Path    string
	Place   // of the quote's start
	Heading []string

	// Columns are the headings of the table's columns where the quote is a row.
	Columns []string

	// Start and End are the quote's byte range in the document's text.
	Start, End int
	Quote      string

	// Mark is the byte range within Quote of the words that answer; both are
	// zero when the whole quote does.
	Mark [2]int

	Score float64 // of the passage, from 0 to 1
}

// ErrMisquote reports a quote that is not the bytes of its source. It is a
// defect, never a property of the documents: the answer must not be shown.
var ErrMisquote = errors.New("the quote does not stand in its source")

// Source gives the text that citations point into; a Corpus is one.
type Source interface {
	DocumentText(path string) (string, error)
}

// Verify compares every quote of the answer, byte for byte, with its source.
// An extracted answer must be the marked words of its quote.
func (a *Answer) Verify(source Source) error {
	for _, c := range a.Citations {
		text, err := source.DocumentText(c.Path)
		if err != nil {
			return fmt.Errorf("check citation %d: %w", c.N, err)
		}
		if c.Start < 0 || c.End > len(text) || c.Start > c.End || text[c.Start:c.End] != c.Quote {
			return fmt.Errorf("check citation %d, %s bytes %d to %d: %w", c.N, c.Path, c.Start, c.End, ErrMisquote)
		}
		if c.Mark[0] < 0 || c.Mark[1] > len(c.Quote) || c.Mark[0] > c.Mark[1] {
			return fmt.Errorf("check citation %d, marked bytes %v of %d: %w", c.N, c.Mark, len(c.Quote), ErrMisquote)
		}
	}
	if a.Method == MethodExtract && a.Answered && !a.isMarked() {
		return fmt.Errorf("check the answer against its citation: %w", ErrMisquote)
	}
	return nil
}

// isMarked reports whether the answer is the marked words of its first quote.
func (a *Answer) isMarked() bool {
	if len(a.Citations) == 0 {
		return false
	}
	c := a.Citations[0]
	return a.Text == c.Quote[c.Mark[0]:c.Mark[1]]
}

// cite quotes the bytes from start to end of a passage's text.
func (h *Hit) cite(n, start, end int) Citation {
	return Citation{
		N:       n,
		Path:    h.Path,
		Place:   h.PlaceAt(start),
		Heading: h.Headings,
		Columns: h.headAt(start),
		Start:   h.Start + start,
		End:     h.Start + end,
		Quote:   h.Text[start:end],
		Score:   h.Score,
	}
}
