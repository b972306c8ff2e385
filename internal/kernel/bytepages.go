package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// BytePageUnit is what a head's size must be a multiple of for byte pages: the
// numbers of a key or a value that share a scale.
const BytePageUnit = 32

// BytePageSize returns the length of a byte page of one head, which holds what
// a page of PageSize(dim) does in 0.53 of its memory: each number is a byte
// times the half-precision scale of the 32 neighbours in its key or value.
//
// Such a page lies in the memory of as many half-precision numbers: the keys'
// scales, 32 tokens for each unit of a head; the keys' bytes, transposed as
// PageSize says; the values' scales, the units of a token one after another; the
// values' bytes.
func BytePageSize(dim int) int { return 2 * (dim + dim*PageTokens/2) }

// bytePage is a byte page taken apart.
type bytePage struct {
	keyScales, valueScales []uint16
	keys, values           []int8
}

func openBytePage(page []uint16, dim int) bytePage {
	half := BytePageSize(dim) / 2
	part := func(p []uint16) ([]uint16, []int8) {
		return p[:dim], unsafe.Slice((*int8)(unsafe.Pointer(&p[dim])), dim*PageTokens)
	}
	var b bytePage
	b.keyScales, b.keys = part(page[:half])
	b.valueScales, b.values = part(page[half:])
	return b
}

// StoreBytes is StoreKV for a byte page: every unit of 32 numbers becomes bytes of
// −127 to 127 times max|x|/127, rounded to half precision. It depends on the
// token's own numbers alone, and is the same at every level. A unit with a NaN
// or an infinity becomes NaN.
func StoreBytes(page []uint16, slot int, key, value []float32) {
	dim := len(key)
	if dim == 0 || dim%BytePageUnit != 0 || len(value) != dim || len(page) != BytePageSize(dim) || slot < 0 || slot >= PageTokens {
		panic(fmt.Sprintf("kernel.StoreBytes: slot %d of a page of %d for a key of %d and a value of %d", slot, len(page), dim, len(value)))
	}
	b := openBytePage(page, dim)
	var unit [BytePageUnit]int8
	for u := range dim / BytePageUnit {
		b.keyScales[u*PageTokens+slot] = roundUnit(key[u*BytePageUnit:], &unit)
		for i, q := range unit {
			b.keys[(u*BytePageUnit+i)*PageTokens+slot] = q
		}
		b.valueScales[(slot*dim)/BytePageUnit+u] = roundUnit(value[u*BytePageUnit:], &unit)
		copy(b.values[slot*dim+u*BytePageUnit:], unit[:])
	}
}

// roundUnit rounds the first 32 of x and returns their scale.
func roundUnit(x []float32, to *[BytePageUnit]int8) (scale uint16) {
	var peak float32
	for _, v := range x[:BytePageUnit] {
		if v-v != 0 { // NaN or infinite
			*to = [BytePageUnit]int8{}
			return ToFloat16(float32(math.NaN()))
		}
		peak = max(peak, v, -v)
	}
	scale = ToFloat16(peak * (1.0 / 127))
	var inverse float32
	if s := Float16(scale); s > 0 {
		inverse = 1 / s
	}
	for i, v := range x[:BytePageUnit] {
		to[i] = int8(roundQuant(max(-127, min(127, float32(v*inverse)))))
	}
	return scale
}

// WidenBytes turns a byte page into dst, a page of PageSize(dim) for Attend: each
// number is byte times scale, rounded to half precision. All levels give the
// same bits.
func WidenBytes(dst, page []uint16, dim int) {
	if dim == 0 || dim%BytePageUnit != 0 || len(dst) != PageSize(dim) || len(page) != BytePageSize(dim) {
		panic(fmt.Sprintf("kernel.WidenBytes: a page of %d into one of %d for heads of %d", len(page), len(dst), dim))
	}
	b := openBytePage(page, dim)
	var scales [PageTokens]float32
	for u := range dim / BytePageUnit {
		GetHalves(scales[:], b.keyScales[u*PageTokens:(u+1)*PageTokens])
		const n = BytePageUnit * PageTokens
		widenRows(dst[u*n:(u+1)*n], b.keys[u*n:(u+1)*n], &scales)
	}
	units := b.valueScales
	for at := dim * PageTokens; len(units) > 0; units = units[PageTokens:] {
		GetHalves(scales[:], units[:PageTokens])
		const n = BytePageUnit * PageTokens
		widenUnits(dst[at:at+n], b.values[at-dim*PageTokens:][:n], &scales)
		at += n
	}
}

// widenRowsGeneric is the definition of widenRows: number i of every row of 32
// has scale i.
func widenRowsGeneric(dst []uint16, src []int8, scales *[PageTokens]float32) {
	for i, q := range src {
		dst[i] = ToFloat16(float32(q) * scales[i%PageTokens])
	}
}

// widenUnitsGeneric is the definition of widenUnits: the numbers of the i-th row
// of 32 have scale i.
func widenUnitsGeneric(dst []uint16, src []int8, scales *[PageTokens]float32) {
	for i, q := range src {
		dst[i] = ToFloat16(float32(q) * scales[i/BytePageUnit])
	}
}
