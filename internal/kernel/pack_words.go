package kernel

import "encoding/binary"

// Most files have their weights in a few formats whose bytes are nearly in the
// order of the packed form. Packing these four quants at a time, without taking
// blocks apart, loads a model in a fifth of the time.

// packWords writes row r of a group from its bytes in a file, as packRow does,
// and reports whether it can: whether the format is one of those.
func (f Format) packWords(dst []byte, r int, src []byte) bool {
	switch f {
	case Q4_0, IQ4_NL:
		packNibbles(dst, r, src, 1)
	case Q4_1:
		packNibbles(dst, r, src, 2)
	case Q8_0:
		packBytes(dst, r, src)
	case Q4_K:
		packQ4_K(dst, r, src)
	default:
		return false
	}
	return true
}

// packNibbles: a block is so many half-precision numbers, then 16 bytes of
// columns 0–15 in low halves and 16–31 in high ones, as the packed form has them.
func packNibbles(dst []byte, r int, src []byte, halves int) {
	scales, size := 2*groupRows*halves, 2*halves+BlockLen/2
	for ; len(src) >= size; src, dst = src[size:], dst[scales+BlockLen/2*groupRows:] {
		for i := range halves {
			binary.LittleEndian.PutUint16(dst[2*groupRows*i+2*r:], binary.LittleEndian.Uint16(src[2*i:]))
		}
		quants, to := src[2*halves:size], dst[scales+4*r:][:3*64+4]
		for k := range 4 {
			binary.LittleEndian.PutUint32(to[64*k:], binary.LittleEndian.Uint32(quants[4*k:]))
		}
	}
}

// packBytes: Q8_0's signed bytes get their zero point of 128.
func packBytes(dst []byte, r int, src []byte) {
	const scales, size, eachTop = 2 * groupRows, 2 + BlockLen, 0x80808080
	for ; len(src) >= size; src, dst = src[size:], dst[scales+BlockLen*groupRows:] {
		binary.LittleEndian.PutUint16(dst[2*r:], binary.LittleEndian.Uint16(src))
		quants, to := src[2:size], dst[scales+4*r:][:7*64+4]
		for k := range 8 {
			binary.LittleEndian.PutUint32(to[64*k:], binary.LittleEndian.Uint32(quants[4*k:])^eachTop)
		}
	}
}

// packQ4_K: two parts share 32 bytes, the first in low halves. See readQ4_K.
func packQ4_K(dst []byte, r int, src []byte) {
	const (
		size   = 2 + 2 + 12 + superLen/2
		header = 2 * 2 * groupRows
		block  = 2*groupRows + BlockLen/2*groupRows
	)
	var u fileBlock
	for ; len(src) >= size; src, dst = src[size:], dst[header+superLen/BlockLen*block:] {
		binary.LittleEndian.PutUint16(dst[2*r:], binary.LittleEndian.Uint16(src))
		binary.LittleEndian.PutUint16(dst[2*groupRows+2*r:], binary.LittleEndian.Uint16(src[2:]))
		readScales(src[4:16], &u)
		for part := range superLen / BlockLen {
			to := dst[header+part*block:][:block]
			to[r], to[groupRows+r] = byte(u.scales[part]), byte(u.minima[part])
			quants, to := src[16+part/2*BlockLen:][:BlockLen], to[2*groupRows+4*r:][:3*64+4]
			shift := part % 2 * 4
			for k := range 4 {
				low := binary.LittleEndian.Uint32(quants[4*k:]) >> shift & eachNibble
				high := binary.LittleEndian.Uint32(quants[16+4*k:]) >> shift & eachNibble
				binary.LittleEndian.PutUint32(to[64*k:], low|high<<4)
			}
		}
	}
}
