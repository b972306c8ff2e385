//go:build (!amd64 && !arm64) || purego

package kernel

func softmax(x []float32, scale float32) { softmaxGeneric(x, scale) }
