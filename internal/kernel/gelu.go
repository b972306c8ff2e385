package kernel

import "math"

// GELU sets every x to x·Φ(x), Φ being the normal distribution function
// (Hendrycks and Gimpel 2016, the exact form with erf and not its tanh
// approximation). The error is at most 2⁻²¹·max(1, |x|). NaN stays NaN and +∞
// stays +∞.
//
// The vector versions take Φ(x) = ½ + x·P(x²)/Q(x²), both polynomials of degree
// five, from a minimax fit to erf whose own error is 2·10⁻⁸; beyond |x| = 5.54
// they take the value there, which is 0 or 1 to within a rounding.
func GELU(x []float32) { gelu(x) }

func geluGeneric(x []float32) {
	for i, v := range x {
		x[i] = float32(0.5 * float64(v) * (1 + math.Erf(float64(v)/math.Sqrt2)))
	}
}
