package quant

import "github.com/ragstone/ragstone/internal/kernel"

// scalarScorer scores codes without decoding them: with n the code, |q−x|² is
// Σ((q−low) − step·n)², and ⟨q, x⟩ is ⟨q, low⟩ + Σ q·step·n.
type scalarScorer struct {
	codec  *Scalar
	by     Similarity
	query  []float32 // q−low, or q·step
	step   []float32
	offset float32 // ⟨q, low⟩
}

// Scorer implements Codec.
func (c *Scalar) Scorer(query []float32, by Similarity) Scorer {
	checkVector(c, query)
	s := &scalarScorer{codec: c, by: by, query: make([]float32, len(query))}
	if by == ByL2 {
		for i, v := range query {
			s.query[i] = v - c.low[i]
		}
		s.query, s.step = c.arranged(s.query), c.arranged(c.step)
		return s
	}
	for i, v := range query {
		s.query[i] = v * c.step[i]
	}
	s.query, s.offset = c.arranged(s.query), kernel.Dot(query, c.low)
	return s
}

// arranged puts numbers in the order of the kernels: of codes of four bits, those in the low
// halves of bytes first.
func (c *Scalar) arranged(x []float32) []float32 {
	if c.bits == 8 {
		return x
	}
	size := c.CodeSize()
	out := make([]float32, 2*size)
	for i, v := range x {
		out[i%2*size+i/2] = v
	}
	return out
}

// Score implements Scorer.
func (s *scalarScorer) Score(codes []byte, scores []float32) {
	switch {
	case s.by == ByL2 && s.codec.bits == 8:
		kernel.L2Bytes(s.query, s.step, codes, scores)
	case s.by == ByL2:
		kernel.L2Nibbles(s.query, s.step, codes, scores)
	case s.codec.bits == 8:
		kernel.DotBytes(s.query, codes, scores)
	default:
		kernel.DotNibbles(s.query, codes, scores)
	}
	if s.by == ByL2 {
		for i := range scores {
			scores[i] = -scores[i]
		}
		return
	}
	for i := range scores {
		scores[i] += s.offset
	}
}
