package kernel

import "encoding/binary"

// The packed form of a quantised block, as Matrix describes it, written and read
// back row by row; the tiles' assembly reads all 16 rows of it at once.

// pack writes the part of row r that u holds into a stretch of its group.
func (l *layout) pack(dst []byte, r int, u *fileBlock) {
	if l.super {
		binary.LittleEndian.PutUint16(dst[2*r:], u.d)
		if l.min {
			binary.LittleEndian.PutUint16(dst[2*groupRows+2*r:], u.m)
		}
		dst = dst[l.header():]
	}
	for b := range l.values / BlockLen {
		block := dst[b*l.block():][:l.block()]
		l.packScales(block, r, b, u)
		l.packQuants(block[l.scales():], r, (*[BlockLen]byte)(u.quants[b*BlockLen:]))
	}
}

// packScales writes row r's scales and minima of the b-th block.
func (l *layout) packScales(block []byte, r, b int, u *fileBlock) {
	if !l.super {
		binary.LittleEndian.PutUint16(block[2*r:], u.d)
		if l.min {
			binary.LittleEndian.PutUint16(block[2*groupRows+2*r:], u.m)
		}
		return
	}
	for p := range l.parts {
		block[p*groupRows+r] = byte(u.scales[b*l.parts+p])
		if l.min {
			block[(l.parts+p)*groupRows+r] = byte(u.minima[b*l.parts+p])
		}
	}
}

// Four quants, a byte each, are a word; these are the words' lowest bits.
const (
	eachNibble = 0x0f0f0f0f
	eachPair   = 0x03030303
	eachBit    = 0x01010101
)

// packQuants writes row r's quants of a block, four columns at a time.
func (l *layout) packQuants(dst []byte, r int, quants *[BlockLen]byte) {
	put := func(at int, word uint32) { binary.LittleEndian.PutUint32(dst[64*at+4*r:], word) }
	var first, second uint32 // what is above four bits
	for k := range 4 {
		low := binary.LittleEndian.Uint32(quants[4*k:])
		high := binary.LittleEndian.Uint32(quants[16+4*k:])
		if l.bits == 8 {
			put(k, low)
			put(4+k, high)
			continue
		}
		put(k, low&eachNibble|high&eachNibble<<4)
		switch l.bits {
		case 5:
			first |= low>>4&eachBit<<k | high>>4&eachBit<<(4+k)
		case 6:
			first |= low >> 4 & eachPair << (2 * k)
			second |= high >> 4 & eachPair << (2 * k)
		}
	}
	if l.bits == 5 || l.bits == 6 {
		put(4, first)
	}
	if l.bits == 6 {
		put(5, second)
	}
}

// unpackQuants is the reverse of packQuants; where there is a table it looks the
// quants up.
func (l *layout) unpackQuants(src []byte, r int, quants *[BlockLen]byte) {
	src = src[4*r : l.bits*64-4*(groupRows-1-r)]
	word := func(at int) uint32 { return binary.LittleEndian.Uint32(src[64*at:]) }
	put := func(c int, word uint32) { binary.LittleEndian.PutUint32(quants[c:], word) }
	if l.bits == 8 {
		for k := range 8 {
			put(4*k, word(k))
		}
		return
	}
	var low, high uint32 // what is above four bits, from bit 4 of a byte on
	for k := range 4 {
		switch l.bits {
		case 5:
			low, high = word(4)>>k&eachBit<<4, word(4)>>(4+k)&eachBit<<4
		case 6:
			low, high = word(4)>>(2*k)&eachPair<<4, word(5)>>(2*k)&eachPair<<4
		}
		both := word(k)
		put(4*k, both&eachNibble|low)
		put(16+4*k, both>>4&eachNibble|high)
	}
	if l.table {
		for i, q := range quants {
			quants[i] = table[q&15]
		}
	}
}

// scale returns the scale of a part of row r, and what is added to every weight
// of it. shared is the stretch that the block lies in.
func (l *layout) scale(shared, block []byte, r, part int) (scale, add float32) {
	if !l.super {
		scale = half(block[2*r:])
		if l.min {
			add = half(block[2*groupRows+2*r:])
		}
		return scale, add
	}
	scale = half(shared[2*r:]) * float32(int8(block[part*groupRows+r]))
	if l.min {
		add = -(half(shared[2*groupRows+2*r:]) * float32(int8(block[(l.parts+part)*groupRows+r])))
	}
	return scale, add
}

// decode writes row r of a block as floats.
func (l *layout) decode(shared, block []byte, r int, dst *[BlockLen]float32) {
	var quants [BlockLen]byte
	l.unpackQuants(block[l.scales():], r, &quants)
	for part := range l.parts {
		scale, add := l.scale(shared, block, r, part)
		n := BlockLen / l.parts
		for c := part * n; c < (part+1)*n; c++ {
			dst[c] = float32(scale * float32(int32(quants[c])-l.zero))
			if l.min {
				dst[c] += add
			}
		}
	}
}
