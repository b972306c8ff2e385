//go:build !amd64 || purego

package kernel

func hadamard(x, signs []float32) { hadamardGeneric(x, signs) }
