//go:build !purego

package kernel

//go:noescape
func geluAVX512(x []float32)

//go:noescape
func geluAVX2(x []float32)

func gelu(x []float32) {
	switch {
	case useAVX512:
		geluAVX512(x)
	case useAVX2:
		geluAVX2(x)
	default:
		geluGeneric(x)
	}
}
