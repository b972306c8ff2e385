package kernel

import (
	"fmt"
)

// Product is one multiplication of a call of Multiply: the t-th of so many Rows of
// the activations, from the one called First on, times the transposed Matrix goes
// to Out[t·Stride:][:Matrix.Rows()]. Rows zero means all of them, Stride zero
// Matrix.Rows().
type Product struct {
	Matrix      *Matrix
	Out         []float32
	Stride      int
	First, Rows int
}

// whole fills in what zeros mean.
func (m Product) whole(a *Activations) Product {
	if m.Rows == 0 {
		m.Rows = a.rows - m.First
	}
	if m.Stride == 0 {
		m.Stride = m.Matrix.rows
	}
	return m
}

// Multiply multiplies rows of a by each matrix. The rows must be quantised if a
// matrix says Quantized.
//
// The dot product of a block, or of a part with a scale of its own, is an exact
// integer; these are then added in order, each as acc + (d·scale)·dot and, with
// minima, + m·sum, in fused operations. A float matrix adds column after column
// with fused operations: within n·2⁻²⁴·Σ|w·x| of the exact sum. All levels give
// the same bits.
func Multiply(p *Pool, a *Activations, products ...Product) {
	for _, m := range products {
		m = m.whole(a)
		if m.Matrix.cols != a.cols || m.Stride < m.Matrix.rows || m.First < 0 || m.Rows < 0 || m.First+m.Rows > a.rows ||
			m.Rows > 0 && len(m.Out) < (m.Rows-1)*m.Stride+m.Matrix.rows {
			panic(fmt.Sprintf("kernel.Multiply: rows %d to %d of %d×%d activations, a %d×%d matrix and %d outputs at stride %d do not fit",
				m.First, m.First+m.Rows, a.rows, a.cols, m.Matrix.rows, m.Matrix.cols, len(m.Out), m.Stride))
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
				g := m.Matrix.groups()
				m.whole(a).multiply(i*g/n, (i+1)*g/n, a)
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

// multiply computes the outputs of groups [from, to) for a product's rows, a tile
// of rows at a time: while a tile stays in the first-level cache, the weights
// stream past.
func (m Product) multiply(from, to int, a *Activations) {
	rows := m.Matrix.rows
	whole := min(to, rows/groupRows)
	for t := 0; t < m.Rows; {
		n := tileRows(m.Rows - t)
		if from < whole {
			m.Matrix.tile(from, whole, a, m.First+t, n, m.Out[t*m.Stride+from*groupRows:], m.Stride)
		}
		if whole < to { // the last group is not full: its outputs take a detour
			var tile [maxTile * groupRows]float32
			m.Matrix.tile(whole, to, a, m.First+t, n, tile[:], groupRows)
			for i := range n {
				copy(m.Out[(t+i)*m.Stride+whole*groupRows:][:rows-whole*groupRows], tile[i*groupRows:])
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
	if m.layout.quantised() {
		blocks := a.cols / BlockLen
		quantTile(m.format, weights, a.blocks[t*blocks:(t+n)*blocks], n, a.Coarse, out, to-from, stride)
		return
	}
	floatTile(m.format, weights, a.x[t*a.cols:(t+n)*a.cols], n, out, to-from, stride)
}

// quantTileGeneric is the definition of a quantised tile: n rows of blocks
// times groups of 16 rows.
func quantTileGeneric(f Format, weights []byte, a []block, n int, out []float32, groups, stride int) {
	l, blocks := f.layout(), len(a)/n
	inStretch := l.values / BlockLen
	for g := range groups {
		var acc [maxTile][groupRows]float32
		for b := range blocks {
			if b%inStretch == 0 && g+b > 0 {
				weights = weights[l.stretch():]
			}
			w := weights[l.header()+b%inStretch*l.block():][:l.block()]
			quantBlock(l, weights, w, a[b:], blocks, acc[:n])
		}
		for t := range n {
			copy(out[t*stride+g*groupRows:], acc[t][:])
		}
	}
}

// quantBlock adds the products of a block of 16 rows of weights with a block of
// each row of activations, which lie stride apart.
func quantBlock(l *layout, shared, w []byte, a []block, stride int, acc [][groupRows]float32) {
	var x [maxTile][BlockLen]int32
	var sums [maxTile][2]int32
	for t := range acc {
		for c := range x[t] {
			q := a[t*stride].quant(c)
			x[t][c] = q
			sums[t][c*l.parts/BlockLen] += q
		}
	}
	for r := range groupRows {
		var quants [BlockLen]byte
		l.unpackQuants(w[l.scales():], r, &quants)
		for part := range l.parts {
			scale, add := l.scale(shared, w, r, part)
			for t := range acc {
				var dot int32
				if l.parts == 1 {
					dot = dotHalf((*[16]byte)(quants[:]), (*[16]int32)(x[t][:])) + dotHalf((*[16]byte)(quants[16:]), (*[16]int32)(x[t][16:]))
				} else {
					dot = dotHalf((*[16]byte)(quants[16*part:]), (*[16]int32)(x[t][16*part:]))
				}
				dot -= l.zero * sums[t][part]
				x := &a[t*stride]
				acc[t][r] = fma32(scale*x.scale, float32(dot), acc[t][r])
				if l.min {
					sum := x.sum
					if l.parts == 2 {
						sum = x.sums[part]
					}
					acc[t][r] = fma32(add, sum, acc[t][r])
				}
			}
		}
	}
}

// dotHalf multiplies the quants of half a block.
func dotHalf(w *[16]byte, x *[16]int32) int32 {
	var a, b int32
	for c := 0; c < 16; c += 4 {
		a += int32(w[c])*x[c] + int32(w[c+1])*x[c+1]
		b += int32(w[c+2])*x[c+2] + int32(w[c+3])*x[c+3]
	}
	return a + b
}

// floatTileGeneric is the definition of a float tile.
func floatTileGeneric(f Format, weights []byte, a []float32, n int, out []float32, groups, stride int) {
	cols, size := len(a)/n, f.layout().bytes
	for g := range groups {
		for t := range n {
			var acc [groupRows]float32
			for c, x := range a[t*cols : (t+1)*cols] {
				column := weights[(g*cols+c)*groupRows*size:]
				for r := range acc {
					acc[r] = fma32(f.float(column[r*size:]), x, acc[r])
				}
			}
			copy(out[t*stride+g*groupRows:], acc[:])
		}
	}
}
