package kernel

import "fmt"

// SoftCap sets every x to limit·tanh(scale·x/limit), which keeps it within
// ±limit and leaves what is small nearly alone (Gemma 2, section 2 of its
// report). scale and limit are positive. The error is at most 2⁻²⁰·limit; all
// levels give the same bits. NaN stays NaN.
func SoftCap(x []float32, scale, limit float32) {
	if !(scale > 0) || !(limit > 0) {
		panic(fmt.Sprintf("kernel.SoftCap: scale %v and limit %v", scale, limit))
	}
	// tanh(y) = 1 − 2/(e²ʸ + 1), which is right at both ends: there the
	// exponential is 0 or infinite.
	expSum(x, x, 2*scale/limit, 0)
	double := 2 * limit
	for i, e := range x {
		x[i] = limit - double/(e+1)
	}
}
