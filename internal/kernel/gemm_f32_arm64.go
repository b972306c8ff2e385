//go:build !purego

package kernel

// multiply cuts a tile into what the registers hold: 16 columns of four rows.
func (t *tile) multiply() {
	if !useNEON {
		t.multiplyGeneric()
		return
	}
	const half = PanelWidth / 2
	for column := 0; column < PanelWidth; column += half {
		for row := 0; row < t.rows; {
			a, b, bias, c := at(t.a, row*t.aStride), at(t.b, column), at(t.bias, column), at(t.c, row*t.cStride+column)
			switch left := t.rows - row; {
			case left >= 4:
				panelx4NEON(a, 4*t.aStride, b, bias, c, 4*t.cStride, t.k)
				row += 4
			case left >= 2:
				panelx2NEON(a, 4*t.aStride, b, bias, c, 4*t.cStride, t.k)
				row += 2
			default:
				panelx1NEON(a, 4*t.aStride, b, bias, c, 4*t.cStride, t.k)
				row++
			}
		}
	}
}
