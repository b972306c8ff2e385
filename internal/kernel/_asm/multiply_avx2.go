package main

import "fmt"

// avx2 writes the tile for n rows at 256 bits: eight rows of weights at a time,
// so a group is passed over twice, the second time in the first-level cache.
func (q *format) avx2(f *file, n int, which planes) {
	name := fmt.Sprintf("%sx%d%sAVX2", q.name, n, which)
	f.begin(name, quantArgs, 56,
		"Y0, Y1 float sums; Y2, Y3 integer sums; Y4-Y7 16-bit sums; Y8 quants; Y9,",
		"Y10 whatever; Y12-Y15 constants; R13 scales and quants of this half of a block;",
		"R14 blocks left that share scales, R12 those; R15 halves left; R11 bytes of a group")
	prologue(f, n)
	q.constants256(f)
	f.op("MOVQ blocks+24(FP), R11")
	f.op("IMULQ $%d, R11", q.scales()+q.quants())
	if q.super {
		f.op("MOVQ blocks+24(FP), R12")
		f.op("IMULQ $%d, R12", q.header()/superBlocks)
		f.op("ADDQ R12, R11")
	}
	f.at(name + "Group")
	f.op("XORQ R15, R15")
	f.at(name + "Half")
	f.op("MOVQ AX, R13")
	f.op("MOVQ DI, BX")
	f.op("MOVQ blocks+24(FP), CX")
	for t := range n {
		f.op("VXORPS Y%d, Y%d, Y%d", t, t, t)
	}
	if q.super {
		f.at(name + "Super")
		f.op("LEAQ (R13)(R15*1), R12 // shared scales of this half's rows are 2 bytes a row")
		f.op("ADDQ $%d, R13", q.header())
		f.op("MOVQ $%d, R14", superBlocks)
	}
	f.at(name + "Block")
	q.prefetch(f, "R13")
	for part := range q.parts {
		q.part256(f, n, part, which)
	}
	f.op("ADDQ $%d, R13", q.scales()+q.quants())
	f.op("ADDQ $%d, BX", blockStride)
	if q.super {
		f.op("DECQ R14")
		f.op("JNZ %sBlock", name)
		f.op("SUBQ $%d, CX", superBlocks)
		f.op("JNZ %sSuper", name)
	} else {
		f.op("DECQ CX")
		f.op("JNZ %sBlock", name)
	}
	f.op("MOVQ DX, R10")
	for t := range n {
		f.op("VMOVUPS Y%d, (R10)", t)
		if t < n-1 {
			f.op("ADDQ R8, R10")
		}
	}
	f.op("ADDQ $32, DX")
	f.note("the other half of the rows: their half-precision numbers are 16 bytes on")
	f.op("ADDQ $16, R15")
	f.op("CMPQ R15, $32")
	f.op("JNE %sHalf", name)
	f.op("ADDQ R11, AX")
	f.op("DECQ SI")
	f.op("JNZ %sGroup", name)
	f.end()
}

// constants256 loads Y15 (ones), Y14 (128s), both of 16 bits, and for quants of
// less than eight bits Y13 (the low half of each byte) and Y12 (the table, or the
// mask of the bits beyond four); for bytes Y13 has their sign bit.
func (q *format) constants256(f *file) {
	f.op("VPCMPEQW Y15, Y15, Y15")
	f.op("VPSRLW $15, Y15, Y15")
	f.op("VPSLLW $7, Y15, Y14")
	broadcast := func(v, y int) {
		f.op("MOVL $%#x, R13", v)
		f.op("VMOVD R13, X%d", y)
		f.op("VPBROADCASTD X%d, Y%d", y, y)
	}
	if q.bits == 8 {
		broadcast(0x80808080, 13)
		return
	}
	broadcast(0x0f0f0f0f, 13)
	switch {
	case q.table:
		broadcast(0x80808080, 11)
		f.op("VBROADCASTI128 quantTable<>(SB), Y12")
		f.op("VPXOR Y11, Y12, Y12 // as signed bytes")
	case q.bits == 5:
		broadcast(0x10101010, 12)
	case q.bits == 6:
		broadcast(0x30303030, 12)
	}
}

// signed reports whether the quants are multiplied as signed bytes: those of
// eight bits, whose products with unsigned ones would saturate.
func (q *format) signed() bool { return q.bits == 8 || q.table }

// quads256 is how many products of four columns a 16-bit sum holds: pairs of
// quants of 4, 5 and 6 bits times at most 127.
func (q *format) quads256() int {
	switch {
	case q.signed():
		return 1
	case q.bits == 4:
		return 8 / q.parts
	case q.bits == 5:
		return 4
	}
	return 2
}

// part256 adds what one scale covers: all of a block, or half of its columns.
func (q *format) part256(f *file, n, part int, which planes) {
	quads := 8 / q.parts
	for t := range n {
		if q.start >= 0 && !q.signed() {
			f.op("VPBROADCASTD %s, Y%d", row(t, q.start+4*part), 2+t)
		} else {
			f.op("VPXOR Y%d, Y%d, Y%d", 2+t, 2+t, 2+t)
		}
	}
	for from := 0; from < quads; from += q.quads256() {
		for k := from; k < from+q.quads256(); k++ {
			q.quad256(f, n, part*quads+k, k == from, which)
		}
		for t := range n {
			f.op("VPMADDWD Y14, Y%d, Y%d // high plane", 4+2*t, 4+2*t)
			f.op("VPADDD Y%d, Y%d, Y%d", 4+2*t, 2+t, 2+t)
			if which == bothPlanes {
				f.op("VPMADDWD Y15, Y%d, Y%d", 5+2*t, 5+2*t)
				f.op("VPADDD Y%d, Y%d, Y%d", 5+2*t, 2+t, 2+t)
			}
		}
	}
	q.scale256(f, 0, part, 8, 9)
	for t := range n {
		f.op("VCVTDQ2PS Y%d, Y%d", 2+t, 2+t)
		f.op("VBROADCASTSS %s, Y10", row(t, scaleOffset))
		f.op("VMULPS Y10, Y8, Y10 // both scales")
		f.op("VFMADD231PS Y10, Y%d, Y%d", 2+t, t)
	}
	if !q.min {
		return
	}
	q.scale256(f, 1, part, 8, 9)
	add := "VFMADD231PS"
	if q.super {
		add = "VFNMADD231PS"
	}
	for t := range n {
		f.op("VBROADCASTSS %s, Y10", row(t, q.sum(part)))
		f.op("%s Y10, Y8, Y%d // minimum times sum", add, t)
	}
}

// scale256 loads a part's scales (which 0) or minima (1) of eight rows.
func (q *format) scale256(f *file, which, part, y, temp int) {
	if !q.super {
		f.op("VCVTPH2PS %d(R13)(R15*1), Y%d", 32*which, y)
		return
	}
	f.note("bytes: of this half's rows at half of R15")
	f.op("SHRQ $1, R15")
	f.op("VPMOVSXBD %d(R13)(R15*1), Y%d", 16*(which*q.parts+part), y)
	f.op("SHLQ $1, R15")
	f.op("VCVTPH2PS %d(R12), Y%d", 32*which, temp)
	f.op("VCVTDQ2PS Y%d, Y%d", y, y)
	f.op("VMULPS Y%d, Y%d, Y%d", temp, y, y)
}

// quad256 multiplies columns 4·quad to 4·quad+3 by n rows. The products start
// the 16-bit sums or are added to them.
func (q *format) quad256(f *file, n, quad int, first bool, which planes) {
	at := func(offset int) string { return fmt.Sprintf("%d(R13)(R15*2)", q.scales()+offset) }
	switch {
	case q.bits == 8:
		f.op("VPXOR %s, Y13, Y8 // columns %d to %d", at(64*quad), 4*quad, 4*quad+3)
	case quad < 4:
		f.op("VPAND %s, Y13, Y8 // columns %d to %d", at(64*quad), 4*quad, 4*quad+3)
	default:
		f.op("VMOVDQU %s, Y8", at(64*(quad-4)))
		f.op("VPSRLW $4, Y8, Y8")
		f.op("VPAND Y13, Y8, Y8 // columns %d to %d", 4*quad, 4*quad+3)
	}
	plane, bit := 256, quad
	if q.bits == 6 {
		plane, bit = 256+64*(quad/4), 2*(quad%4)
	}
	switch {
	case q.table:
		f.op("VPSHUFB Y8, Y12, Y8")
	case q.bits == 5 || q.bits == 6:
		f.op("VMOVDQU %s, Y9", at(plane))
		if bit != 4 {
			shift(f, "Y9", bit, "Y9")
		}
		f.op("VPAND Y12, Y9, Y9")
		f.op("VPOR Y9, Y8, Y8")
	}
	if q.signed() {
		f.op("VPABSB Y8, Y9 // the sign goes over to the activations")
	}
	for t := range n {
		for plane, offset := range []int{0, lowOffset} {
			if offset == lowOffset && which != bothPlanes {
				continue
			}
			sum := 4 + 2*t + plane
			f.op("VPBROADCASTD %s, Y10", row(t, offset+4*quad))
			quants := 8
			if q.signed() {
				f.op("VPSIGNB Y8, Y10, Y10")
				quants = 9
			}
			if first {
				f.op("VPMADDUBSW Y10, Y%d, Y%d", quants, sum)
				continue
			}
			f.op("VPMADDUBSW Y10, Y%d, Y10", quants)
			f.op("VPADDW Y10, Y%d, Y%d", sum, sum)
		}
	}
}
