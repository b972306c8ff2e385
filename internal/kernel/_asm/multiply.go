package main

import "fmt"

// format is a quantised weight format, as NewMatrix packs it.
type format struct {
	name   string
	quants int // bytes before the quants of a block: scales, then minima
	bytes  int // bytes of the quants
	start  int // where a block of activations has the start of the sum, or -1 for zero
}

var formats = []format{
	{"q80", 32, 512, 40},
	{"q40", 32, 256, 44},
	{"q41", 64, 256, -1},
}

// A block of activations: 32 quants, then these.
const (
	scaleOffset = 32
	sumOffset   = 36
	blockStride = 48
)

// prefetchAhead is how far before its use a weight is fetched when few rows
// share it: the kernel then runs at the speed of memory, and the hardware's own
// prefetching stops at each page. Measured on Zen 4: 1 to 4 kB are alike.
const prefetchAhead = 2048

const quantArgs = "(weights *byte, a *block, out *float32, blocks, groups, aStride, outStride int)"

func multiply(f *file) {
	f.raw(`
// Tiles of matrix products: n rows of activations times groups of 16 rows of
// weights, one group after another. See Matrix for how weights are packed and
// block for how activations are. Common registers:
//
//	AX  weights        BX  activations, first row    R9  stride of the rows, bytes
//	DX  out            R8  stride of out, bytes      CX  blocks (columns) left
//	SI  groups left    R10, R11, R12  3, 5 and 7 strides
//
// The sum of a group runs over blocks in order and every float operation is
// rounded by itself, in every height and at every level: the same bits.
`)
	for _, q := range formats {
		for _, n := range []int{1, 2, 4, 8} {
			q.avx512(f, n)
		}
		for _, n := range []int{1, 2, 4} {
			q.avx2(f, n)
		}
	}
	for _, half := range []bool{false, true} {
		for _, n := range []int{1, 2, 4, 8} {
			floatAVX512(f, n, half)
		}
		for _, n := range []int{1, 2, 4} {
			floatAVX2(f, n, half)
		}
	}
}

// prologue loads the arguments that all tiles share.
func prologue(f *file, n int) {
	f.op("MOVQ weights+0(FP), AX")
	f.op("MOVQ a+8(FP), DI")
	f.op("MOVQ out+16(FP), DX")
	f.op("MOVQ groups+32(FP), SI")
	f.op("MOVQ aStride+40(FP), R9")
	f.op("MOVQ outStride+48(FP), R8")
	f.strides(n)
}

// avx512 writes the tile for n rows: VPDPBUSD multiplies four columns of 16
// weight rows at a time by the same four activations.
func (q format) avx512(f *file, n int) {
	name := fmt.Sprintf("%sx%dAVX512", q.name, n)
	// Few rows are too few independent sums to hide the latency of the dot
	// product, so their columns are dealt to several. Integers: the sum is the
	// same.
	parts := map[int]int{1: 4, 2: 2}[n]
	if parts == 0 {
		parts = 1
	}
	f.begin(name, quantArgs, 56,
		"Z0-Z7 float sums; Z8-Z15 integer sums; Z16, Z17 quants; Z18 scales;",
		"Z19 minima; Z20, Z21 products; Z31 the low half of each byte")
	prologue(f, n)
	if q.bytes == 256 {
		f.op("MOVL $0x0f0f0f0f, R13")
		f.op("VPBROADCASTD R13, Z31")
	}
	f.at(name + "Group")
	f.op("MOVQ DI, BX")
	f.op("MOVQ blocks+24(FP), CX")
	for t := range n {
		f.op("VPXORQ Z%d, Z%d, Z%d", t, t, t)
	}
	f.at(name + "Block")
	f.op("VCVTPH2PS (AX), Z18")
	if q.quants == 64 {
		f.op("VCVTPH2PS 32(AX), Z19")
	}
	acc := func(t, k int) int { return 8 + t*parts + k%parts }
	for t := range n {
		for k := range parts {
			if k == 0 && q.start >= 0 {
				f.op("VPBROADCASTD %s, Z%d", row(t, q.start), acc(t, k))
			} else {
				f.op("VPXORQ Z%d, Z%d, Z%d", acc(t, k), acc(t, k), acc(t, k))
			}
		}
	}
	for k := range q.bytes / 64 {
		if q.bytes == 512 {
			f.op("VMOVDQU64 %d(AX), Z%d // columns %d to %d", q.quants+64*k, 16+k%2, 4*k, 4*k+3)
			for t := range n {
				f.op("VPDPBUSD.BCST %s, Z%d, Z%d", row(t, 4*k), 16+k%2, acc(t, k))
			}
			continue
		}
		f.op("VMOVDQU64 %d(AX), Z16", q.quants+64*k)
		f.op("VPSRLW $4, Z16, Z17")
		f.op("VPANDQ Z31, Z16, Z16 // columns %d to %d", 4*k, 4*k+3)
		f.op("VPANDQ Z31, Z17, Z17 // columns %d to %d", 16+4*k, 16+4*k+3)
		for t := range n {
			f.op("VPDPBUSD.BCST %s, Z16, Z%d", row(t, 4*k), acc(t, 2*k))
		}
		for t := range n {
			f.op("VPDPBUSD.BCST %s, Z17, Z%d", row(t, 16+4*k), acc(t, 2*k+1))
		}
	}
	q.prefetch(f, n, "AX")
	for t := range n {
		a := acc(t, 0)
		for step := 1; step < parts; step *= 2 {
			for k := 0; k+step < parts; k += 2 * step {
				f.op("VPADDD Z%d, Z%d, Z%d", a+k+step, a+k, a+k)
			}
		}
		f.op("VCVTDQ2PS Z%d, Z%d", a, a)
		f.op("VMULPS.BCST %s, Z18, Z20 // both scales", row(t, scaleOffset))
		f.op("VMULPS Z20, Z%d, Z%d", a, a)
		f.op("VADDPS Z%d, Z%d, Z%d", a, t, t)
		if q.quants == 64 {
			f.op("VMULPS.BCST %s, Z19, Z21 // minimum times sum", row(t, sumOffset))
			f.op("VADDPS Z21, Z%d, Z%d", t, t)
		}
	}
	f.op("ADDQ $%d, AX", q.quants+q.bytes)
	f.op("ADDQ $%d, BX", blockStride)
	f.op("DECQ CX")
	f.op("JNZ %sBlock", name)
	store(f, n, "Z", 64, 1)
	f.op("ADDQ $64, DX")
	f.op("DECQ SI")
	f.op("JNZ %sGroup", name)
	f.end()
}

// prefetch fetches the block that lies prefetchAhead of the one at a register.
func (q format) prefetch(f *file, n int, block string) {
	if n > 2 {
		return
	}
	for at := 0; at < q.quants+q.bytes; at += 64 {
		f.op("PREFETCHT0 %d(%s)", prefetchAhead+at, block)
	}
}

// store writes the tile's sums, vectors registers of size bytes a row, to DX on.
func store(f *file, n int, register string, size, vectors int) {
	f.op("MOVQ DX, R13")
	for t := range n {
		for v := range vectors {
			f.op("VMOVUPS %s%d, %d(R13)", register, t*vectors+v, size*v)
		}
		if t < n-1 {
			f.op("ADDQ R8, R13")
		}
	}
}

// avx2 writes the tile for n rows at 256 bits: eight rows of weights at a time,
// so a group is passed over twice, the second time in the first-level cache.
func (q format) avx2(f *file, n int) {
	name := fmt.Sprintf("%sx%dAVX2", q.name, n)
	f.begin(name, quantArgs, 56,
		"Y0-Y3 float sums; Y4-Y7 integer sums; Y8, Y9 quants; Y10, Y11 products;",
		"Y12 scales, then minima; Y14, Y15 constants; R13, R14 scales and quants of",
		"this half of a block; R15 halves left; R12 bytes of a group")
	prologue(f, n)
	size := q.quants + q.bytes
	f.op("MOVQ blocks+24(FP), R12")
	f.op("IMULQ $%d, R12", size)
	nibbles := q.bytes == 256
	f.op("VPCMPEQW Y15, Y15, Y15")
	if nibbles {
		f.op("VPSRLW $12, Y15, Y14")
		f.op("VPACKUSWB Y14, Y14, Y14 // the low half of each byte")
	} else {
		f.op("VPSLLW $15, Y15, Y14")
		f.op("VPACKSSWB Y14, Y14, Y14 // the sign bit of each byte")
	}
	f.op("VPSRLW $15, Y15, Y15 // ones")
	f.at(name + "Group")
	f.op("MOVQ AX, R13")
	f.op("LEAQ %d(AX), R14", q.quants)
	f.op("MOVQ $2, R15")
	f.at(name + "Half")
	f.op("MOVQ DI, BX")
	f.op("MOVQ blocks+24(FP), CX")
	for t := range n {
		f.op("VXORPS Y%d, Y%d, Y%d", t, t, t)
	}
	f.at(name + "Block")
	for t := range n {
		f.op("VPXOR Y%d, Y%d, Y%d", 4+t, 4+t, 4+t)
	}
	if nibbles {
		avx2Nibbles(f, n)
	} else {
		avx2Bytes(f, n)
	}
	q.prefetch(f, n, "R13")
	f.op("VCVTPH2PS (R13), Y12")
	for t := range n {
		if nibbles {
			f.op("VPMADDWD Y15, Y%d, Y%d", 4+t, 4+t)
		}
		if nibbles && q.start >= 0 {
			f.op("VPBROADCASTD %s, Y10", row(t, q.start))
			f.op("VPADDD Y10, Y%d, Y%d", 4+t, 4+t)
		}
		f.op("VCVTDQ2PS Y%d, Y%d", 4+t, 4+t)
		f.op("VBROADCASTSS %s, Y10", row(t, scaleOffset))
		f.op("VMULPS Y10, Y12, Y10 // both scales")
		f.op("VMULPS Y10, Y%d, Y%d", 4+t, 4+t)
		f.op("VADDPS Y%d, Y%d, Y%d", 4+t, t, t)
	}
	if q.quants == 64 {
		f.op("VCVTPH2PS 32(R13), Y12")
		for t := range n {
			f.op("VBROADCASTSS %s, Y10", row(t, sumOffset))
			f.op("VMULPS Y10, Y12, Y10 // minimum times sum")
			f.op("VADDPS Y10, Y%d, Y%d", t, t)
		}
	}
	f.op("ADDQ $%d, R13", size)
	f.op("ADDQ $%d, R14", size)
	f.op("ADDQ $%d, BX", blockStride)
	f.op("DECQ CX")
	f.op("JNZ %sBlock", name)
	f.op("MOVQ DX, R11")
	for t := range n {
		f.op("VMOVUPS Y%d, (R11)", t)
		if t < n-1 {
			f.op("ADDQ R8, R11")
		}
	}
	f.op("ADDQ $32, DX")
	f.note("back to the first block: the other half's scales are 16 bytes on, its quants 32")
	f.op("SUBQ R12, R13")
	f.op("ADDQ $16, R13")
	f.op("SUBQ R12, R14")
	f.op("ADDQ $32, R14")
	f.op("DECQ R15")
	f.op("JNZ %sHalf", name)
	f.op("ADDQ R12, AX")
	f.op("DECQ SI")
	f.op("JNZ %sGroup", name)
	f.end()
}

// avx2Nibbles adds a block's 4-bit products to the integer sums as 16-bit
// numbers: eight pairs of at most 15·127 stay below 2¹⁵.
func avx2Nibbles(f *file, n int) {
	for k := range 4 {
		f.op("VMOVDQU %d(R14), Y8", 64*k)
		f.op("VPSRLW $4, Y8, Y9")
		f.op("VPAND Y14, Y8, Y8 // columns %d to %d", 4*k, 4*k+3)
		f.op("VPAND Y14, Y9, Y9 // columns %d to %d", 16+4*k, 16+4*k+3)
		for t := range n {
			f.op("VPBROADCASTD %s, Y10", row(t, 4*k))
			f.op("VPBROADCASTD %s, Y11", row(t, 16+4*k))
			f.op("VPMADDUBSW Y10, Y8, Y10")
			f.op("VPMADDUBSW Y11, Y9, Y11")
			f.op("VPADDW Y10, Y%d, Y%d", 4+t, 4+t)
			f.op("VPADDW Y11, Y%d, Y%d", 4+t, 4+t)
		}
	}
}

// avx2Bytes adds a block's 8-bit products to the integer sums. The instruction
// wants one unsigned side and would saturate at 255·127·2, so the sign of each
// weight goes over to the activation: |w| · sign(w)·a.
func avx2Bytes(f *file, n int) {
	for k := range 8 {
		f.op("VPXOR %d(R14), Y14, Y8", 64*k)
		f.op("VPABSB Y8, Y9")
		for t := range n {
			f.op("VPBROADCASTD %s, Y10", row(t, 4*k))
			f.op("VPSIGNB Y8, Y10, Y10")
			f.op("VPMADDUBSW Y10, Y9, Y10")
			f.op("VPMADDWD Y15, Y10, Y10")
			f.op("VPADDD Y10, Y%d, Y%d", 4+t, 4+t)
		}
	}
}

const floatArgs = "(weights *byte, a, out *float32, cols, groups, aStride, outStride int)"

// floatAVX512 writes the tile of float weights, of half or full precision.
func floatAVX512(f *file, n int, half bool) {
	name, load, bytes := fmt.Sprintf("f32x%dAVX512", n), "VMOVUPS", 64
	if half {
		name, load, bytes = fmt.Sprintf("f16x%dAVX512", n), "VCVTPH2PS", 32
	}
	f.begin(name, floatArgs, 56, "Z0-Z7 sums; Z8 one column of 16 rows")
	prologue(f, n)
	f.at(name + "Group")
	f.op("MOVQ DI, BX")
	f.op("MOVQ cols+24(FP), CX")
	for t := range n {
		f.op("VPXORQ Z%d, Z%d, Z%d", t, t, t)
	}
	f.at(name + "Column")
	f.op("%s (AX), Z8", load)
	for t := range n {
		f.op("VFMADD231PS.BCST %s, Z8, Z%d", row(t, 0), t)
	}
	f.op("ADDQ $%d, AX", bytes)
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sColumn", name)
	store(f, n, "Z", 64, 1)
	f.op("ADDQ $64, DX")
	f.op("DECQ SI")
	f.op("JNZ %sGroup", name)
	f.end()
}

// floatAVX2 is the same at 256 bits.
func floatAVX2(f *file, n int, half bool) {
	name, load, bytes := fmt.Sprintf("f32x%dAVX2", n), "VMOVUPS", 64
	if half {
		name, load, bytes = fmt.Sprintf("f16x%dAVX2", n), "VCVTPH2PS", 32
	}
	f.begin(name, floatArgs, 56, "Y0-Y7 sums, two a row; Y8, Y9 one column of 16 rows; Y10 an activation")
	prologue(f, n)
	f.at(name + "Group")
	f.op("MOVQ DI, BX")
	f.op("MOVQ cols+24(FP), CX")
	for t := range 2 * n {
		f.op("VXORPS Y%d, Y%d, Y%d", t, t, t)
	}
	f.at(name + "Column")
	f.op("%s (AX), Y8", load)
	f.op("%s %d(AX), Y9", load, bytes/2)
	for t := range n {
		f.op("VBROADCASTSS %s, Y10", row(t, 0))
		f.op("VFMADD231PS Y10, Y8, Y%d", 2*t)
		f.op("VFMADD231PS Y10, Y9, Y%d", 2*t+1)
	}
	f.op("ADDQ $%d, AX", bytes)
	f.op("ADDQ $4, BX")
	f.op("DECQ CX")
	f.op("JNZ %sColumn", name)
	store(f, n, "Y", 32, 2)
	f.op("ADDQ $64, DX")
	f.op("DECQ SI")
	f.op("JNZ %sGroup", name)
	f.end()
}
