package gguf

// The K types hold 256 numbers in a block: a block-wide scale in binary16 and
// small integer scales for its parts, so that a part's scale costs 6 or 8
// bits instead of 16.

// decodeQ2K decodes sixteen 4-bit scales, low halves, and minima, high ones (16
// bytes), 256 2-bit numbers (64), d (2) and dmin (2). In either half of the
// block, 128 numbers, bits 2r, 2r+1 of 32 bytes belong to run r of 32; each run
// is two parts.
func decodeQ2K(src []byte, dst []float32) {
	d, dmin := half(src[80:]), half(src[82:])
	for part, packed := range src[:16] {
		scale, minimum := d*float32(packed&15), dmin*float32(packed>>4)
		quants, shift := pairRun(src[16:80], part)
		for j, q := range quants {
			dst[16*part+j] = float32(scale*float32(q>>shift&3)) - minimum
		}
	}
}

// pairRun returns the 16 bytes that hold a part's numbers of two bits, and by
// how much to shift them.
func pairRun(packed []byte, part int) (quants []byte, shift int) {
	h, run := part/8, part%8/2
	return packed[32*h+16*(part%2):][:16], 2 * run
}

// decodeQ3K decodes the high bits (32 bytes), the low two bits as in Q2_K (64),
// sixteen 6-bit scales with an offset of 32 (12) and d. A high bit that is clear
// takes 4 off a number: bit r of byte j belongs to number j of the r-th 32.
func decodeQ3K(src []byte, dst []float32) {
	d, high, packed := half(src[108:]), src[:32], src[96:108]
	for part := range 16 {
		s := packed[part%8]>>(part/8*4)&15 | packed[8+part%4]>>(part/4*2)&3<<4
		scale := d * float32(int(s)-32)
		quants, shift := pairRun(src[32:96], part)
		for j, q := range quants {
			v := int(q>>shift&3) | int(high[16*(part%2)+j]>>(part/2)&1)<<2
			dst[16*part+j] = scale * float32(v-4)
		}
	}
}

// decodeQ4K decodes d (2 bytes), dmin (2), eight 6-bit scales and minima (12)
// and 256 4-bit numbers (128). Number i of part p is d·scale·q − dmin·min.
func decodeQ4K(src []byte, dst []float32) {
	d, dmin := half(src), half(src[2:])
	quants := src[16:144]
	for pair := range 4 { // 32 bytes hold two parts: low halves, high halves
		d0, m0 := partScale(src[4:16], 2*pair, d, dmin)
		d1, m1 := partScale(src[4:16], 2*pair+1, d, dmin)
		low, high := dst[64*pair:][:32], dst[64*pair+32:][:32]
		for j, q := range quants[32*pair:][:32] {
			low[j] = float32(d0*float32(q&15)) - m0
			high[j] = float32(d1*float32(q>>4)) - m1
		}
	}
}

// decodeQ5K is Q4_K with a fifth bit for each number: bit p of byte j of the
// 32 bytes after the scales belongs to number j of part p.
func decodeQ5K(src []byte, dst []float32) {
	d, dmin := half(src), half(src[2:])
	fifth, quants := src[16:48], src[48:176]
	for pair := range 4 {
		d0, m0 := partScale(src[4:16], 2*pair, d, dmin)
		d1, m1 := partScale(src[4:16], 2*pair+1, d, dmin)
		low, high := dst[64*pair:][:32], dst[64*pair+32:][:32]
		for j, q := range quants[32*pair:][:32] {
			bits := fifth[j] >> (2 * pair)
			low[j] = float32(d0*float32(q&15|bits&1<<4)) - m0
			high[j] = float32(d1*float32(q>>4|bits>>1&1<<4)) - m1
		}
	}
}

// partScale returns the scale and the minimum of a part from the packed 12
// bytes. Parts 0–3 have theirs in the low 6 bits of bytes 0–3 and 4–7; parts
// 4–7 have their low 4 bits in bytes 8–11 and their high 2 in the bits that
// the first four left over.
func partScale(packed []byte, part int, d, dmin float32) (scale, minimum float32) {
	var s, m byte
	if part < 4 {
		s, m = packed[part]&63, packed[part+4]&63
	} else {
		i := part - 4
		s = packed[i+8]&15 | packed[i]>>6<<4
		m = packed[i+8]>>4 | packed[i+4]>>6<<4
	}
	return d * float32(s), dmin * float32(m)
}

// decodeQ6K decodes the low 4 bits of each number (128 bytes), the high 2
// (64), sixteen 8-bit scales and d. A half of the block, 128 numbers, is four
// runs of 32: 64 low bytes hold runs 0, 1 in their low halves and 2, 3 in
// their high ones; bits 2r, 2r+1 of 32 high bytes belong to run r.
func decodeQ6K(src []byte, dst []float32) {
	d := half(src[208:])
	for h := range 2 {
		low, high := src[64*h:][:64], src[128+32*h:][:32]
		scales, out := src[192+8*h:][:8], dst[128*h:][:128]
		for r := range 4 {
			d0 := d * float32(int8(scales[2*r]))
			d1 := d * float32(int8(scales[2*r+1]))
			for j := range 32 {
				q := low[32*(r&1)+j]>>(4*(r>>1))&15 | high[j]>>(2*r)&3<<4
				scale := d0
				if j >= 16 {
					scale = d1
				}
				out[32*r+j] = scale * float32(int(q)-32)
			}
		}
	}
}
