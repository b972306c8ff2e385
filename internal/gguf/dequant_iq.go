package gguf

import "encoding/binary"

// codebook is what the 4-bit numbers of the IQ4 types stand for: levels that are
// denser around zero, where most weights lie.
var codebook = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// decodeIQ4NL is Q4_0 with the codebook.
func decodeIQ4NL(src []byte, dst []float32) {
	decodeCodes(half(src), src[2:18], dst)
}

// decodeIQ4XS decodes d (2 bytes), the high two bits of eight scales (2), their
// low four (4), and eight parts of 16 bytes. Scales have an offset of 32.
func decodeIQ4XS(src []byte, dst []float32) {
	d, high := half(src), binary.LittleEndian.Uint16(src[2:])
	for part := range 8 {
		s := int(src[4+part/2]>>(part%2*4)&15) | int(high>>(2*part)&3)<<4
		decodeCodes(d*float32(s-32), src[8+16*part:][:16], dst[32*part:][:32])
	}
}

// decodeCodes decodes 16 bytes, low halves first.
func decodeCodes(scale float32, codes []byte, dst []float32) {
	for j, q := range codes {
		dst[j] = scale * codebook[q&15]
		dst[j+16] = scale * codebook[q>>4]
	}
}
