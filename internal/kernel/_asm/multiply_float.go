package main

import "fmt"

const floatArgs = "(weights *byte, a, out *float32, cols, groups, aStride, outStride int)"

// float is a float weight format.
type float struct {
	name, held string
	bytes      int // of a number
	load       func(f *file, from, to string)
}

var floats = []float{
	{"f32", "F32", 4, func(f *file, from, to string) { f.op("VMOVUPS %s, %s", from, to) }},
	{"f16", "F16", 2, func(f *file, from, to string) { f.op("VCVTPH2PS %s, %s", from, to) }},
	{"bf16", "BF16", 2, func(f *file, from, to string) {
		f.op("VPMOVZXWD %s, %s", from, to)
		f.op("VPSLLD $16, %s, %s", to, to)
	}},
}

// avx512 writes the tile of float weights.
func (w *float) avx512(f *file, n int) {
	name := fmt.Sprintf("%sx%dAVX512", w.name, n)
	f.begin(name, floatArgs, 56, "Z0-Z7 sums; Z8 one column of 16 rows")
	prologue(f, n)
	f.at(name + "Group")
	f.op("MOVQ DI, BX")
	f.op("MOVQ cols+24(FP), CX")
	for t := range n {
		f.op("VPXORQ Z%d, Z%d, Z%d", t, t, t)
	}
	f.at(name + "Column")
	w.load(f, "(AX)", "Z8")
	for t := range n {
		f.op("VFMADD231PS.BCST %s, Z8, Z%d", row(t, 0), t)
	}
	f.op("ADDQ $%d, AX", 16*w.bytes)
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sColumn", name)
	store(f, n, "Z", 64, 1)
	f.op("ADDQ $64, DX")
	f.op("DECQ SI")
	f.op("JNZ %sGroup", name)
	f.end()
}

// avx2 is the same at 256 bits.
func (w *float) avx2(f *file, n int) {
	name := fmt.Sprintf("%sx%dAVX2", w.name, n)
	f.begin(name, floatArgs, 56, "Y0-Y7 sums, two a row; Y8, Y9 one column of 16 rows; Y10 an activation")
	prologue(f, n)
	f.at(name + "Group")
	f.op("MOVQ DI, BX")
	f.op("MOVQ cols+24(FP), CX")
	for t := range 2 * n {
		f.op("VXORPS Y%d, Y%d, Y%d", t, t, t)
	}
	f.at(name + "Column")
	w.load(f, "(AX)", "Y8")
	w.load(f, fmt.Sprintf("%d(AX)", 8*w.bytes), "Y9")
	for t := range n {
		f.op("VBROADCASTSS %s, Y10", row(t, 0))
		f.op("VFMADD231PS Y10, Y8, Y%d", 2*t)
		f.op("VFMADD231PS Y10, Y9, Y%d", 2*t+1)
	}
	f.op("ADDQ $%d, AX", 16*w.bytes)
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sColumn", name)
	store(f, n, "Y", 32, 2)
	f.op("ADDQ $64, DX")
	f.op("DECQ SI")
	f.op("JNZ %sGroup", name)
	f.end()
}
