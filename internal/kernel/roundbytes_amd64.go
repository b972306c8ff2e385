//go:build !purego

package kernel

// largestAbsoluteAVX2 wants a multiple of 32 numbers, at least as many.
//
//go:noescape
func largestAbsoluteAVX2(x []float32) float32

func largestAbsolute(x []float32) float32 {
	if useAVX2 {
		return largestAbsoluteAVX2(x)
	}
	return largestAbsoluteGeneric(x)
}
