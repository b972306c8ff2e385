//go:build !purego

package kernel

// The assembly takes any length, zero too, and reads nothing beyond it.

//go:noescape
func dotAVX512(a, b []float32) float32

//go:noescape
func dotAVX2(a, b []float32) float32

//go:noescape
func l2AVX512(a, b []float32) float32

//go:noescape
func l2AVX2(a, b []float32) float32

// dotRowsAVX512 and dotRowsAVX2 want at least one row and a q that is not
// empty.
//
//go:noescape
func dotRowsAVX512(q, rows, out []float32)

//go:noescape
func dotRowsAVX2(q, rows, out []float32)

//go:noescape
func axpyAVX512(s float32, x, y []float32)

//go:noescape
func axpyAVX2(s float32, x, y []float32)

func dot(a, b []float32) float32 {
	switch {
	case useAVX512:
		return dotAVX512(a, b)
	case useAVX2:
		return dotAVX2(a, b)
	}
	return dotGeneric(a, b)
}

func l2(a, b []float32) float32 {
	switch {
	case useAVX512:
		return l2AVX512(a, b)
	case useAVX2:
		return l2AVX2(a, b)
	}
	return l2Generic(a, b)
}

func dotRows(q, rows, out []float32) {
	switch {
	case useAVX512:
		dotRowsAVX512(q, rows, out)
	case useAVX2:
		dotRowsAVX2(q, rows, out)
	default:
		dotRowsGeneric(q, rows, out)
	}
}

func axpy(s float32, x, y []float32) {
	switch {
	case useAVX512:
		axpyAVX512(s, x, y)
	case useAVX2:
		axpyAVX2(s, x, y)
	default:
		axpyGeneric(s, x, y)
	}
}
