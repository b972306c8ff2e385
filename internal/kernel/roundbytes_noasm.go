//go:build !amd64 || purego

package kernel

func largestAbsolute(x []float32) float32 { return largestAbsoluteGeneric(x) }
