package vector

import (
	"fmt"
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"
)

// readBitmap decodes a roaring bitmap from bytes that may be anything: what the
// library accepts is checked once more before it is used.
func readBitmap(data []byte) (b *roaring.Bitmap, err error) {
	defer func() {
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("a bit map cannot be read: %v", p)
		}
	}()
	b = roaring.New()
	n, err := b.FromUnsafeBytes(data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("a bit map cannot be read: %w", err)
	case int(n) != len(data):
		return nil, fmt.Errorf("a bit map has %d bytes, and %d were read", len(data), n)
	}
	if err := b.Validate(); err != nil {
		return nil, fmt.Errorf("a bit map is not as it should be: %w", err)
	}
	return b, nil
}

// rowSet is rows of a segment, a bit each. Filters are answered with these and
// not with compressed bitmaps: combining two of a million rows takes
// microseconds, and an index wants the bits anyway.
type rowSet []uint64

func newRowSet(rows int) rowSet { return make(rowSet, (rows+63)/64) }

// allRows returns the set of all of so many rows.
func allRows(rows int) rowSet {
	w := newRowSet(rows)
	for i := range w {
		w[i] = ^uint64(0)
	}
	if rest := rows % 64; rest != 0 {
		w[len(w)-1] = 1<<rest - 1
	}
	return w
}

func (w rowSet) add(row int) {
	if row/64 < len(w) { // a damaged index may name any
		w[row/64] |= 1 << (row % 64)
	}
}

// addBitmap adds the rows of a compressed bitmap.
func (w rowSet) addBitmap(b *roaring.Bitmap) {
	it := b.ManyIterator()
	var buf [512]uint32
	for n := it.NextMany(buf[:]); n > 0; n = it.NextMany(buf[:]) {
		for _, row := range buf[:n] {
			w.add(int(row))
		}
	}
}

func (w rowSet) and(other []uint64) {
	for i := range w {
		w[i] &= other[i]
	}
}

func (w rowSet) or(other []uint64) {
	for i := range w {
		w[i] |= other[i]
	}
}

func (w rowSet) andNot(other []uint64) {
	for i := range w {
		w[i] &^= other[i]
	}
}

// keepRange drops all rows but those from (inclusive) to (exclusive).
func (w rowSet) keepRange(from, to int) {
	if from >= to {
		clear(w)
		return
	}
	first, last := from/64, (to-1)/64
	clear(w[:first])
	clear(w[last+1:])
	w[first] &= ^uint64(0) << (from % 64)
	w[last] &= ^uint64(0) >> (63 - (to-1)%64)
}

func (w rowSet) count() (n int) {
	for _, x := range w {
		n += bits.OnesCount64(x)
	}
	return n
}
