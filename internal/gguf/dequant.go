package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Dequantize decodes stored numbers of a type into dst: exactly len(dst) of
// them, which must be a whole number of blocks, from exactly their bytes. It
// decodes F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL and
// IQ4_XS; another type is an error that names it.
//
// The results have the same bits as those of ggml's reference code: products
// are rounded to float32 before they are added, on every platform.
func Dequantize(t Type, src []byte, dst []float32) error {
	decode := decoder(t)
	if decode == nil {
		return fmt.Errorf("decoding %s is not supported", t)
	}
	values, bytes := t.Block()
	want, ok := t.RowBytes(len(dst))
	if !ok {
		return fmt.Errorf("%d numbers are no whole number of %s blocks, which hold %d", len(dst), t, values)
	}
	if len(src) != want {
		return fmt.Errorf("%d numbers of type %s take %d bytes, not %d", len(dst), t, want, len(src))
	}
	for len(dst) > 0 {
		decode(src, dst)
		src, dst = src[bytes:], dst[values:]
	}
	return nil
}

// decoder returns the function that decodes one block, nil where there is
// none.
func decoder(t Type) func(src []byte, dst []float32) {
	switch t {
	case F32:
		return func(src []byte, dst []float32) {
			dst[0] = math.Float32frombits(binary.LittleEndian.Uint32(src))
		}
	case F16:
		return func(src []byte, dst []float32) { dst[0] = half(src) }
	case BF16:
		return func(src []byte, dst []float32) {
			dst[0] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src)) << 16)
		}
	case Q4_0:
		return decodeQ4_0
	case Q4_1:
		return decodeQ4_1
	case Q5_0:
		return decodeQ5_0
	case Q5_1:
		return decodeQ5_1
	case Q8_0:
		return decodeQ8_0
	case Q2K:
		return decodeQ2K
	case Q3K:
		return decodeQ3K
	case Q4K:
		return decodeQ4K
	case Q5K:
		return decodeQ5K
	case Q6K:
		return decodeQ6K
	case IQ4NL:
		return decodeIQ4NL
	case IQ4XS:
		return decodeIQ4XS
	}
	return nil
}

// In the blocks of 32 with 4-bit parts, byte j holds number j in its low half
// and number j+16 in its high half.

func decodeQ4_0(src []byte, dst []float32) {
	d := half(src)
	for j, q := range src[2:18] {
		dst[j] = d * float32(int(q&15)-8)
		dst[j+16] = d * float32(int(q>>4)-8)
	}
}

func decodeQ4_1(src []byte, dst []float32) {
	d, m := half(src), half(src[2:])
	for j, q := range src[4:20] {
		dst[j] = float32(d*float32(q&15)) + m
		dst[j+16] = float32(d*float32(q>>4)) + m
	}
}

// In the 5-bit types, bit j of a word beside the halves is the high bit of
// number j.

func decodeQ5_0(src []byte, dst []float32) {
	d := half(src)
	high := binary.LittleEndian.Uint32(src[2:])
	for j, q := range src[6:22] {
		lo := int(q&15) | int(high>>j&1)<<4
		hi := int(q>>4) | int(high>>(j+16)&1)<<4
		dst[j] = d * float32(lo-16)
		dst[j+16] = d * float32(hi-16)
	}
}

func decodeQ5_1(src []byte, dst []float32) {
	d, m := half(src), half(src[2:])
	high := binary.LittleEndian.Uint32(src[4:])
	for j, q := range src[8:24] {
		lo := int(q&15) | int(high>>j&1)<<4
		hi := int(q>>4) | int(high>>(j+16)&1)<<4
		dst[j] = float32(d*float32(lo)) + m
		dst[j+16] = float32(d*float32(hi)) + m
	}
}

func decodeQ8_0(src []byte, dst []float32) {
	d := half(src)
	for j, q := range src[2:34] {
		dst[j] = d * float32(int8(q))
	}
}

// half decodes the IEEE 754 binary16 number at the start of b.
func half(b []byte) float32 {
	h := uint32(binary.LittleEndian.Uint16(b))
	sign, exponent, fraction := h>>15<<31, h>>10&31, h&1023
	switch exponent {
	case 0: // zero and subnormals: fraction · 2⁻²⁴, exact in float32
		f := float32(fraction) * 0x1p-24
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31: // infinity and NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
