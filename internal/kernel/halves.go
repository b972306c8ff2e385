package kernel

import "fmt"

// HalvesUnit is what the lengths of vectors of half-precision numbers are a
// multiple of in L2Halves and its kin.
const HalvesUnit = 32

// PutHalves sets dst[i] to src[i] in half precision, rounded to nearest, ties
// to even; beyond 65,504 that is infinity. Both have the same length.
func PutHalves(dst []uint16, src []float32) {
	if len(dst) != len(src) {
		panic(fmt.Sprintf("kernel.PutHalves: lengths %d and %d differ", len(dst), len(src)))
	}
	putHalves(dst, src)
}

// GetHalves sets dst[i] to the value of the half-precision number src[i]. Both
// have the same length.
func GetHalves(dst []float32, src []uint16) {
	if len(dst) != len(src) {
		panic(fmt.Sprintf("kernel.GetHalves: lengths %d and %d differ", len(dst), len(src)))
	}
	getHalves(dst, src)
}

// L2Halves returns the squared Euclidean distance of q and a vector of
// half-precision numbers of the same length, a multiple of HalvesUnit. The error is at
// most (n+2)·2⁻²⁴·Σ(qᵢ-vᵢ)². AVX2 and AVX512 give the same bits.
//
// While it reads, it asks for the same stretch of memory that lies ahead bytes
// further on, to be there when it is wanted soon; any number will do, and with 0
// it asks for nothing new.
func L2Halves(q []float32, v []uint16, ahead int) float32 {
	if len(q) != len(v) || len(q)%HalvesUnit != 0 {
		panic(fmt.Sprintf("kernel.L2Halves: lengths %d and %d; want the same multiple of %d", len(q), len(v), HalvesUnit))
	}
	if len(q) == 0 {
		return 0
	}
	return l2Halves(q, v, ahead)
}

// Prefetch asks for the cache lines of memory that will be read soon.
func Prefetch(memory []byte) {
	if len(memory) > 0 {
		prefetch(memory)
	}
}

// l2HalvesGeneric is the plain definition of L2Halves.
func l2HalvesGeneric(q []float32, v []uint16) float32 {
	var s0, s1, s2, s3 float32
	v = v[:len(q)]
	for i := 0; i+4 <= len(q); i += 4 {
		d0, d1, d2, d3 := q[i]-Float16(v[i]), q[i+1]-Float16(v[i+1]), q[i+2]-Float16(v[i+2]), q[i+3]-Float16(v[i+3])
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
	}
	return (s0 + s1) + (s2 + s3)
}

// putHalvesGeneric is the plain definition of PutHalves.
func putHalvesGeneric(dst []uint16, src []float32) {
	for i, x := range src {
		dst[i] = ToFloat16(x)
	}
}

// getHalvesGeneric is the plain definition of GetHalves.
func getHalvesGeneric(dst []float32, src []uint16) {
	for i, h := range src {
		dst[i] = Float16(h)
	}
}
