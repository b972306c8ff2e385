package vector

import (
	"encoding/binary"
	"errors"
)

// A stored bitmap is a roaring bitmap in its portable form ("Roaring bitmap format
// specification"): rows fall into containers by their upper 16 bits, and a container
// lists the lower ones, is a bit map of them, or lists runs. The library decodes it into
// a bitmap of its own; a filter wants plain bits, in every query, so here they are set
// straight from the bytes.
const (
	roaringNoRuns    = 12346   // the first four bytes, without containers of runs
	roaringRuns      = 12347   // the first two bytes, with
	roaringArrayMost = 4096    // rows from which a container is a bit map
	roaringBitsSize  = 1 << 13 // bytes of one
)

var errBitmap = errors.New("a bit map ends too early or does not begin like one")

// addStored adds the rows of a stored bitmap, but for those beyond the set. An error leaves
// it with some of them.
func (w rowSet) addStored(data []byte) error {
	le := binary.LittleEndian
	if len(data) < 8 {
		return errBitmap
	}
	var runs []byte // a bit a container
	count, at := int(le.Uint32(data[4:])), 8
	if le.Uint16(data) == roaringRuns {
		count, at = int(le.Uint16(data[2:]))+1, 4
		runs = data[at:min(len(data), at+(count+7)/8)]
		at += (count + 7) / 8
	} else if le.Uint32(data) != roaringNoRuns {
		return errBitmap
	}
	heads := at
	if at += 4 * count; runs == nil || count >= 4 {
		at += 4 * count // where containers begin: they follow each other
	}
	if count > 1<<16 || at > len(data) {
		return errBitmap
	}
	for i := range count {
		base, rows := int(le.Uint16(data[heads+4*i:]))<<16, int(le.Uint16(data[heads+4*i+2:]))+1
		size, err := 0, error(nil)
		switch {
		case runs != nil && runs[i/8]>>(i%8)&1 != 0:
			size, err = w.addRuns(base, data[at:])
		case rows <= roaringArrayMost:
			size, err = w.addArray(base, rows, data[at:])
		default:
			size, err = w.addBits(base, data[at:])
		}
		if err != nil {
			return err
		}
		at += size
	}
	return nil
}

func (w rowSet) addArray(base, rows int, data []byte) (size int, err error) {
	if len(data) < 2*rows {
		return 0, errBitmap
	}
	part := w[min(base/64, len(w)):]
	for data := data[:2*rows]; len(data) >= 2; data = data[2:] {
		low := binary.LittleEndian.Uint16(data)
		if word := int(low >> 6); word < len(part) {
			part[word] |= 1 << (low & 63)
		}
	}
	return 2 * rows, nil
}

func (w rowSet) addBits(base int, data []byte) (size int, err error) {
	if len(data) < roaringBitsSize {
		return 0, errBitmap
	}
	part := w[min(base/64, len(w)):]
	part = part[:min(len(part), roaringBitsSize/8)]
	for i := range part {
		part[i] |= binary.LittleEndian.Uint64(data[8*i:])
	}
	return roaringBitsSize, nil
}

func (w rowSet) addRuns(base int, data []byte) (size int, err error) {
	if len(data) < 2 {
		return 0, errBitmap
	}
	count := int(binary.LittleEndian.Uint16(data))
	if len(data) < 2+4*count {
		return 0, errBitmap
	}
	for i := range count {
		run := data[2+4*i:]
		from := base + int(binary.LittleEndian.Uint16(run))
		w.addRange(from, from+int(binary.LittleEndian.Uint16(run[2:]))+1)
	}
	return 2 + 4*count, nil
}

// addRange adds the rows from (inclusive) to (exclusive), but for those beyond the set.
func (w rowSet) addRange(from, to int) {
	if to = min(to, 64*len(w)); from >= to {
		return
	}
	first, last := from/64, (to-1)/64
	low, high := ^uint64(0)<<(from%64), ^uint64(0)>>(63-(to-1)%64)
	if first == last {
		w[first] |= low & high
		return
	}
	w[first] |= low
	for i := first + 1; i < last; i++ {
		w[i] = ^uint64(0)
	}
	w[last] |= high
}
