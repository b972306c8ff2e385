package kernel

import (
	"fmt"
	"math"
)

// Pairing says which two elements of a head rotary embedding turns together.
type Pairing int

const (
	// Adjacent pairs 2i with 2i+1, as the paper does and as Llama's GGUF files
	// are laid out.
	Adjacent Pairing = iota
	// Halves pairs i with i+n/2, as Hugging Face's files and the GGUF files of
	// most other families are laid out.
	Halves
)

// RotaryAngles fills cos and sin, one element a frequency, with the angles of a
// position. They are computed in double precision: position·frequency of a long
// context has more digits than float32 keeps.
func RotaryAngles(cos, sin []float32, position int, frequencies []float64) {
	if len(cos) != len(frequencies) || len(sin) != len(frequencies) {
		panic(fmt.Sprintf("kernel.RotaryAngles: %d cosines and %d sines for %d frequencies", len(cos), len(sin), len(frequencies)))
	}
	for i, f := range frequencies {
		s, c := math.Sincos(float64(position) * f)
		cos[i], sin[i] = float32(c), float32(s)
	}
}

// Rotate applies rotary position embedding (Su et al. 2021, equation 34) in
// place to heads of size elements, one after another in x. The first 2·len(cos)
// elements of each are turned; the rest are left as they are. An element's error
// is at most 2⁻²²·(|a|+|b|) of its pair.
func Rotate(x []float32, size int, pairing Pairing, cos, sin []float32) {
	if size < 2*len(cos) || len(sin) != len(cos) || size < 1 || len(x)%size != 0 {
		panic(fmt.Sprintf("kernel.Rotate: %d elements in heads of %d with %d pairs", len(x), size, len(cos)))
	}
	for ; len(x) > 0; x = x[size:] {
		if pairing == Adjacent {
			rotateAdjacent(x, cos, sin)
			continue
		}
		rotateHalves(x[:len(cos)], x[len(cos):2*len(cos)], cos, sin)
	}
}

// rotateAdjacentGeneric is the definition of turning adjacent pairs. Every
// product is rounded, so that all levels give the same bits.
func rotateAdjacentGeneric(x, cos, sin []float32) {
	sin = sin[:len(cos)]
	for i, c := range cos {
		pair, s := x[2*i:2*i+2], sin[i]
		a, b := pair[0], pair[1]
		pair[0], pair[1] = float32(a*c)-float32(b*s), float32(b*c)+float32(a*s)
	}
}

func rotateHalves(x, y, cos, sin []float32) {
	y, sin = y[:len(x)], sin[:len(x)]
	for i, c := range cos {
		a, b, s := x[i], y[i], sin[i]
		x[i], y[i] = float32(a*c)-float32(b*s), float32(b*c)+float32(a*s)
	}
}
