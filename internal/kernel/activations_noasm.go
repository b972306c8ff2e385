//go:build (!amd64 && !arm64) || purego

package kernel

func quantize(x []float32, out []block, coarse bool) { quantizeGeneric(x, out, coarse) }
