package quant

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// RaBitQ keeps the direction of a vector's difference from a centre, randomly
// rotated, with 1 to 8 bits a dimension: Gao and Long, "RaBitQ", SIGMOD 2024, and
// Gao et al., "Practical and asymptotically optimal quantization of high-dimensional
// vectors", SIGMOD 2025, for more than one bit. It is not trained, and its
// estimates of inner products have no bias: a code has two numbers, the residual's
// share in the code's direction and its squared norm, that make them so.
//
// With u the code of residual r as odd integers, the estimate of ⟨r, q⟩ is
// f·⟨u, q⟩ with f = |r|²/⟨u, r⟩.
type RaBitQ struct {
	dimensions, bits int
	centre           []float32
	rotation         *Rotation
}

// rabitqFactors is the size of a code's two numbers.
const rabitqFactors = 8

// NewRaBitQ returns a codec of 1 to 8 bits for vectors around a centre, which it
// copies; nil means the origin.
func NewRaBitQ(dimensions, bits int, centre []float32, seed uint64) (*RaBitQ, error) {
	if dimensions < 1 || bits < 1 || bits > 8 || centre != nil && len(centre) != dimensions {
		return nil, fmt.Errorf("rabitq: %d bits for %d dimensions around a centre of %d", bits, dimensions, len(centre))
	}
	c := &RaBitQ{dimensions: dimensions, bits: bits, centre: make([]float32, dimensions), rotation: NewRotation(dimensions, seed)}
	copy(c.centre, centre)
	return c, nil
}

// Name returns "rabitq" and the bits.
func (c *RaBitQ) Name() string { return fmt.Sprintf("rabitq%d", c.bits) }

// Dimensions implements Codec.
func (c *RaBitQ) Dimensions() int { return c.dimensions }

// CodeSize implements Codec.
func (c *RaBitQ) CodeSize() int {
	return rabitqFactors + (c.rotation.Dimensions()*c.bits+7)/8
}

// residual returns x − centre, rotated.
func (c *RaBitQ) residual(x []float32) []float32 {
	r := make([]float32, c.rotation.Dimensions())
	copy(r, x)
	kernel.Axpy(-1, c.centre, r[:c.dimensions])
	c.rotation.Apply(r)
	return r
}

// Encode implements Codec: the factor f, |r|², then the numbers, the first in the
// lowest bits.
func (c *RaBitQ) Encode(x []float32, code []byte) {
	checkVector(c, x)
	checkCode(c, code)
	r := c.residual(x)
	numbers := make([]int, len(r))
	product := c.round(r, numbers)
	square := kernel.Dot(r, r)
	factor := float32(0)
	if product > 0 {
		factor = float32(float64(square) / product)
	}
	clear(code)
	binary.LittleEndian.PutUint32(code, math.Float32bits(factor))
	binary.LittleEndian.PutUint32(code[4:], math.Float32bits(square))
	for i, n := range numbers {
		// −(2^bits−1), …, −1, 1, …, 2^bits−1 become 0 to 2^bits−1.
		c.put(code[rabitqFactors:], i, (n+1<<c.bits-1)/2)
	}
}

// round chooses the code whose direction is nearest to that of r among some scales,
// and returns its product with r.
func (c *RaBitQ) round(r []float32, numbers []int) (product float64) {
	largest := float32(0)
	for _, v := range r {
		largest = max(largest, v, -v)
	}
	if largest == 0 {
		for i := range numbers {
			numbers[i] = 1
		}
		return 0
	}
	scales := 1
	if c.bits > 1 {
		scales = 24
	}
	best, bestScale := -1.0, 0.0
	top := float64(int(1)<<c.bits - 1)
	for s := range scales {
		// The best scale maps numbers well inside the largest to the outermost step.
		scale := top / float64(largest) * (1 + 3*float64(s)/24)
		if cosine, _ := c.roundAt(r, scale, numbers); cosine > best {
			best, bestScale = cosine, scale
		}
	}
	_, product = c.roundAt(r, bestScale, numbers)
	return product
}

// roundAt rounds r·scale to odd integers, and returns the square of the cosine with r
// times |r|² and the product.
func (c *RaBitQ) roundAt(r []float32, scale float64, numbers []int) (cosine, product float64) {
	top := int(1)<<c.bits - 1
	square := 0.0
	for i, v := range r {
		n := 2*int(math.Floor(float64(v)*scale/2)) + 1
		n = max(-top, min(top, n))
		numbers[i] = n
		product += float64(n) * float64(v)
		square += float64(n * n)
	}
	return product * math.Abs(product) / square, product
}

// put writes the i-th number of bits bits.
func (c *RaBitQ) put(b []byte, i, n int) {
	at := i * c.bits
	wide := n << (at % 8)
	b[at/8] |= byte(wide)
	if wide > math.MaxUint8 {
		b[at/8+1] |= byte(wide >> 8)
	}
}

func (c *RaBitQ) get(b []byte, i int) int {
	at := i * c.bits
	wide := int(b[at/8])
	if at%8+c.bits > 8 {
		wide |= int(b[at/8+1]) << 8
	}
	return wide >> (at % 8) & (1<<c.bits - 1)
}

// numbers writes a code's odd integers to u.
func (c *RaBitQ) numbers(code []byte, u []float32) {
	top := 1<<c.bits - 1
	for i := range u {
		u[i] = float32(2*c.get(code[rabitqFactors:], i) - top)
	}
}

// Decode implements Codec.
func (c *RaBitQ) Decode(code []byte, x []float32) {
	checkCode(c, code)
	u := make([]float32, c.rotation.Dimensions())
	c.numbers(code, u)
	factor := math.Float32frombits(binary.LittleEndian.Uint32(code))
	square := float64(math.Float32frombits(binary.LittleEndian.Uint32(code[4:])))
	// The vector of the code's direction with the residual's norm: f alone is longer.
	if norm := float64(kernel.Dot(u, u)); norm > 0 && factor != 0 {
		factor = float32(math.Sqrt(square / norm))
	}
	for i := range u {
		u[i] *= factor
	}
	c.rotation.Invert(u)
	copy(x, u[:c.dimensions])
	kernel.Axpy(1, c.centre, x[:c.dimensions])
}

// rabitqScorer holds a query minus the centre, rotated.
type rabitqScorer struct {
	codec    *RaBitQ
	by       Similarity
	rotated  []float32 // of the query for ByDot, of its residual for ByL2
	constant float32   // ⟨query, centre⟩ for ByDot, −|residual|² for ByL2
	u        []float32
}

// Scorer implements Codec.
func (c *RaBitQ) Scorer(query []float32, by Similarity) Scorer {
	checkVector(c, query)
	s := &rabitqScorer{codec: c, by: by, u: make([]float32, c.rotation.Dimensions())}
	if by == ByL2 {
		s.rotated = c.residual(query)
		s.constant = -kernel.Dot(s.rotated, s.rotated)
		return s
	}
	s.rotated = make([]float32, c.rotation.Dimensions())
	copy(s.rotated, query)
	c.rotation.Apply(s.rotated)
	s.constant = kernel.Dot(query, c.centre)
	return s
}

func (s *rabitqScorer) Score(codes []byte, scores []float32) {
	size := s.codec.CodeSize()
	for i := range scores {
		code := codes[i*size : (i+1)*size]
		s.codec.numbers(code, s.u)
		product := math.Float32frombits(binary.LittleEndian.Uint32(code)) * kernel.Dot(s.u, s.rotated)
		scores[i] = s.constant + product
		if s.by == ByL2 {
			scores[i] += product - math.Float32frombits(binary.LittleEndian.Uint32(code[4:]))
		}
	}
}
