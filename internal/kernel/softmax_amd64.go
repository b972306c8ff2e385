//go:build !purego

package kernel

// The assembly wants at least one element.

//go:noescape
func softmaxAVX512(x []float32, scale float32)

//go:noescape
func softmaxAVX2(x []float32, scale float32)

func softmax(x []float32, scale float32) {
	switch {
	case useAVX512:
		softmaxAVX512(x, scale)
	case useAVX2:
		softmaxAVX2(x, scale)
	default:
		softmaxGeneric(x, scale)
	}
}
