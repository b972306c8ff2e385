package kernel

import "math"

// Softmax sets x to exp(scale·x) / Σ exp(scale·x); scale is positive. The
// largest x is subtracted first, so nothing overflows. An element y has an
// error of at most (2·|scale·(x−max x)| + n + 8)·2⁻²⁴·y + e⁻⁸⁵. One NaN or +∞ makes all of x NaN, and
// so does −∞ everywhere. An empty x is left alone.
func Softmax(x []float32, scale float32) {
	if len(x) > 0 {
		softmax(x, scale)
	}
}

func softmaxGeneric(x []float32, scale float32) {
	largest := x[0]
	for _, v := range x {
		if v > largest || v != v {
			largest = v
		}
	}
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp(float64(scale * (v - largest))))
		sum += x[i]
	}
	inverse := 1 / sum
	for i := range x {
		x[i] *= inverse
	}
}
