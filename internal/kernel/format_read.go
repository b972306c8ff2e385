package kernel

import "encoding/binary"

// fileBlock is a block of a file taken apart: 32 or 256 weights of a row.
type fileBlock struct {
	d, m   uint16              // half-precision scale and minimum
	scales [superLen / 16]int8 // of the K formats' parts, in order
	minima [superLen / 16]int8
	quants [superLen]byte // unsigned; see layout.zero
}

// What follows reads each format as ggml's ggml-common.h and the dequantising
// functions beside it define it.

// table is what IQ4_NL's and IQ4_XS's quants stand for, plus 128.
var table = [16]byte{1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241}

func readQ8_0(src []byte, u *fileBlock) {
	u.d = binary.LittleEndian.Uint16(src)
	for i, q := range src[2:34] {
		u.quants[i] = q ^ 0x80
	}
}

func readQ4_0(src []byte, u *fileBlock) {
	u.d = binary.LittleEndian.Uint16(src)
	spreadNibbles(u.quants[:32], src[2:18], 16)
}

func readIQ4_NL(src []byte, u *fileBlock) { readQ4_0(src, u) }

func readQ4_1(src []byte, u *fileBlock) {
	u.d, u.m = binary.LittleEndian.Uint16(src), binary.LittleEndian.Uint16(src[2:])
	spreadNibbles(u.quants[:32], src[4:20], 16)
}

func readQ5_0(src []byte, u *fileBlock) {
	u.d = binary.LittleEndian.Uint16(src)
	spreadNibbles(u.quants[:32], src[6:22], 16)
	addFifthBits(u.quants[:32], src[2:6])
}

func readQ5_1(src []byte, u *fileBlock) {
	u.d, u.m = binary.LittleEndian.Uint16(src), binary.LittleEndian.Uint16(src[2:])
	spreadNibbles(u.quants[:32], src[8:24], 16)
	addFifthBits(u.quants[:32], src[4:8])
}

// spreadNibbles writes the low halves of n bytes, then their high halves, then
// those of the next n.
func spreadNibbles(dst, src []byte, n int) {
	for ; len(src) > 0; src, dst = src[n:], dst[2*n:] {
		low, high := dst[:n], dst[n:2*n]
		for i, b := range src[:n] {
			low[i], high[i] = b&15, b>>4
		}
	}
}

// addFifthBits adds bit i of a 32-bit word to quant i.
func addFifthBits(quants, src []byte) {
	word := binary.LittleEndian.Uint32(src)
	for i := range quants {
		quants[i] |= byte(word>>i&1) << 4
	}
}

// readQ2_K: 16 bytes of a scale (low half) and a minimum each, 64 of four
// quants each, d, m. In either half of the block, bits 2k of 32 bytes are the
// k-th run of 32 quants.
func readQ2_K(src []byte, u *fileBlock) {
	u.d, u.m = binary.LittleEndian.Uint16(src[80:]), binary.LittleEndian.Uint16(src[82:])
	for i, b := range src[:16] {
		u.scales[i], u.minima[i] = int8(b&15), int8(b>>4)
	}
	spreadPairs(&u.quants, src[16:80])
}

// spreadPairs takes 64 bytes apart into their pairs of bits.
func spreadPairs(quants *[superLen]byte, src []byte) {
	for half := range 2 {
		for i, b := range src[32*half:][:32] {
			for k := range 4 {
				quants[128*half+32*k+i] = b >> (2 * k) & 3
			}
		}
	}
}

// readQ3_K: 32 bytes whose bit k is the third bit of the k-th run of 32 quants,
// 64 of the other two as in Q2_K, 16 scales of 6 bits with an offset of 32, d.
// Four times the scale, less than eight bits, becomes the minimum.
func readQ3_K(src []byte, u *fileBlock) {
	u.d = binary.LittleEndian.Uint16(src[108:])
	u.m = u.d
	packed := src[96:108]
	for i := range u.scales {
		low := packed[i%8] >> (i / 8 * 4) & 15
		high := packed[8+i%4] >> (i / 4 * 2) & 3
		u.scales[i] = int8(low|high<<4) - 32
		u.minima[i] = 4 * u.scales[i]
	}
	spreadPairs(&u.quants, src[32:96])
	for i, b := range src[:32] {
		for k := range 8 {
			u.quants[32*k+i] |= b >> k & 1 << 2
		}
	}
}

// readQ4_K: d, m, 12 bytes of scales and minima, then each pair of parts as 32
// bytes, the first in the low halves.
func readQ4_K(src []byte, u *fileBlock) {
	u.d, u.m = binary.LittleEndian.Uint16(src), binary.LittleEndian.Uint16(src[2:])
	readScales(src[4:16], u)
	spreadNibbles(u.quants[:], src[16:144], 32)
}

// readQ5_K: as Q4_K, with 32 bytes before the quants whose bit k is the fifth of
// part k.
func readQ5_K(src []byte, u *fileBlock) {
	u.d, u.m = binary.LittleEndian.Uint16(src), binary.LittleEndian.Uint16(src[2:])
	readScales(src[4:16], u)
	spreadNibbles(u.quants[:], src[48:176], 32)
	for i, b := range src[16:48] {
		for k := range 8 {
			u.quants[32*k+i] |= b >> k & 1 << 4
		}
	}
}

// readScales reads eight scales and minima of 6 bits from 12 bytes: the first
// four of each lie in the low bits of bytes 0–3 and 4–7; of the others the low
// four bits are bytes 8–11 and the high two are what the first eight left.
func readScales(packed []byte, u *fileBlock) {
	for i := range 4 {
		u.scales[i], u.minima[i] = int8(packed[i]&63), int8(packed[i+4]&63)
		u.scales[i+4] = int8(packed[i+8]&15 | packed[i]>>6<<4)
		u.minima[i+4] = int8(packed[i+8]>>4 | packed[i+4]>>6<<4)
	}
}

// readQ6_K: 128 bytes of the quants' low four bits, 64 of their high two, 16
// scales, d. A half of the block is four runs of 32: its 64 low bytes hold the
// first two in their low halves, bits 2k of 32 high bytes belong to run k.
func readQ6_K(src []byte, u *fileBlock) {
	u.d = binary.LittleEndian.Uint16(src[208:])
	for i, b := range src[192:208] {
		u.scales[i] = int8(b)
	}
	spreadNibbles(u.quants[:], src[:128], 64)
	for half := range 2 {
		for i, b := range src[128+32*half:][:32] {
			for k := range 4 {
				u.quants[128*half+32*k+i] |= b >> (2 * k) & 3 << 4
			}
		}
	}
}

// readIQ4_XS: d, the high two bits of eight scales in a word, their low four in
// 4 bytes, then each part as 16 bytes. Scales have an offset of 32.
func readIQ4_XS(src []byte, u *fileBlock) {
	u.d = binary.LittleEndian.Uint16(src)
	high := binary.LittleEndian.Uint16(src[2:])
	for i := range 8 {
		low := src[4+i/2] >> (i % 2 * 4) & 15
		u.scales[i] = int8(low|byte(high>>(2*i)&3)<<4) - 32
	}
	spreadNibbles(u.quants[:], src[8:136], 16)
}
