package main

import "fmt"

// Registers of the AVX-512 tiles: Z0 to Z7 the float sums; Z8 to Z23 the integer
// sums of the planes; Z24, Z25 quants; these; Z31 the low half of each byte.
const (
	scale512 = 26
	min512   = 27
	temp512  = 28
	more512  = 29 // mask of the bits beyond four, or the table
)

// avx512 writes the tile for n rows: VPDPBUSD multiplies four columns of 16
// weight rows at a time by the same four activations.
func (q *format) avx512(f *file, n int, which planes) {
	name := fmt.Sprintf("%sx%d%sAVX512", q.name, n, which)
	f.begin(name, quantArgs, 56,
		"Z0-Z7 float sums; Z8-Z23 integer sums; Z24, Z25 quants; Z26 scales; Z27",
		"minima; Z28 whatever; Z29 further constant; Z31 the low half of each byte;",
		"R13 shared scales; R14 blocks left that share them")
	prologue(f, n)
	q.constants512(f)
	f.at(name + "Group")
	f.op("MOVQ DI, BX")
	f.op("MOVQ blocks+24(FP), CX")
	for t := range n {
		f.op("VPXORQ Z%d, Z%d, Z%d", t, t, t)
	}
	if q.super {
		f.at(name + "Super")
		f.op("MOVQ AX, R13")
		f.op("ADDQ $%d, AX", q.header())
		f.op("MOVQ $%d, R14", superBlocks)
	}
	f.at(name + "Block")
	for part := range q.parts {
		q.part512(f, n, part, which)
	}
	q.prefetch(f, "AX")
	f.op("ADDQ $%d, AX", q.scales()+q.quants())
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
	store(f, n, "Z", 64, 1)
	f.op("ADDQ $64, DX")
	f.op("DECQ SI")
	f.op("JNZ %sGroup", name)
	f.end()
}

// constants512 loads Z29 and Z31.
func (q *format) constants512(f *file) {
	if q.bits == 8 {
		return
	}
	f.op("MOVL $0x0f0f0f0f, R13")
	f.op("VPBROADCASTD R13, Z31")
	switch {
	case q.table:
		f.op("VBROADCASTI32X4 quantTable<>(SB), Z%d", more512)
	case q.bits > 4:
		f.op("MOVL $%#x, R13", map[int]int{5: 0x10101010, 6: 0x30303030}[q.bits])
		f.op("VPBROADCASTD R13, Z%d", more512)
	}
}

// sums512 is how many sums the columns of a part and a plane are dealt to: few
// rows are too few independent sums to hide the latency of the dot product.
// Integers: the sum is the same.
func sums512(n int) int {
	if n == 1 {
		return 2
	}
	return 1
}

// part512 adds what one scale covers: all of a block, or half of its columns.
func (q *format) part512(f *file, n, part int, which planes) {
	sums, low := sums512(n), which == bothPlanes
	highSum := func(t, k int) int { return 8 + t*sums + k%sums }
	lowSum := func(t, k int) int { return highSum(t, k) + n*sums }
	start := func(t int) string { return row(t, q.start+4*part) }
	q.scale512(f, part)
	for t := range n {
		for k := range sums {
			f.op("VPXORQ Z%d, Z%d, Z%d", highSum(t, k), highSum(t, k), highSum(t, k))
			switch {
			case !low:
			case k == 0 && q.start >= 0:
				f.op("VPBROADCASTD %s, Z%d", start(t), lowSum(t, k))
			default:
				f.op("VPXORQ Z%d, Z%d, Z%d", lowSum(t, k), lowSum(t, k), lowSum(t, k))
			}
		}
	}
	quads := 8 / q.parts
	for k := range quads {
		quad := part*quads + k
		z := q.quad512(f, quad)
		for t := range n {
			f.op("VPDPBUSD.BCST %s, Z%d, Z%d", row(t, 4*quad), z, highSum(t, k))
			if low {
				f.op("VPDPBUSD.BCST %s, Z%d, Z%d", row(t, lowOffset+4*quad), z, lowSum(t, k))
			}
		}
	}
	for t := range n {
		h := highSum(t, 0)
		for k := 1; k < sums; k++ {
			f.op("VPADDD Z%d, Z%d, Z%d", highSum(t, k), h, h)
			f.op("VPADDD Z%d, Z%d, Z%d", lowSum(t, k), lowSum(t, 0), lowSum(t, 0))
		}
		f.op("VPSLLD $7, Z%d, Z%d", h, h)
		switch {
		case low:
			f.op("VPADDD Z%d, Z%d, Z%d", lowSum(t, 0), h, h)
		case q.start >= 0:
			f.op("VPADDD.BCST %s, Z%d, Z%d", start(t), h, h)
		}
		f.op("VCVTDQ2PS Z%d, Z%d", h, h)
		f.op("VMULPS.BCST %s, Z%d, Z%d // both scales", row(t, scaleOffset), scale512, temp512)
		f.op("VFMADD231PS Z%d, Z%d, Z%d", temp512, h, t)
		if q.min {
			add := "VFMADD231PS"
			if q.super {
				add = "VFNMADD231PS"
			}
			f.op("%s.BCST %s, Z%d, Z%d // minimum times sum", add, row(t, q.sum(part)), min512, t)
		}
	}
}

// scale512 loads the scales and minima of a part.
func (q *format) scale512(f *file, part int) {
	if !q.super {
		f.op("VCVTPH2PS (AX), Z%d", scale512)
		if q.min {
			f.op("VCVTPH2PS 32(AX), Z%d", min512)
		}
		return
	}
	small := func(at, shared, z int) {
		f.op("VPMOVSXBD %d(AX), Z%d", at, z)
		f.op("VCVTPH2PS %d(R13), Z%d", shared, temp512)
		f.op("VCVTDQ2PS Z%d, Z%d", z, z)
		f.op("VMULPS Z%d, Z%d, Z%d", temp512, z, z)
	}
	small(16*part, 0, scale512)
	if q.min {
		small(16*(q.parts+part), 32, min512)
	}
}

// quad512 brings the quants of columns 4·quad to 4·quad+3 into a register, which
// it returns.
func (q *format) quad512(f *file, quad int) int {
	z, at := 24+quad%2, q.scales()
	if q.bits == 8 {
		f.op("VMOVDQU64 %d(AX), Z%d // columns %d to %d", at+64*quad, z, 4*quad, 4*quad+3)
		return z
	}
	if quad < 4 {
		f.op("VPANDQ %d(AX), Z31, Z%d // columns %d to %d", at+64*quad, z, 4*quad, 4*quad+3)
	} else {
		f.op("VPSRLW $4, %d(AX), Z%d", at+64*(quad-4), z)
		f.op("VPANDQ Z31, Z%d, Z%d // columns %d to %d", z, z, 4*quad, 4*quad+3)
	}
	if q.table {
		f.op("VPSHUFB Z%d, Z%d, Z%d", z, more512, z)
		return z
	}
	plane, bit := at+256, quad
	if q.bits == 6 {
		plane, bit = at+256+64*(quad/4), 2*(quad%4)
	}
	if q.bits > 4 {
		shift(f, fmt.Sprintf("%d(AX)", plane), bit, fmt.Sprintf("Z%d", temp512))
		f.op("VPTERNLOGD $0xf8, Z%d, Z%d, Z%d // add the bits that the mask lets pass", more512, temp512, z)
	}
	return z
}

// shift brings bit number bit of each byte to bit 4; a mask must follow.
func shift(f *file, from string, bit int, to string) {
	switch {
	case bit < 4:
		f.op("VPSLLW $%d, %s, %s", 4-bit, from, to)
	case bit > 4:
		f.op("VPSRLW $%d, %s, %s", bit-4, from, to)
	default:
		f.op("VMOVDQU64 %s, %s", from, to)
	}
}
