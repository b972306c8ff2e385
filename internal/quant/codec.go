package quant

import (
	"fmt"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Codec turns vectors into codes of a fixed size and back.
type Codec interface {
	// Name says the kind and its size, such as "sq8" or "pq64x4".
	Name() string
	// Dimensions returns the length of a vector.
	Dimensions() int
	// CodeSize returns the bytes of a code.
	CodeSize() int
	// Encode writes the code of x, finite numbers, to code, which has CodeSize bytes.
	Encode(x []float32, code []byte)
	// Decode writes the vector that a code stands for to x.
	Decode(code []byte, x []float32)
	// Scorer prepares a query. The scorer keeps no reference to it.
	Scorer(query []float32, by Similarity) Scorer
}

// Similarity is what a scorer estimates.
type Similarity int

const (
	// ByDot is the inner product.
	ByDot Similarity = iota
	// ByL2 is the negated squared Euclidean distance.
	ByL2
)

// Scorer is a query prepared for a codec. It serves one goroutine.
type Scorer interface {
	// Score estimates the similarity of len(scores) codes that lie one after another.
	Score(codes []byte, scores []float32)
}

// compare returns the similarity of two vectors.
func (by Similarity) compare(a, b []float32) float32 {
	if by == ByDot {
		return kernel.Dot(a, b)
	}
	return -kernel.L2(a, b)
}

// decodeScorer scores by decoding, which is right for every codec and as fast as its decoding.
type decodeScorer struct {
	codec  Codec
	by     Similarity
	query  []float32
	vector []float32
}

func newDecodeScorer(c Codec, query []float32, by Similarity) *decodeScorer {
	checkVector(c, query)
	return &decodeScorer{c, by, append([]float32(nil), query...), make([]float32, c.Dimensions())}
}

func (s *decodeScorer) Score(codes []byte, scores []float32) {
	size := s.codec.CodeSize()
	for i := range scores {
		s.codec.Decode(codes[i*size:(i+1)*size], s.vector)
		scores[i] = s.by.compare(s.query, s.vector)
	}
}

func checkVector(c Codec, x []float32) {
	if len(x) != c.Dimensions() {
		panic(fmt.Sprintf("quant: a vector of %d dimensions, and codec %s has %d", len(x), c.Name(), c.Dimensions()))
	}
}

func checkCode(c Codec, code []byte) {
	if len(code) != c.CodeSize() {
		panic(fmt.Sprintf("quant: a code of %d bytes, and codec %s has %d", len(code), c.Name(), c.CodeSize()))
	}
}

// EncodeAll returns the codes of a slab of vectors, one after another.
func EncodeAll(c Codec, slab []float32) []byte {
	d, size := c.Dimensions(), c.CodeSize()
	codes := make([]byte, len(slab)/d*size)
	for i := range len(slab) / d {
		c.Encode(slab[i*d:(i+1)*d], codes[i*size:(i+1)*size])
	}
	return codes
}
