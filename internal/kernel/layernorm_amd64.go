//go:build !purego

package kernel

//go:noescape
func sumAVX512(x []float32) float32

//go:noescape
func sumAVX2(x []float32) float32

//go:noescape
func deviationAVX512(x []float32, mean float32) float32

//go:noescape
func deviationAVX2(x []float32, mean float32) float32

//go:noescape
func normaliseAVX512(x, gain, bias []float32, mean, scale float32)

//go:noescape
func normaliseAVX2(x, gain, bias []float32, mean, scale float32)

func sum(x []float32) float32 {
	switch {
	case useAVX512:
		return sumAVX512(x)
	case useAVX2:
		return sumAVX2(x)
	}
	return sumGeneric(x)
}

func deviation(x []float32, mean float32) float32 {
	switch {
	case useAVX512:
		return deviationAVX512(x, mean)
	case useAVX2:
		return deviationAVX2(x, mean)
	}
	return deviationGeneric(x, mean)
}

func normalise(x, gain, bias []float32, mean, scale float32) {
	switch {
	case useAVX512:
		normaliseAVX512(x, gain, bias, mean, scale)
	case useAVX2:
		normaliseAVX2(x, gain, bias, mean, scale)
	default:
		normaliseGeneric(x, gain, bias, mean, scale)
	}
}
