package main

import (
	"fmt"
	"strings"
)

// format is a quantised weight format, as Matrix holds it: the layouts of
// ../format.go that have an assembly of their own.
type format struct {
	name  string   // of the functions
	held  []string // the formats that are held so
	bits  int      // of a quant
	start int      // where a block of activations has the start of the sum, or -1 for zero
	table bool     // quants are looked up
	super bool     // scales are bytes, times what eight blocks share
	parts int      // scales in a block
	min   bool     // there are minima
}

var formats = []format{
	{name: "q80", held: []string{"Q8_0"}, bits: 8, start: zero128, parts: 1},
	{name: "q40", held: []string{"Q4_0"}, bits: 4, start: zero8, parts: 1},
	{name: "q41", held: []string{"Q4_1"}, bits: 4, start: -1, parts: 1, min: true},
	{name: "q50", held: []string{"Q5_0"}, bits: 5, start: zero16, parts: 1},
	{name: "q51", held: []string{"Q5_1"}, bits: 5, start: -1, parts: 1, min: true},
	{name: "q2k", held: []string{"Q2_K", "Q3_K"}, bits: 4, start: -1, super: true, parts: 2, min: true},
	{name: "q4k", held: []string{"Q4_K"}, bits: 4, start: -1, super: true, parts: 1, min: true},
	{name: "q5k", held: []string{"Q5_K"}, bits: 5, start: -1, super: true, parts: 1, min: true},
	{name: "q6k", held: []string{"Q6_K"}, bits: 6, start: zero32, super: true, parts: 2},
	{name: "iq4nl", held: []string{"IQ4_NL"}, bits: 4, start: zero128, table: true, parts: 1},
	{name: "iq4xs", held: []string{"IQ4_XS"}, bits: 4, start: zero128, table: true, super: true, parts: 1},
}

// A block of activations: 32 quants' high bytes, as many low ones, then these.
const (
	lowOffset   = 32
	scaleOffset = 64
	sumOffset   = 68
	sumsOffset  = 72
	zero128     = 80
	zero16      = 84
	zero8       = 88
	zero32      = 92
	blockStride = 128
)

// superBlocks is how many blocks share what a super format shares.
const superBlocks = 8

func (q *format) minima() int {
	if q.min {
		return 1
	}
	return 0
}

// header, scales, quants: bytes of what blocks share, of a block's scales and
// minima, of its quants.
func (q *format) header() int {
	if q.super {
		return 32 * (1 + q.minima())
	}
	return 0
}

func (q *format) scales() int {
	if q.super {
		return 16 * q.parts * (1 + q.minima())
	}
	return 32 * (1 + q.minima())
}

func (q *format) quants() int { return 64 * q.bits }

// sum is where a block of activations has the sum that a part's minimum takes.
func (q *format) sum(part int) int {
	if q.parts == 2 {
		return sumsOffset + 4*part
	}
	return sumOffset
}

// prefetchAhead is how far before its use a weight is fetched: the hardware's own
// prefetching stops at each page, and even eight rows, which keep the processor
// busy, would wait for what comes from memory. Measured on Zen 4: 1 to 4 kB are
// alike for one row.
const prefetchAhead = 2048

const quantArgs = "(weights *byte, a *block, out *float32, blocks, groups, aStride, outStride int)"

// heights are how many rows the quantised tiles of a level take, floatHeights
// the float ones.
var (
	heights      = map[string][]int{"AVX512": {1, 2, 4, 8}, "AVX2": {1, 2}}
	floatHeights = map[string][]int{"AVX512": {1, 2, 4, 8}, "AVX2": {1, 2, 4}}
)

// planes are which planes of the activations a tile multiplies. The low one of
// coarse activations is zero: the tallest tile comes without it too.
type planes string

const (
	bothPlanes planes = ""
	highPlane  planes = "High"
)

func tallest(level string) int { return heights[level][len(heights[level])-1] }

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
// The sum of a group runs over blocks in order, in every height and at every
// level alike: the same bits.

// What the 4-bit quants of a table format stand for, plus 128.
DATA quantTable<>+0(SB)/8, $0x766a5d4f3f2d1801
DATA quantTable<>+8(SB)/8, $0xf1d9c5b5a6998d81
GLOBL quantTable<>(SB), RODATA|NOPTR, $16
`)
	for i := range formats {
		q := &formats[i]
		for _, n := range heights["AVX512"] {
			q.avx512(f, n, bothPlanes)
		}
		q.avx512(f, tallest("AVX512"), highPlane)
		for _, n := range heights["AVX2"] {
			q.avx2(f, n, bothPlanes)
		}
		q.avx2(f, tallest("AVX2"), highPlane)
	}
	for _, w := range floats {
		for _, n := range floatHeights["AVX512"] {
			w.avx512(f, n)
		}
		for _, n := range floatHeights["AVX2"] {
			w.avx2(f, n)
		}
	}
	dispatch(f)
}

// dispatch writes the choice of a tile by format and height: a function variable
// would make its arguments escape.
func dispatch(f *file) {
	d := &f.declarations
	for _, level := range []string{"AVX512", "AVX2"} {
		fmt.Fprintf(d, "\nfunc quantTile%s(f Format, n int, w *byte, x *block, o *float32, blocks, groups, aStride, outStride int) {\n\tswitch f {\n", level)
		for _, q := range formats {
			fmt.Fprintf(d, "\tcase %s:\n", strings.Join(q.held, ", "))
			choose(f, q.name, level, heights[level], "(w, x, o, blocks, groups, aStride, outStride)")
		}
		fmt.Fprintf(d, "\t}\n}\n\nfunc highTile%s(f Format, w *byte, x *block, o *float32, blocks, groups, aStride, outStride int) {\n\tswitch f {\n", level)
		for _, q := range formats {
			fmt.Fprintf(d, "\tcase %s:\n\t\t%sx%d%s%s(w, x, o, blocks, groups, aStride, outStride)\n", strings.Join(q.held, ", "), q.name, tallest(level), highPlane, level)
		}
		fmt.Fprintf(d, "\t}\n}\n\nfunc floatTile%s(f Format, n int, w *byte, x, o *float32, cols, groups, aStride, outStride int) {\n\tswitch f {\n", level)
		for _, w := range floats {
			fmt.Fprintf(d, "\tcase %s:\n", w.held)
			choose(f, w.name, level, floatHeights[level], "(w, x, o, cols, groups, aStride, outStride)")
		}
		fmt.Fprintf(d, "\t}\n}\n")
	}
}

// choose writes the choice by height.
func choose(f *file, name, level string, heights []int, arguments string) {
	d := &f.declarations
	fmt.Fprintf(d, "\t\tswitch n {\n")
	for i := len(heights) - 1; i > 0; i-- {
		fmt.Fprintf(d, "\t\tcase %d:\n\t\t\t%sx%d%s%s\n", heights[i], name, heights[i], level, arguments)
	}
	fmt.Fprintf(d, "\t\tdefault:\n\t\t\t%sx%d%s%s\n\t\t}\n", name, heights[0], level, arguments)
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

// prefetch fetches the block that lies prefetchAhead of the one at a register.
func (q *format) prefetch(f *file, block string) {
	for at := 0; at < q.scales()+q.quants(); at += 64 {
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
