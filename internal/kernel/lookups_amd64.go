//go:build !purego

package kernel

// lookupsAVX2 wants at least one code of at least one byte. It loads single numbers: the
// gather instructions of AVX2 and AVX512 take longer for as many.
//
//go:noescape
func lookupsAVX2(tables *float32, codes *byte, size int, out []float32)

func lookups(tables []float32, codes []byte, size int, out []float32) {
	if useAVX2 {
		lookupsAVX2(&tables[0], &codes[0], size, out)
		return
	}
	lookupsGeneric(tables, codes, size, out)
}
