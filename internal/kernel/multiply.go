package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Product is one multiplication of a call of Multiply: row t of the activations
// times the transposed Matrix goes to Out[t·Stride:][:Matrix.Rows()]. Stride
// zero means Matrix.Rows().
type Product struct {
	Matrix *Matrix
	Out    []float32
	Stride int
}

// Multiply multiplies all rows of a by each matrix. The rows must be quantised
// if a matrix says Quantized.
//
// The dot product of a block is an exact integer; blocks are then added in
// order, each as acc + (d·scale)·dot and, for Q4_1, + m·sum, every operation
// rounded to float32. A float matrix adds column after column with fused
// operations: within n·2⁻²⁴·Σ|w·x| of the exact sum. All levels give the same
// bits.
func Multiply(p *Pool, a *Activations, products ...Product) {
	for _, m := range products {
		if m.Stride == 0 {
			m.Stride = m.Matrix.rows
		}
		if m.Matrix.cols != a.cols || m.Stride < m.Matrix.rows || a.rows > 0 && len(m.Out) < (a.rows-1)*m.Stride+m.Matrix.rows {
			panic(fmt.Sprintf("kernel.Multiply: %d×%d activations, a %d×%d matrix and %d outputs at stride %d do not fit",
				a.rows, a.cols, m.Matrix.rows, m.Matrix.cols, len(m.Out), m.Stride))
		}
	}
	if a.rows == 0 {
		return
	}
	// Pieces of equal size, at least four a thread so that a slow one is made
	// up for, but not so small that handing them out shows.
	total := 0
	for _, m := range products {
		total += len(m.Matrix.data)
	}
	piece := max(16<<10, total/(4*p.Threads())+1)
	pieces := 0
	for _, m := range products {
		pieces += m.Matrix.pieces(piece)
	}
	p.Run(pieces, func(i int) {
		for _, m := range products {
			n := m.Matrix.pieces(piece)
			if i < n {
				stride := m.Stride
				if stride == 0 {
					stride = m.Matrix.rows
				}
				g := m.Matrix.groups()
				m.Matrix.multiply(i*g/n, (i+1)*g/n, a, m.Out, stride)
				return
			}
			i -= n
		}
	})
}

// pieces is into how many pieces of about that many bytes a matrix is cut.
func (m *Matrix) pieces(bytes int) int {
	return max(1, min(m.groups(), (len(m.data)+bytes/2)/bytes))
}

// multiply computes the outputs of groups [from, to) for all rows of a, a tile
// of rows at a time: while a tile stays in the first-level cache, the weights
// stream past.
func (m *Matrix) multiply(from, to int, a *Activations, out []float32, stride int) {
	whole := min(to, m.rows/groupRows)
	for t := 0; t < a.rows; {
		n := tileRows(a.rows - t)
		if from < whole {
			m.tile(from, whole, a, t, n, out[t*stride+from*groupRows:], stride)
		}
		if whole < to { // the last group is not full: its outputs take a detour
			var tile [maxTile * groupRows]float32
			m.tile(whole, to, a, t, n, tile[:], groupRows)
			for i := range n {
				copy(out[(t+i)*stride+whole*groupRows:][:m.rows-whole*groupRows], tile[i*groupRows:])
			}
		}
		t += n
	}
}

// maxTile is the largest number of rows that a tile kernel takes.
const maxTile = 8

// tileRows is the height of the next tile when n rows are left. The height has
// no influence on a row's numbers.
func tileRows(n int) int {
	switch {
	case n >= 8:
		return 8
	case n >= 4:
		return 4
	case n >= 2:
		return 2
	}
	return 1
}

// tile multiplies rows [t, t+n) of a by groups [from, to).
func (m *Matrix) tile(from, to int, a *Activations, t, n int, out []float32, stride int) {
	weights := m.data[from*m.group : to*m.group]
	_ = out[(n-1)*stride+(to-from)*groupRows-1]
	if m.format.quantised() {
		blocks := a.cols / BlockLen
		quantTile(m.format, weights, a.blocks[t*blocks:(t+n)*blocks], n, out, to-from, stride)
		return
	}
	floatTile(m.format, weights, a.x[t*a.cols:(t+n)*a.cols], n, out, to-from, stride)
}

// quantTileGeneric is the definition of a quantised tile: n rows of blocks
// times groups of 16 rows.
func quantTileGeneric(f Format, weights []byte, a []block, n int, out []float32, groups, stride int) {
	blocks := len(a) / n
	size := len(weights) / (groups * blocks)
	for g := range groups {
		for t := range n {
			var acc [groupRows]float32
			for b := range blocks {
				quantBlock(f, weights[(g*blocks+b)*size:][:size], &a[t*blocks+b], &acc)
			}
			copy(out[t*stride+g*groupRows:], acc[:])
		}
	}
}

// quantBlock adds a block's products with 16 rows of weights.
func quantBlock(f Format, w []byte, x *block, acc *[groupRows]float32) {
	var dots [groupRows]int32
	switch f {
	case Q8_0:
		dotBytes((*[512]byte)(w[32:]), &x.q, x.q8, &dots)
	case Q4_0:
		dotNibbles((*[256]byte)(w[32:]), &x.q, x.q4, &dots)
	case Q4_1:
		dotNibbles((*[256]byte)(w[64:]), &x.q, 0, &dots)
	}
	for r := range acc {
		scale := half(w[2*r:]) * x.scale
		acc[r] += float32(scale * float32(dots[r]))
		if f == Q4_1 {
			acc[r] += float32(half(w[32+2*r:]) * x.sum)
		}
	}
}

// dotBytes computes the dot products of 16 rows of unsigned quants with a block,
// each from a start on.
func dotBytes(w *[512]byte, q *[BlockLen]int8, start int32, dots *[groupRows]int32) {
	for r := range dots {
		sum := start
		for i := 0; i < BlockLen/4; i++ {
			w, q := (*[4]byte)(w[64*i+4*r:]), (*[4]int8)(q[4*i:])
			sum += int32(w[0])*int32(q[0]) + int32(w[1])*int32(q[1]) + int32(w[2])*int32(q[2]) + int32(w[3])*int32(q[3])
		}
		dots[r] = sum
	}
}

// dotNibbles is the same for 4-bit quants, of which a byte holds two.
func dotNibbles(w *[256]byte, q *[BlockLen]int8, start int32, dots *[groupRows]int32) {
	for r := range dots {
		sum := start
		for i := 0; i < BlockLen/8; i++ {
			w := (*[4]byte)(w[64*i+4*r:])
			low, high := (*[4]int8)(q[4*i:]), (*[4]int8)(q[4*i+16:])
			sum += int32(w[0]&15)*int32(low[0]) + int32(w[1]&15)*int32(low[1]) + int32(w[2]&15)*int32(low[2]) + int32(w[3]&15)*int32(low[3]) +
				int32(w[0]>>4)*int32(high[0]) + int32(w[1]>>4)*int32(high[1]) + int32(w[2]>>4)*int32(high[2]) + int32(w[3]>>4)*int32(high[3])
		}
		dots[r] = sum
	}
}

// floatTileGeneric is the definition of a float tile.
func floatTileGeneric(f Format, weights []byte, a []float32, n int, out []float32, groups, stride int) {
	cols := len(a) / n
	for g := range groups {
		for t := range n {
			var acc [groupRows]float32
			for c, x := range a[t*cols : (t+1)*cols] {
				column := (g*cols + c) * groupRows
				for r := range acc {
					w := column + r
					if f == F16 {
						acc[r] = fma32(half(weights[2*w:]), x, acc[r])
					} else {
						acc[r] = fma32(math.Float32frombits(binary.LittleEndian.Uint32(weights[4*w:])), x, acc[r])
					}
				}
			}
			copy(out[t*stride+g*groupRows:], acc[:])
		}
	}
}
