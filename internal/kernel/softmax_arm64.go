//go:build !purego

package kernel

func softmax(x []float32, scale float32) {
	if !useNEON {
		softmaxGeneric(x, scale)
		return
	}
	largest := maximum(x)
	for i := range x {
		x[i] -= largest
	}
	inverse := 1 / expSum(x, x, scale, 0)
	for i := range x {
		x[i] *= inverse
	}
}
