package main

import (
	"fmt"
	"strings"
)

// Registers of the quantised NEON products. A word of weights is four columns
// of a row, so a load of 64 bytes is four columns of all 16 rows, and one
// element of the activations goes with it.
const (
	neonHigh     = 0  // two: the activations' high plane
	neonLow      = 2  // two: their low plane
	neonHighSums = 4  // four: integer sums of the 16 rows
	neonLowSums  = 8  // four
	neonPacked   = 12 // four: as stored
	neonQuants   = 16 // four: a signed byte each
	neonBits     = 20 // four: what is above four bits
	neonNibble   = 24 // the mask of low halves
	neonZero     = 25 // the zero point
	neonTable    = 26
	neonAbove    = 27 // the mask of what is above four bits
	neonSums     = 28 // four: the result
)

// zeroPoint is what is subtracted from a quant as it is stored; a table's
// numbers have it subtracted already.
func (q *format) zeroPoint() int {
	switch {
	case q.table:
		return 0
	case q.start == zero128:
		return 128
	case q.start == zero16:
		return 16
	case q.start == zero8:
		return 8
	case q.start == zero32:
		return 32
	}
	return 0
}

const neonQuantArgs = "(weights *byte, a *block, out *float32, blocks int)"

func multiplyNEON(f *file) {
	f.raw(`
// Products of one row of activations with a group of 16 rows of weights. See
// Matrix for how weights are packed and block for how activations are.
//
//	R0  weights    R1  activations    R2  blocks (columns) left
//	R3  quants     R4  scales         R5  what is above four bits
//	R6  scratch    R7  what eight blocks share    R8  blocks of them left
//
// Quants become signed bytes first, so the integer sums are those of the
// definition, with the zero point taken off before and not after.

// What the 4-bit quants of a table format stand for.
DATA signedTable<>+0(SB)/8, $0xf6eaddcfbfad9881
DATA signedTable<>+8(SB)/8, $0x7159453526190d01
GLOBL signedTable<>(SB), RODATA|NOPTR, $16
`)
	for i := range formats {
		formats[i].neon(f)
	}
	for _, w := range floats {
		w.neon(f)
	}
	d := &f.declarations
	fmt.Fprintf(d, "\nfunc quantGroupNEON(f Format, w *byte, x *block, o *float32, blocks int) {\n\tswitch f {\n")
	for _, q := range formats {
		fmt.Fprintf(d, "\tcase %s:\n\t\t%sNEON(w, x, o, blocks)\n", strings.Join(q.held, ", "), q.name)
	}
	fmt.Fprintf(d, "\t}\n}\n\nfunc floatGroupNEON(f Format, w *byte, x, o *float32, cols int) {\n\tswitch f {\n")
	for _, w := range floats {
		fmt.Fprintf(d, "\tcase %s:\n\t\t%sNEON(w, x, o, cols)\n", w.held, w.name)
	}
	fmt.Fprintf(d, "\t}\n}\n")
}

// neon writes the product of a quantised format.
func (q *format) neon(f *file) {
	f.begin(q.name+"NEON", neonQuantArgs, 32)
	f.op("MOVD weights+0(FP), R0")
	f.op("MOVD a+8(FP), R1")
	f.op("MOVD blocks+24(FP), R2")
	f.op("VMOVI $15, V%d.B16", neonNibble)
	if zero := q.zeroPoint(); zero > 0 {
		f.op("VMOVI $%d, V%d.B16", zero, neonZero)
	}
	switch q.bits {
	case 5:
		f.op("VMOVI $16, V%d.B16", neonAbove)
	case 6:
		f.op("VMOVI $48, V%d.B16", neonAbove)
	}
	if q.table {
		f.op("MOVD $signedTable<>(SB), R6")
		f.op("VLD1 (R6), %s", list(neonTable, 1, "B16"))
	}
	f.zero(neonSums, 4)
	if q.super {
		f.at("stretch")
		f.op("MOVD R0, R7")
		f.op("ADD $%d, R0", q.header())
		f.op("MOVD $%d, R8", superBlocks)
	}
	f.at("block")
	f.op("VLD1 (R1), %s", list(neonHigh, 4, "B16"))
	f.op("MOVD R0, R4")
	f.op("ADD $%d, R0, R3", q.scales())
	f.zero(neonHighSums, 8)
	if q.parts == 1 {
		q.neonDots(f, 0, 8)
		q.neonAdd(f, 0)
	} else {
		q.neonDots(f, 0, 4)
		q.neonAdd(f, 0)
		f.op("ADD $%d, R0, R3", q.scales())
		f.zero(neonHighSums, 8)
		q.neonDots(f, 4, 8)
		q.neonAdd(f, 1)
	}
	f.op("ADD $%d, R0", q.scales()+q.quants())
	f.op("ADD $%d, R1", blockStride)
	f.op("SUB $1, R2")
	if q.super {
		f.op("SUB $1, R8")
		f.op("CBNZ R8, block")
		f.op("CBNZ R2, stretch")
	} else {
		f.op("CBNZ R2, block")
	}
	f.op("MOVD out+16(FP), R6")
	f.op("VST1 %s, (R6)", list(neonSums, 4, "S4"))
	f.op("RET")
}

// neonDots multiplies the fours of columns from one to another, of the eight
// that a block has. Up to six bits, four of them lie in low halves and four in
// high ones.
func (q *format) neonDots(f *file, from, to int) {
	if q.bits == 8 {
		for four := from; four < to; four++ {
			f.op("VLD1.P 64(R3), %s", list(neonQuants, 4, "B16"))
			for i := range 4 {
				f.op("VEOR V%d.B16, V%d.B16, V%d.B16", neonZero, neonQuants+i, neonQuants+i)
			}
			neonDot(f, four)
		}
		return
	}
	for k := range 4 {
		f.op("VLD1.P 64(R3), %s", list(neonPacked, 4, "B16"))
		for _, four := range []int{k, 4 + k} {
			if four >= from && four < to {
				q.neonUnpack(f, four)
				neonDot(f, four)
			}
		}
	}
}

// neonUnpack makes signed bytes of four columns of all rows.
func (q *format) neonUnpack(f *file, four int) {
	for i := range 4 {
		packed, quants := neonPacked+i, neonQuants+i
		if four < 4 {
			f.op("VAND V%d.B16, V%d.B16, V%d.B16", neonNibble, packed, quants)
		} else {
			f.op("VUSHR $4, V%d.B16, V%d.B16", packed, quants)
		}
	}
	q.neonAboveFour(f, four)
	for i := range 4 {
		quants := neonQuants + i
		switch {
		case q.table:
			f.op("VTBL V%d.B16, [V%d.B16], V%d.B16", quants, neonTable, quants)
		case q.zeroPoint() > 0:
			f.op("VSUB V%d.B16, V%d.B16, V%d.B16", neonZero, quants, quants)
		}
	}
}

// neonAboveFour adds the bits above four.
func (q *format) neonAboveFour(f *file, four int) {
	var at, shift int // of the bytes that have them, and of the first bit in a byte
	switch q.bits {
	case 5:
		at, shift = 256, four
	case 6:
		at, shift = 256+four/4*64, four%4*2
	default:
		return
	}
	f.op("ADD $%d, R0, R5", q.scales()+at)
	f.op("VLD1 (R5), %s", list(neonBits, 4, "B16"))
	for i := range 4 {
		bits := neonBits + i
		switch {
		case shift < 4:
			f.op("VSHL $%d, V%d.B16, V%d.B16", 4-shift, bits, bits)
		case shift > 4:
			f.op("VUSHR $%d, V%d.B16, V%d.B16", shift-4, bits, bits)
		}
		f.op("VAND V%d.B16, V%d.B16, V%d.B16", neonAbove, bits, bits)
		f.op("VORR V%d.B16, V%d.B16, V%d.B16", bits, neonQuants+i, neonQuants+i)
	}
}

// neonDot multiplies four columns of all rows with both planes.
func neonDot(f *file, four int) {
	for i := range 4 {
		f.sdot(neonHighSums+i, neonQuants+i, neonHigh+four/4, four%4)
	}
	for i := range 4 {
		f.sdot(neonLowSums+i, neonQuants+i, neonLow+four/4, four%4)
	}
}

// neonAdd adds a part's sums, times its scale, and its minima to the result.
func (q *format) neonAdd(f *file, part int) {
	const scale, factors = neonQuants, neonPacked // the activations' scale and sums
	f.op("ADD $%d, R1, R6", scaleOffset)
	f.op("VLD1 (R6), %s", list(scale, 1, "S4"))
	q.neonFactors(f, factors, part)
	for i := range 4 {
		f.op("VSHL $7, V%d.S4, V%d.S4", neonHighSums+i, neonHighSums+i)
		f.op("VADD V%d.S4, V%d.S4, V%d.S4", neonLowSums+i, neonHighSums+i, neonHighSums+i)
		f.floats(neonHighSums+i, neonHighSums+i)
		f.fmulElement(factors+i, factors+i, scale, 0)
		f.fmla(neonSums+i, factors+i, neonHighSums+i)
	}
	if !q.min {
		return
	}
	q.neonFactors(f, factors, q.parts+part)
	for i := range 4 {
		sum := (q.sum(part) - scaleOffset) / 4
		if q.super {
			f.fmlsElement(neonSums+i, factors+i, scale, sum)
		} else {
			f.fmlaElement(neonSums+i, factors+i, scale, sum)
		}
	}
}

// neonFactors loads the scales of a part, or its minima, which follow the
// scales of all parts, into four registers. It uses neonBits.
func (q *format) neonFactors(f *file, d, index int) {
	if !q.super {
		f.op("ADD $%d, R4, R6", 32*index)
		f.halves16(d, " (R6)")
		return
	}
	f.op("ADD $%d, R4, R6", 16*index)
	f.op("VLD1 (R6), %s", list(neonBits, 1, "B16"))
	f.extend(d, neonBits)
	f.op("ADD $%d, R7, R6", 32*(index/q.parts))
	f.halves16(neonBits, " (R6)")
	for i := range 4 {
		f.floats(d+i, d+i)
		f.fmul(d+i, d+i, neonBits+i)
	}
}

// neon writes the product of a float format: column after column.
func (w *float) neon(f *file) {
	const weights, x, zero = 12, 0, 1
	f.begin(w.name+"NEON", "(weights *byte, a, out *float32, cols int)", 32)
	f.op("MOVD weights+0(FP), R0")
	f.op("MOVD a+8(FP), R1")
	f.op("MOVD cols+24(FP), R2")
	f.zero(neonSums, 4)
	f.zero(zero, 1)
	f.at("column")
	switch w.held {
	case "F32":
		f.op("VLD1.P 64(R0), %s", list(weights, 4, "S4"))
	case "F16":
		f.halves16(weights, ".P 32(R0)")
	case "BF16": // the upper half of a float32
		f.op("VLD1.P 32(R0), %s", list(weights, 2, "H8"))
		f.op("VZIP2 V%d.H8, V%d.H8, V%d.H8", weights+1, zero, weights+3)
		f.op("VZIP1 V%d.H8, V%d.H8, V%d.H8", weights+1, zero, weights+2)
		f.op("VZIP2 V%d.H8, V%d.H8, V%d.H8", weights, zero, weights+1)
		f.op("VZIP1 V%d.H8, V%d.H8, V%d.H8", weights, zero, weights)
	}
	f.op("VLD1R.P 4(R1), %s", list(x, 1, "S4"))
	for i := range 4 {
		f.fmla(neonSums+i, weights+i, x)
	}
	f.op("SUB $1, R2")
	f.op("CBNZ R2, column")
	f.op("MOVD out+16(FP), R6")
	f.op("VST1 %s, (R6)", list(neonSums, 4, "S4"))
	f.op("RET")
}
