package kernel

import "math"

// LogSumExp returns ln Σ exp(xᵢ), which is what a log-probability is relative
// to: that of x's i-th token is xᵢ − LogSumExp(x). The error is at most 2⁻²⁰
// beside that of the largest xᵢ; all levels give the same bits. It is NaN where
// an xᵢ is, and −∞ for no x at all.
func LogSumExp(x []float32) float64 {
	peak := maximum(x)
	if math.IsInf(float64(peak), -1) && !hasNaN(x) {
		return math.Inf(-1)
	}
	var weights [256]float32
	sum := 0.0
	for len(x) > 0 {
		n := min(len(x), len(weights))
		sum += float64(expSum(x[:n], weights[:n], 1, peak))
		x = x[n:]
	}
	return float64(peak) + math.Log(sum)
}

func hasNaN(x []float32) bool {
	for _, v := range x {
		if v != v {
			return true
		}
	}
	return false
}
