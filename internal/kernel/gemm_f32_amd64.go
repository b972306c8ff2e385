//go:build !purego

package kernel

// tileAVX512 computes a tile of 1 to 12 rows.
//
//go:noescape
func tileAVX512(t *tile)

// tileAVX2 computes 16 columns of a tile of 1 to 6 rows: t's pointers are at
// the first of them.
//
//go:noescape
func tileAVX2(t *tile)

func (t *tile) multiply() {
	switch {
	case useAVX512:
		tileAVX512(t)
	case useAVX2:
		t.multiplyAVX2()
	default:
		t.multiplyGeneric()
	}
}

// multiplyAVX2 cuts a tile into what sixteen registers hold.
func (t *tile) multiplyAVX2() {
	const rows, half = 6, PanelWidth / 2
	for column := 0; column < PanelWidth; column += half {
		for first := 0; first < t.rows; first += rows {
			part := tile{
				rows: min(rows, t.rows-first), k: t.k,
				a: at(t.a, first*t.aStride), aStride: t.aStride,
				b: at(t.b, column), bias: at(t.bias, column),
				c: at(t.c, first*t.cStride+column), cStride: t.cStride,
			}
			tileAVX2(&part)
		}
	}
}
