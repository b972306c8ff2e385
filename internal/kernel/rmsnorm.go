package kernel

import (
	"fmt"
	"math"
)

// RMSNorm sets out to x / √(mean(x²) + eps) · weight (Zhang and Sennrich 2019,
// equation 4) and returns the mean square, which is not finite when an x is not:
// a cheap place to notice. The slices have the same length; out may be x. The
// relative error of an element is at most (n+8)·2⁻²⁴; all levels give the same
// bits.
func RMSNorm(out, x, weight []float32, eps float32) (meanSquare float32) {
	if len(out) != len(x) || len(weight) != len(x) || len(x) == 0 {
		panic(fmt.Sprintf("kernel.RMSNorm: lengths %d, %d and %d", len(out), len(x), len(weight)))
	}
	meanSquare = sumSquares(x) / float32(len(x))
	scaleBy(out, x, weight, 1/float32(math.Sqrt(float64(meanSquare)+float64(eps))))
	return meanSquare
}

// scaleByGeneric is the definition of out = x·s·weight.
func scaleByGeneric(out, x, weight []float32, s float32) {
	for i, v := range x {
		out[i] = float32(v*s) * weight[i]
	}
}
