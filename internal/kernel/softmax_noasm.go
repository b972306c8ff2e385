//go:build !amd64 || purego

package kernel

func softmax(x []float32, scale float32) { softmaxGeneric(x, scale) }
