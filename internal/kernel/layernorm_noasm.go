//go:build (!amd64 && !arm64) || purego

package kernel

func sum(x []float32) float32 { return sumGeneric(x) }

func deviation(x []float32, mean float32) float32 { return deviationGeneric(x, mean) }

func normalise(x, gain, bias []float32, mean, scale float32) {
	normaliseGeneric(x, gain, bias, mean, scale)
}
