//go:build !purego

package kernel

//go:noescape
func hadamardAVX2(x, signs []float32)

// hadamard uses eight lanes at AVX512 too: a query is transformed once and
// then compared with thousands of rows.
func hadamard(x, signs []float32) {
	if useAVX2 {
		hadamardAVX2(x, signs)
		return
	}
	hadamardGeneric(x, signs)
}
