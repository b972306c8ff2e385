//go:build !purego

package kernel

//go:noescape
func l1AVX512(a, b []float32) float32

//go:noescape
func l1AVX2(a, b []float32) float32

func l1(a, b []float32) float32 {
	switch {
	case useAVX512:
		return l1AVX512(a, b)
	case useAVX2:
		return l1AVX2(a, b)
	}
	return l1Generic(a, b)
}
