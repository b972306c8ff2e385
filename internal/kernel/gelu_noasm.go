//go:build !amd64 || purego

package kernel

func gelu(x []float32) { geluGeneric(x) }
