package kernel

import (
	"fmt"
	"math"
)

// L1 returns the Manhattan distance Σ|aᵢ-bᵢ| of a and b, which must have the
// same length. The error is at most (n+1)·2⁻²⁴·Σ|aᵢ-bᵢ|; what Dot says of
// repeatability holds here too.
func L1(a, b []float32) float32 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("kernel.L1: lengths %d and %d differ", len(a), len(b)))
	}
	return l1(a, b)
}

// l1Generic is the plain definition of L1.
func l1Generic(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += abs32(a[i] - b[i])
		s1 += abs32(a[i+1] - b[i+1])
		s2 += abs32(a[i+2] - b[i+2])
		s3 += abs32(a[i+3] - b[i+3])
	}
	for ; i < len(a); i++ {
		s0 += abs32(a[i] - b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// abs32 returns |x| by clearing the sign.
func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
