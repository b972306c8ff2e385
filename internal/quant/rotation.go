package quant

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/ragstone/ragstone/internal/kernel"
)

// RotationUnit is what the dimensions of a rotation are a multiple of.
const RotationUnit = 32

// PaddedDimensions returns the dimensions that vectors of d have once rotated.
func PaddedDimensions(d int) int { return (d + RotationUnit - 1) / RotationUnit * RotationUnit }

// Rotation is a pseudo-random rotation: rounds of random signs and a
// Walsh-Hadamard transform (Ailon and Chazelle 2009, "The fast
// Johnson-Lindenstrauss transform"). The transform needs a power of two, so rounds
// take turns at the first and at the last such stretch of the vector. It spreads
// what is in few coordinates over all and keeps distances. Safe for concurrent use.
type Rotation struct {
	dimensions int // padded
	seed       uint64
	stretch    int         // the largest power of two in dimensions
	signs      [][]float32 // a round each: ±1/√stretch
}

// NewRotation returns the rotation of a seed for vectors of d dimensions, padded
// to PaddedDimensions(d).
func NewRotation(d int, seed uint64) *Rotation {
	if d <= 0 {
		panic(fmt.Sprintf("quant.NewRotation: %d dimensions", d))
	}
	r := &Rotation{dimensions: PaddedDimensions(d), seed: seed}
	r.stretch = 1 << (bits.Len(uint(r.dimensions)) - 1)
	rounds := 4
	if r.stretch == r.dimensions {
		rounds = 2
	}
	random := rand.New(rand.NewPCG(seed, 0x726f74617465))
	size := float32(1 / math.Sqrt(float64(r.stretch)))
	for range rounds {
		signs := make([]float32, r.stretch)
		for i := range signs {
			signs[i] = size
			if random.Uint64()&1 == 0 {
				signs[i] = -size
			}
		}
		r.signs = append(r.signs, signs)
	}
	return r
}

// Dimensions returns the length of a rotated vector.
func (r *Rotation) Dimensions() int { return r.dimensions }

// Seed returns what NewRotation was given.
func (r *Rotation) Seed() uint64 { return r.seed }

// Apply rotates x, which has Dimensions numbers, in place.
func (r *Rotation) Apply(x []float32) {
	if len(x) != r.dimensions {
		panic(fmt.Sprintf("quant.Rotation.Apply: %d numbers, want %d", len(x), r.dimensions))
	}
	for round, signs := range r.signs {
		kernel.Hadamard(r.part(x, round), signs)
	}
}

// Invert undoes Apply.
func (r *Rotation) Invert(x []float32) {
	if len(x) != r.dimensions {
		panic(fmt.Sprintf("quant.Rotation.Invert: %d numbers, want %d", len(x), r.dimensions))
	}
	ones := make([]float32, r.stretch)
	for i := range ones {
		ones[i] = 1
	}
	for round := len(r.signs) - 1; round >= 0; round-- {
		part := r.part(x, round)
		kernel.Hadamard(part, ones)
		for i, s := range r.signs[round] {
			part[i] *= s
		}
	}
}

// part returns the stretch of x that a round transforms.
func (r *Rotation) part(x []float32, round int) []float32 {
	if round%2 == 1 {
		return x[len(x)-r.stretch:]
	}
	return x[:r.stretch]
}
