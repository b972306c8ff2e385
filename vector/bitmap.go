package vector

import (
	"fmt"

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

// words returns a bitmap as 64-bit words for so many rows.
func words(b *roaring.Bitmap, rows int) []uint64 {
	out := make([]uint64, (rows+63)/64)
	for it := b.ManyIterator(); ; {
		var buf [256]uint32
		n := it.NextMany(buf[:])
		if n == 0 {
			return out
		}
		for _, row := range buf[:n] {
			if int(row) < rows {
				out[row/64] |= 1 << (row % 64)
			}
		}
	}
}
