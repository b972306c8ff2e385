package main

import "fmt"

// segmentStride is the bytes between two queries' scores: SegmentTokens floats.
const segmentStride = 1024

func attention(f *file) {
	f.raw(`
// Attention of n queries to one page: 32 tokens' keys, transposed, and values,
// in half precision. Each query's sums run over the numbers of a head, or over
// the tokens, in order, in every height. Common registers:
//
//	AX  keys or values    BX  queries or weights, first row    R9  their stride, bytes
//	DX  out               R8  stride of out, bytes             CX  steps left
//	R10, R11, R12  3, 5 and 7 strides
`)
	for _, n := range []int{1, 2, 3, 4, 8} {
		scoresAVX512(f, n)
		valuesAVX512(f, n)
	}
	for _, n := range []int{1, 2, 3, 4} {
		scoresAVX2(f, n)
		valuesAVX2(f, n)
	}
}

const scoresArgs = "(queries *float32, keys *uint16, out *float32, dim int)"

func scoresPrologue(f *file, n int) {
	f.op("MOVQ queries+0(FP), BX")
	f.op("MOVQ keys+8(FP), AX")
	f.op("MOVQ out+16(FP), DX")
	f.op("MOVQ dim+24(FP), CX")
	f.op("LEAQ (CX*4), R9")
	f.op("MOVQ $%d, R8", segmentStride)
	f.strides(n)
}

// scoresAVX512 writes the products of n queries and 32 keys.
func scoresAVX512(f *file, n int) {
	name := fmt.Sprintf("scoresx%dAVX512", n)
	f.begin(name, scoresArgs, 32, "Z0-Z15 scores, two registers a query; Z16, Z17 one number of 32 keys")
	scoresPrologue(f, n)
	for t := range 2 * n {
		f.op("VPXORQ Z%d, Z%d, Z%d", t, t, t)
	}
	f.at(name + "Number")
	f.op("VCVTPH2PS (AX), Z16")
	f.op("VCVTPH2PS 32(AX), Z17")
	for t := range n {
		f.op("VFMADD231PS.BCST %s, Z16, Z%d", row(t, 0), 2*t)
		f.op("VFMADD231PS.BCST %s, Z17, Z%d", row(t, 0), 2*t+1)
	}
	f.op("ADDQ $64, AX")
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sNumber", name)
	store(f, n, "Z", 64, 2)
	f.end()
}

// scoresAVX2 is the same at 256 bits, 16 keys at a time.
func scoresAVX2(f *file, n int) {
	name := fmt.Sprintf("scoresx%dAVX2", n)
	f.begin(name, scoresArgs, 32,
		"Y0-Y7 scores, two registers a query; Y8, Y9 one number of 16 keys; Y10 one",
		"of a query; SI keys of this half; DI queries; R15 halves left")
	scoresPrologue(f, n)
	f.op("MOVQ BX, DI")
	f.op("MOVQ $2, R15")
	f.at(name + "Half")
	f.op("MOVQ DI, BX")
	f.op("MOVQ AX, SI")
	f.op("MOVQ dim+24(FP), CX")
	for t := range 2 * n {
		f.op("VXORPS Y%d, Y%d, Y%d", t, t, t)
	}
	f.at(name + "Number")
	f.op("VCVTPH2PS (SI), Y8")
	f.op("VCVTPH2PS 16(SI), Y9")
	for t := range n {
		f.op("VBROADCASTSS %s, Y10", row(t, 0))
		f.op("VFMADD231PS Y10, Y8, Y%d", 2*t)
		f.op("VFMADD231PS Y10, Y9, Y%d", 2*t+1)
	}
	f.op("ADDQ $64, SI")
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sNumber", name)
	store(f, n, "Y", 32, 2)
	f.op("ADDQ $64, DX")
	f.op("ADDQ $32, AX")
	f.op("DECQ R15")
	f.op("JNZ %sHalf", name)
	f.end()
}

const valuesArgs = "(weights *float32, values *uint16, sum *float32, dim, tokens int)"

// values writes adding the weighted values of a page to n sums, 16 numbers of a
// head at a time. load and add write a step, zero and move what surrounds it.
func values(f *file, n int, name string, about string, load, add, fetch, put func()) {
	f.begin(name, valuesArgs, 40, about,
		"SI values of these 16 numbers; DI weights; R8 bytes of a sum; R14 of a value;",
		"R15 numbers of a head left")
	f.op("MOVQ weights+0(FP), DI")
	f.op("MOVQ values+8(FP), AX")
	f.op("MOVQ sum+16(FP), DX")
	f.op("MOVQ dim+24(FP), R15")
	f.op("LEAQ (R15*4), R8")
	f.op("LEAQ (R15*2), R14")
	f.op("MOVQ $%d, R9", segmentStride)
	f.strides(n)
	f.at(name + "Numbers")
	f.op("MOVQ DI, BX")
	f.op("MOVQ AX, SI")
	f.op("MOVQ tokens+32(FP), CX")
	fetch()
	f.at(name + "Token")
	load()
	add()
	f.op("ADDQ R14, SI")
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sToken", name)
	put()
	f.op("ADDQ $32, AX")
	f.op("ADDQ $64, DX")
	f.op("SUBQ $16, R15")
	f.op("JNZ %sNumbers", name)
	f.end()
}

func valuesAVX512(f *file, n int) {
	values(f, n, fmt.Sprintf("valuesx%dAVX512", n), "Z0-Z7 sums; Z8 one token's values;",
		func() { f.op("VCVTPH2PS (SI), Z8") },
		func() {
			for t := range n {
				f.op("VFMADD231PS.BCST %s, Z8, Z%d", row(t, 0), t)
			}
		},
		func() { fetch(f, n, "Z", 64, 1) },
		func() { store(f, n, "Z", 64, 1) })
}

func valuesAVX2(f *file, n int) {
	values(f, n, fmt.Sprintf("valuesx%dAVX2", n), "Y0-Y7 sums, two a query; Y8, Y9 one token's values; Y10 its weight;",
		func() {
			f.op("VCVTPH2PS (SI), Y8")
			f.op("VCVTPH2PS 16(SI), Y9")
		},
		func() {
			for t := range n {
				f.op("VBROADCASTSS %s, Y10", row(t, 0))
				f.op("VFMADD231PS Y10, Y8, Y%d", 2*t)
				f.op("VFMADD231PS Y10, Y9, Y%d", 2*t+1)
			}
		},
		func() { fetch(f, n, "Y", 32, 2) },
		func() { store(f, n, "Y", 32, 2) })
}

// fetch is the reverse of store.
func fetch(f *file, n int, register string, size, vectors int) {
	f.op("MOVQ DX, R13")
	for t := range n {
		for v := range vectors {
			f.op("VMOVUPS %d(R13), %s%d", size*v, register, t*vectors+v)
		}
		if t < n-1 {
			f.op("ADDQ R8, R13")
		}
	}
}
