package kernel

import (
	"fmt"
	"math/bits"
)

// Hadamard multiplies x by signs, element by element, and then by the
// Walsh-Hadamard matrix of its length, a power of two of at least 32: in place,
// not normalised. The additions are the same at every Level, so are the bits.
func Hadamard(x, signs []float32) {
	if n := len(x); n < 32 || bits.OnesCount(uint(n)) != 1 || len(signs) != n {
		panic(fmt.Sprintf("kernel.Hadamard: %d numbers and %d signs; want the same power of two of at least 32", n, len(signs)))
	}
	hadamard(x, signs)
}

// hadamardGeneric is the plain definition of Hadamard: butterflies of numbers
// 1 apart, then 2, and so on.
func hadamardGeneric(x, signs []float32) {
	signs = signs[:len(x)]
	for i := range x {
		x[i] *= signs[i]
	}
	for half := 1; half < len(x); half *= 2 {
		for block := 0; block < len(x); block += 2 * half {
			low, high := x[block:block+half], x[block+half:block+2*half]
			for i, a := range low {
				b := high[i]
				low[i], high[i] = a+b, a-b
			}
		}
	}
}
