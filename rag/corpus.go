package rag

import (
	"context"
	"errors"
	"log/slog"
)

// Embedder turns texts into vectors of one length, each of norm 1. It must be
// safe for concurrent use.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// EmbeddingIdentity is everything that decides an embedder's numbers. Vectors
// of two identities are never mixed in one index.
type EmbeddingIdentity struct {
	Model      string `json:"model"`      // name, for people
	Weights    string `json:"weights"`    // SHA-256 of the weights, in hexadecimal
	Pooling    string `json:"pooling"`    // mean, cls
	Precision  string `json:"precision"`  // f32, ...
	Dimensions int    `json:"dimensions"` // length of a vector
	Window     int    `json:"window"`     // tokens the model reads at most

	// QueryPrefix and PassagePrefix are put before each question and each
	// passage; most models want none, E5 wants "query: " and "passage: ".
	QueryPrefix   string `json:"query_prefix"`
	PassagePrefix string `json:"passage_prefix"`
}

// Embedding is an embedder with its identity and its way of counting.
type Embedding struct {
	Embedder Embedder
	Identity EmbeddingIdentity

	// Count returns the number of tokens of a text, without the special ones.
	Count func(text string) int
}

// CorpusOptions say how a corpus is built. The zero value is a keyword-only
// corpus with the default chunks.
type CorpusOptions struct {
	// Embedding makes the vectors; nil means keyword search only.
	Embedding *Embedding

	// ChunkTokens bounds a passage, in tokens; zero means 200.
	ChunkTokens int

	// ChunkOverlap is how many tokens a passage repeats of the one before it;
	// default none.
	ChunkOverlap int

	// Log receives what is worth knowing but no failure, such as an index
	// built anew because its identity changed; nil means nowhere.
	Log *slog.Logger
}

// Phase is what a Sync is doing.
type Phase string

// The phases of a Sync, in order.
const (
	PhaseScan  Phase = "scan"  // looking for changed files; Total is 0
	PhaseRead  Phase = "read"  // files read and cut into passages
	PhaseEmbed Phase = "embed" // passages embedded
	PhaseWrite Phase = "write" // index files written; Total is 0
)

// Progress tells how far a Sync is.
type Progress struct {
	Phase       Phase
	Done, Total int // files or passages; Total 0 means unknown
}

// SyncOptions steer one Sync.
type SyncOptions struct {
	// Exclude names files and folders to leave out, as .gitignore patterns.
	Exclude []string

	// Progress is called from one goroutine, often; nil means nobody listens.
	Progress func(Progress)
}

// FileProblem is a file that is not in the index, and why.
type FileProblem struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// SyncReport says what a Sync found and did.
type SyncReport struct {
	Files                              int // in the index now
	Added, Changed, Removed, Unchanged int // files

	Passages         int // in the index now
	Embedded, Reused int // passages embedded now, and vectors kept

	Failed  []FileProblem // could not be read or parsed
	Skipped []FileProblem // left out on purpose: hidden, excluded, binary

	Written bool // a new generation was written
}

// ErrEmptyCorpus reports that no file with text was found under the roots.
var ErrEmptyCorpus = errors.New("no documents with text")

// SearchOptions steer one Search.
type SearchOptions struct {
	K int // passages wanted; zero means 10
}

// Corpus is a searchable set of documents with its index in a directory. It
// is safe for concurrent use: a Search works on the generation it started
// with, whatever a Sync beside it does.
type Corpus struct {
	dir     string
	options CorpusOptions
}

// OpenCorpus opens the index in dir, or an empty one where dir holds none.
// Close releases it.
func OpenCorpus(dir string, options CorpusOptions) (*Corpus, error) {
	return &Corpus{dir: dir, options: options}, nil
}

// Close waits for running searches and unmaps the index.
func (c *Corpus) Close() error { return nil }

// Sync brings the index up to date with the files under roots: files and
// folders, walked in order.
func (c *Corpus) Sync(ctx context.Context, roots []string, options SyncOptions) (SyncReport, error) {
	return SyncReport{}, errors.ErrUnsupported
}

// Search returns the best passages for a question, best first.
func (c *Corpus) Search(ctx context.Context, question string, options SearchOptions) (*Results, error) {
	return nil, errors.ErrUnsupported
}

// Len returns the number of passages.
func (c *Corpus) Len() int { return 0 }

// Passage returns the passage with the given ID, from 0 to Len()-1.
func (c *Corpus) Passage(id int) (Passage, error) { return Passage{}, errors.ErrUnsupported }

// DocumentText returns the text that a path's offsets point into.
func (c *Corpus) DocumentText(path string) (string, error) { return "", errors.ErrUnsupported }

// Check verifies the index in dir and returns what is wrong with it, all of
// it joined.
func Check(dir string) error { return errors.ErrUnsupported }
