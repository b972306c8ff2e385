//go:build !amd64 || purego

package kernel

func l1(a, b []float32) float32 { return l1Generic(a, b) }
