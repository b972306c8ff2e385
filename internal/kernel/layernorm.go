package kernel

import (
	"fmt"
	"math"
)

// LayerNorm sets x to (x − mean) / √(variance + eps) · gain + bias, with the
// mean and the population variance of x (Ba, Kiros and Hinton 2016, equation
// 4), and returns the variance, which is not finite when an x is not: a cheap
// place to notice. The slices have the same length. The variance is summed from
// deviations, in a second pass, so a large mean does no harm: with σ the
// deviation, an element's error is at most (n+8)·2⁻²⁴·(|gain|·max|x|/σ + |bias|).
func LayerNorm(x, gain, bias []float32, eps float32) (variance float32) {
	if len(gain) != len(x) || len(bias) != len(x) || len(x) == 0 {
		panic(fmt.Sprintf("kernel.LayerNorm: lengths %d, %d and %d", len(x), len(gain), len(bias)))
	}
	n := float32(len(x))
	mean := sum(x) / n
	variance = deviation(x, mean) / n
	normalise(x, gain, bias, mean, 1/float32(math.Sqrt(float64(variance)+float64(eps))))
	return variance
}

// sumGeneric is the definition of Σxᵢ.
func sumGeneric(x []float32) float32 {
	var s [4]float32
	for i, v := range x {
		s[i&3] += v
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// deviationGeneric is the definition of Σ(xᵢ−mean)².
func deviationGeneric(x []float32, mean float32) float32 {
	var s [4]float32
	for i, v := range x {
		s[i&3] += (v - mean) * (v - mean)
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// normaliseGeneric is the definition of x = (x−mean)·scale·gain + bias.
func normaliseGeneric(x, gain, bias []float32, mean, scale float32) {
	for i, v := range x {
		x[i] = (v-mean)*scale*gain[i] + bias[i]
	}
}
