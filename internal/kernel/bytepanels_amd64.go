//go:build !purego

package kernel

import "unsafe"

// byteTileAVX512 computes a tile of 1 to 12 rows.
//
//go:noescape
func byteTileAVX512(t *byteTile)

// byteTileAVX2 computes 16 columns of a tile of 1 to 4 rows: t's pointers are at
// the first of them.
//
//go:noescape
func byteTileAVX2(t *byteTile)

func (t *byteTile) multiply() {
	switch {
	case useAVX512:
		byteTileAVX512(t)
	case useAVX2:
		t.multiplyAVX2()
	default:
		t.multiplyGeneric()
	}
}

// multiplyAVX2 cuts a tile into what sixteen registers hold.
func (t *byteTile) multiplyAVX2() {
	const rows, half = 4, PanelWidth / 2
	for column := 0; column < PanelWidth; column += half {
		for first := 0; first < t.rows; first += rows {
			part := *t
			part.rows = min(rows, t.rows-first)
			part.a = (*int8)(unsafe.Add(unsafe.Pointer(t.a), first*t.aStride))
			part.meta = (*byteRow)(unsafe.Add(unsafe.Pointer(t.meta), first*int(unsafe.Sizeof(*t.meta))))
			part.b = (*byte)(unsafe.Add(unsafe.Pointer(t.b), 4*column))
			part.scales, part.bias = at(t.scales, column), at(t.bias, column)
			part.c = at(t.c, first*t.cStride+column)
			byteTileAVX2(&part)
		}
	}
}
