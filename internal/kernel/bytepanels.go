package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// BytePanels is a matrix of k rows and n columns in eight bits, the right factor
// of ByteRows, cut into panels of PanelWidth columns. Each column is rotated as
// the rows of the left factor are, and rounded to ±127 with its own scale. Four
// consecutive rows of a column lie side by side, as the instructions for dot
// products of bytes take them. Its zero value is an empty matrix.
//
// A byte holds its number plus 128, because those instructions multiply unsigned
// by signed bytes; what this adds to a sum depends on the left factor only, and
// each of its rows knows it (byteRow.start).
//
// A matrix that is packed once and then only multiplied may be used by many
// goroutines.
type BytePanels struct {
	k, n   int
	data   []byte    // panel after panel, k·32 each; 64-byte aligned
	scales []float32 // of the columns, a panel's worth each
	bias   []float32 // added to the sums, likewise; zero where there is none
}

// Rows returns the matrix's rows: the length of a row of a left factor.
func (b *BytePanels) Rows() int { return b.k }

// Columns returns the matrix's columns.
func (b *BytePanels) Columns() int { return b.n }

// Count returns the number of panels.
func (b *BytePanels) Count() int { return (b.n + PanelWidth - 1) / PanelWidth }

// PackColumns makes b the k×n matrix whose column j is src[j·stride:][:k], as a
// linear layer's weight is stored. k is a multiple of ByteBlock, at most 2¹⁶.
// src is not changed.
func (b *BytePanels) PackColumns(src []float32, stride, k, n int) {
	b.pack("PackColumns", src, stride, k, n, false)
}

// PackRest makes b what PackColumns loses of the same matrix by rounding: a product
// with both has nearly sixteen bits of its right factor. See MultiplyAdd.
func (b *BytePanels) PackRest(src []float32, stride, k, n int) {
	b.pack("PackRest", src, stride, k, n, true)
}

func (b *BytePanels) pack(caller string, src []float32, stride, k, n int, rest bool) {
	if k < 1 || k%ByteBlock != 0 || k > 1<<16 || n < 1 || stride < k || len(src) < (n-1)*stride+k {
		panic(fmt.Sprintf("kernel.BytePanels.%s: %d columns of %d at stride %d do not fit %d numbers, or are no multiple of %d",
			caller, n, k, stride, len(src), ByteBlock))
	}
	b.k, b.n = k, n
	b.data = alignedBytes(b.Count() * PanelWidth * k)
	b.scales = alignedFloats(b.Count() * PanelWidth)
	b.bias = alignedFloats(b.Count() * PanelWidth)
	for i := range b.data {
		b.data[i] = 128
	}
	turned, quants := make([]float32, k), make([]int8, k)
	shrink := 1 / float32(hadamardSize(k)) // both factors were rotated without bringing them to length 1
	for j := range n {
		column := quantizeRow(quants, turned, spread(turned, src[j*stride:][:k]))
		if rest {
			largest := uint32(0)
			for i, q := range quants {
				turned[i] -= column.scale * float32(q)
				largest = max(largest, math.Float32bits(turned[i])&0x7fffffff)
			}
			column = quantizeRow(quants, turned, largest)
		}
		b.scales[j] = column.scale * shrink
		panel := b.data[j/PanelWidth*PanelWidth*k:]
		for i, q := range quants {
			panel[i/4*4*PanelWidth+j%PanelWidth*4+i%4] = byte(int(q) + 128)
		}
	}
}

// SetBias makes bias[j] be added to every result of column j. Packing anew
// forgets it.
func (b *BytePanels) SetBias(bias []float32) {
	if len(bias) != b.n {
		panic(fmt.Sprintf("kernel.BytePanels.SetBias: %d numbers for %d columns", len(bias), b.n))
	}
	copy(b.bias, bias)
}

// Multiply multiplies rows first ≤ i < last of a, which have been quantised, by
// panels from ≤ p < to of b. Row i of the result begins at
// dst[(i−first)·dstStride], and only its columns in those panels are written,
// whole panels of them; what is beyond b.Columns() becomes zero.
//
// An element is Σ of the products of the bytes, an exact integer, times the
// product of row's and column's scale, plus the bias, each step rounded to
// float32. So its bits depend on its own row and column alone, and all levels
// give the same.
func (b *BytePanels) Multiply(dst []float32, dstStride int, a *ByteRows, first, last, from, to int) {
	b.check("Multiply", dst, dstStride, a, first, last, from, to)
	const add = false
	b.multiply(dst, dstStride, a, first, last, from, to, add)
}

// MultiplyAdd is Multiply, but adds to what is in dst.
func (b *BytePanels) MultiplyAdd(dst []float32, dstStride int, a *ByteRows, first, last, from, to int) {
	b.check("MultiplyAdd", dst, dstStride, a, first, last, from, to)
	const add = true
	b.multiply(dst, dstStride, a, first, last, from, to, add)
}

// check refuses a product that does not fit.
func (b *BytePanels) check(caller string, dst []float32, dstStride int, a *ByteRows, first, last, from, to int) {
	if from < 0 || from > to || to > b.Count() || first < 0 || first > last || last > a.rows || a.k != b.k {
		panic(fmt.Sprintf("kernel.BytePanels.%s: rows %d to %d of %d with %d numbers by panels %d to %d of a %d×%d matrix",
			caller, first, last, a.rows, a.k, from, to, b.k, b.n))
	}
	if first < last && from < to && (dstStride < to*PanelWidth || len(dst) < (last-first-1)*dstStride+to*PanelWidth) {
		panic(fmt.Sprintf("kernel.BytePanels.%s: %d results at stride %d do not hold %d rows of %d panels", caller, len(dst), dstStride, last-first, to))
	}
}

// multiply cuts a product into tiles of nearly equal height. A block of rows stays
// in the second-level cache while the panels pass by.
func (b *BytePanels) multiply(dst []float32, dstStride int, a *ByteRows, first, last, from, to int, add bool) {
	var results [tileHeight * PanelWidth]float32 // of a tile that is added
	block := max(tileHeight, 4*blockFloats/b.k)
	for start := first; start < last; start += block {
		count := min(block, last-start)
		tiles := (count + tileHeight - 1) / tileHeight
		for p := from; p < to; p++ {
			column := p * PanelWidth
			t := byteTile{k: b.k, b: &b.data[column*b.k], scales: &b.scales[column], bias: &b.bias[column], aStride: a.stride}
			for i := range tiles {
				lo, hi := start+count*i/tiles, start+count*(i+1)/tiles
				t.a, t.meta, t.rows = &a.bytes[lo*a.stride], &a.meta[lo], hi-lo
				out := dst[(lo-first)*dstStride+column:]
				if !add {
					t.c, t.cStride = &out[0], dstStride
					t.multiply()
					continue
				}
				t.c, t.cStride = &results[0], PanelWidth
				t.multiply()
				for r := range t.rows {
					Axpy(1, results[r*PanelWidth:][:PanelWidth], out[r*dstStride:][:PanelWidth])
				}
			}
		}
	}
}

// byteTile is the innermost product: up to tileHeight rows by one panel. The
// assembly reads it by its fields' names.
type byteTile struct {
	rows    int
	k       int
	a       *int8 // the first row
	aStride int   // in bytes
	meta    *byteRow
	b       *byte    // the panel
	scales  *float32 // 32 numbers
	bias    *float32 // 32 numbers
	c       *float32 // the first row of the results
	cStride int      // in numbers
}

// multiplyGeneric is the plain definition of a tile.
func (t *byteTile) multiplyGeneric() {
	a := unsafe.Slice(t.a, (t.rows-1)*t.aStride+t.k)
	meta := unsafe.Slice(t.meta, t.rows)
	b := unsafe.Slice(t.b, t.k*PanelWidth)
	c := unsafe.Slice(t.c, (t.rows-1)*t.cStride+PanelWidth)
	scales, bias := unsafe.Slice(t.scales, PanelWidth), unsafe.Slice(t.bias, PanelWidth)
	for i := range t.rows {
		var sums [PanelWidth]int32
		for p, v := range a[i*t.aStride:][:t.k] {
			row := b[p/4*4*PanelWidth+p%4:]
			for j := range sums {
				sums[j] += int32(v) * (int32(row[4*j]) - 128)
			}
		}
		out := c[i*t.cStride:][:PanelWidth]
		for j, s := range sums {
			out[j] = float32(float32(s)*float32(meta[i].scale*scales[j])) + bias[j]
		}
	}
}
