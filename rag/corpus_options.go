package rag

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/lexical"
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
	Window     int    `json:"window"`     // tokens the model reads at most, as Embedding.Count counts

	// QueryPrefix and PassagePrefix are put before each question and each
	// passage; most models want none, E5 wants "query: " and "passage: ".
	QueryPrefix   string `json:"query_prefix"`
	PassagePrefix string `json:"passage_prefix"`
}

// Embedding is an embedder with its identity and its way of counting.
type Embedding struct {
	Embedder Embedder
	Identity EmbeddingIdentity

	// Count returns the number of tokens of a text, with those the model adds.
	Count func(text string) int
}

// CorpusOptions say how a corpus is built. The zero value is a keyword-only
// corpus with the default chunks.
type CorpusOptions struct {
	// Embedding makes the vectors; nil means keyword search only.
	Embedding *Embedding

	// ChunkTokens bounds a passage, in tokens; zero means 200.
	ChunkTokens int

	// ChunkOverlap is how many tokens a passage repeats of the one before it,
	// at most; default none.
	ChunkOverlap int

	// PDFCache is a folder that keeps the compiled PDF reader between runs: it
	// must be the user's own. "" compiles it anew in each process.
	PDFCache string

	// Indexes is a folder that holds this index and others. Passages that another
	// one has embedded with the same model take their vectors from there. ""
	// means that all are embedded.
	Indexes string

	// Log receives what is worth knowing but no failure, such as an index
	// built anew because its identity changed; nil means nowhere.
	Log *slog.Logger

	files    disk.FS // for tests; nil means the operating system's
	logBytes int64   // for tests; zero means defaultLogBytes
}

const defaultChunkTokens = 200

func (o CorpusOptions) withDefaults() CorpusOptions {
	if o.ChunkTokens == 0 {
		o.ChunkTokens = defaultChunkTokens
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.logBytes == 0 {
		o.logBytes = defaultLogBytes
	}
	if o.files == nil {
		o.files = disk.OS{}
	}
	return o
}

func (o CorpusOptions) validate() error {
	var problems []error
	if o.ChunkTokens < 8 || o.ChunkOverlap < 0 || o.ChunkOverlap >= o.ChunkTokens {
		problems = append(problems, fmt.Errorf("passages of %d tokens that repeat %d: want at least 8, and fewer repeated", o.ChunkTokens, o.ChunkOverlap))
	}
	if e := o.Embedding; e != nil {
		if e.Embedder == nil || e.Count == nil {
			problems = append(problems, errors.New("an embedding needs an Embedder and a Count"))
		}
		if e.Identity.Dimensions < 1 || e.Identity.Window < o.ChunkTokens {
			problems = append(problems, fmt.Errorf("an embedding of %d dimensions whose window is %d tokens, for passages of %d",
				e.Identity.Dimensions, e.Identity.Window, o.ChunkTokens))
		}
	}
	return errors.Join(problems...)
}

// count returns the number of tokens of a text. Without an embedding model it
// is an estimate: English has about four bytes a token.
func (o CorpusOptions) count(text string) int {
	if o.Embedding != nil {
		return o.Embedding.Count(o.Embedding.Identity.PassagePrefix + text)
	}
	return (len(text) + 3) / 4
}

// The versions of what this program makes of a file. One of them rises when
// package document, or package chunk, gives other text or other passages for
// the same bytes; every index is then built anew.
const (
	readerVersion  = 2
	chunkerVersion = 3
)

// bm25 are the constants of the keyword index; docs/decisions/0005-fusion.md
// has the measurements.
var bm25 = lexical.Params{K1: 0.9, B: 0.4}

// identity is what an index was built with. Two indexes of equal identity over
// the same files are equal; parts of different identity are never mixed.
type identity struct {
	Passages  passageIdentity    `json:"passages"`
	Keywords  keywordIdentity    `json:"keywords"`
	Embedding *EmbeddingIdentity `json:"embedding"` // null in a keyword-only index
}

// passageIdentity decides which passages a file gives.
type passageIdentity struct {
	Reader        int    `json:"reader"`
	Chunker       int    `json:"chunker"`
	ChunkTokens   int    `json:"chunk_tokens"`
	ChunkOverlap  int    `json:"chunk_overlap"`
	CountedBy     string `json:"counted_by"` // weights of the embedding model, or "estimate"
	PassagePrefix string `json:"passage_prefix"`
}

type keywordIdentity struct {
	Analyzer string  `json:"analyzer"`
	K1       float64 `json:"k1"`
	B        float64 `json:"b"`
}

func (o CorpusOptions) identity() identity {
	id := identity{
		Passages: passageIdentity{
			Reader: readerVersion, Chunker: chunkerVersion,
			ChunkTokens: o.ChunkTokens, ChunkOverlap: o.ChunkOverlap, CountedBy: "estimate",
		},
		Keywords: keywordIdentity{lexical.Default().Name(), bm25.K1, bm25.B},
	}
	if o.Embedding != nil {
		embedding := o.Embedding.Identity
		id.Embedding = &embedding
		id.Passages.CountedBy = embedding.Weights
		id.Passages.PassagePrefix = embedding.PassagePrefix
	}
	return id
}

func (id identity) equal(other identity) bool {
	return id.Passages == other.Passages && id.Keywords == other.Keywords && id.sameVectors(other)
}

// sameVectors reports whether both indexes have no vectors, or vectors of one
// model that may stand side by side.
func (id identity) sameVectors(other identity) bool {
	if id.Embedding == nil || other.Embedding == nil {
		return id.Embedding == other.Embedding
	}
	return *id.Embedding == *other.Embedding
}
