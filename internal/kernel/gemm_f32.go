package kernel

import (
	"fmt"
	"unsafe"
)

// PanelWidth is the number of columns in a panel.
const PanelWidth = 32

// Panels is a float32 matrix of k rows and n columns, laid out as the right
// factor of a product: cut into panels of 32 columns, each panel stored row
// after row, so that a tile of results reads it from end to end. Columns beyond
// n are zero. Its zero value is an empty matrix; packing reuses the memory.
//
// A matrix that is packed once and then only multiplied may be used by many
// goroutines.
type Panels struct {
	k, n int
	data []float32 // panel after panel, k·32 each; 64-byte aligned
	bias []float32 // what sums begin with, a panel's worth each; nil means zero
}

// Rows returns the matrix's rows: the length of a row of a left factor.
func (b *Panels) Rows() int { return b.k }

// Columns returns the matrix's columns.
func (b *Panels) Columns() int { return b.n }

// Count returns the number of panels.
func (b *Panels) Count() int { return (b.n + PanelWidth - 1) / PanelWidth }

// Bytes returns the memory that the matrix holds.
func (b *Panels) Bytes() int { return 4 * (cap(b.data) + cap(b.bias)) }

// PackRows makes b the k×n matrix whose row i is src[i·stride:][:n].
func (b *Panels) PackRows(src []float32, stride, k, n int) {
	b.shape("PackRows", len(src), stride, k, n)
	for p := range b.Count() {
		panel := b.panel(p)
		width := min(PanelWidth, n-p*PanelWidth)
		for i := range k {
			row := panel[i*PanelWidth : (i+1)*PanelWidth]
			copy(row, src[i*stride+p*PanelWidth:][:width])
			clear(row[width:])
		}
	}
}

// PackColumns makes b the k×n matrix whose column j is src[j·stride:][:k]: the
// transpose of n stored rows, as a linear layer's weight or a sequence's keys.
func (b *Panels) PackColumns(src []float32, stride, k, n int) {
	b.shape("PackColumns", len(src), stride, n, k)
	b.k, b.n = k, n
	for p := range b.Count() {
		first := p * PanelWidth
		packColumns(b.panel(p), src[min(first*stride, len(src)):], stride, k, min(PanelWidth, n-first))
	}
}

// shape checks that count rows of width numbers lie in a source, and makes
// room for them.
func (b *Panels) shape(caller string, have, stride, count, width int) {
	if count < 0 || width < 0 || stride < width || count > 0 && have < (count-1)*stride+width {
		panic(fmt.Sprintf("kernel.Panels.%s: %d rows of %d at stride %d do not fit %d numbers", caller, count, width, stride, have))
	}
	b.k, b.n = count, width
	if need := max(count*roundUp(width), width*roundUp(count)); cap(b.data) < need {
		b.data = alignedFloats(need)
	}
	b.data = b.data[:cap(b.data)]
	b.bias = b.bias[:0]
}

// SetBias makes every sum of column j begin with bias[j]. Packing anew forgets
// it.
func (b *Panels) SetBias(bias []float32) {
	if len(bias) != b.n {
		panic(fmt.Sprintf("kernel.Panels.SetBias: %d numbers for %d columns", len(bias), b.n))
	}
	b.bias = append(make([]float32, 0, roundUp(b.n)), bias...)[:roundUp(b.n)]
}

func (b *Panels) panel(p int) []float32 {
	return b.data[p*b.k*PanelWidth : (p+1)*b.k*PanelWidth]
}

// Multiply multiplies rows of a, each b.Rows() long, by panels from ≤ p < to of
// b. Row i of a begins at a[i·aStride]; row i of the result begins at
// dst[i·dstStride] and only its columns in those panels are written, whole
// panels of them: dstStride is at least 32·b.Count(), and what is beyond
// b.Columns() becomes zero. dst overlaps neither a nor b.
//
// An element is its bias plus the products in the order of k, each added with
// one rounding (two where the processor has no fused multiply-add). So its bits
// depend on its own row and column alone, whatever else is multiplied in the
// same call, and its error is at most (k+1)·2⁻²⁴·(|bias| + Σ|aᵢ·bᵢ|). AVX2 and
// AVX512 give the same bits.
//
// Strides that are a multiple of 4 KiB make the rows of a tile compete for the
// same cache lines; see [Stride].
func (b *Panels) Multiply(dst []float32, dstStride int, a []float32, aStride, rows, from, to int) {
	if from < 0 || from > to || to > b.Count() {
		panic(fmt.Sprintf("kernel.Panels.Multiply: panels %d to %d of %d", from, to, b.Count()))
	}
	if rows <= 0 || from == to {
		return
	}
	if aStride < b.k || len(a) < (rows-1)*aStride+b.k || dstStride < to*PanelWidth || len(dst) < (rows-1)*dstStride+to*PanelWidth {
		panic(fmt.Sprintf("kernel.Panels.Multiply: %d rows: %d numbers at stride %d and %d results at stride %d do not fit a %d×%d matrix",
			rows, len(a), aStride, len(dst), dstStride, b.k, b.n))
	}
	if b.k == 0 {
		b.fill(dst, dstStride, rows, from, to)
		return
	}
	// A block of rows stays in the second-level cache while the panels pass by.
	block := max(tileHeight, blockFloats/b.k)
	for first := 0; first < rows; first += block {
		count := min(block, rows-first)
		tiles := (count + tileHeight - 1) / tileHeight
		for p := from; p < to; p++ {
			t := tile{k: b.k, aStride: aStride, cStride: dstStride, b: &b.data[p*b.k*PanelWidth], bias: b.panelBias(p)}
			for i := range tiles { // of equal height: one of a single row would waste the most
				lo, hi := first+count*i/tiles, first+count*(i+1)/tiles
				t.a, t.c, t.rows = &a[lo*aStride], &dst[lo*dstStride+p*PanelWidth], hi-lo
				t.multiply()
			}
		}
	}
}

// blockFloats is the size of a block of rows in Multiply: 256 KiB, half of a
// small second-level cache.
const blockFloats = 64 << 10

// tileHeight is the most rows a tile has.
const tileHeight = 12

// tile is the innermost product: up to tileHeight rows by one panel. The
// assembly reads it by its fields' names.
type tile struct {
	rows    int
	k       int      // at least 1
	a       *float32 // the first row
	aStride int      // in numbers
	b       *float32 // the panel
	bias    *float32 // 32 numbers
	c       *float32 // the first row of the results
	cStride int      // in numbers
}

// multiplyGeneric is the plain definition of a tile.
func (t *tile) multiplyGeneric() {
	a := unsafe.Slice(t.a, (t.rows-1)*t.aStride+t.k)
	b := unsafe.Slice(t.b, t.k*PanelWidth)
	c := unsafe.Slice(t.c, (t.rows-1)*t.cStride+PanelWidth)
	bias := unsafe.Slice(t.bias, PanelWidth)
	for i := range t.rows {
		sum := c[i*t.cStride:][:PanelWidth]
		copy(sum, bias)
		for p, v := range a[i*t.aStride:][:t.k] {
			row := b[p*PanelWidth:][:PanelWidth]
			for j := range sum {
				sum[j] += v * row[j]
			}
		}
	}
}

// noBias is the bias of a matrix without one.
var noBias [PanelWidth]float32

func (b *Panels) panelBias(p int) *float32 {
	if len(b.bias) == 0 {
		return &noBias[0]
	}
	return &b.bias[p*PanelWidth]
}

// fill is Multiply for a matrix without rows.
func (b *Panels) fill(dst []float32, stride, rows, from, to int) {
	for i := range rows {
		for p := from; p < to; p++ {
			copy(dst[i*stride+p*PanelWidth:][:PanelWidth], unsafe.Slice(b.panelBias(p), PanelWidth))
		}
	}
}

// packColumns fills a panel with the transpose of width rows.
func packColumns(panel, src []float32, stride, k, width int) {
	j := 0
	for ; j+4 <= width; j += 4 {
		r0, r1, r2, r3 := src[j*stride:][:k], src[(j+1)*stride:][:k], src[(j+2)*stride:][:k], src[(j+3)*stride:][:k]
		for p := range r0 {
			to := panel[p*PanelWidth+j:][:4]
			to[0], to[1], to[2], to[3] = r0[p], r1[p], r2[p], r3[p]
		}
	}
	for ; j < width; j++ {
		for p, v := range src[j*stride:][:k] {
			panel[p*PanelWidth+j] = v
		}
	}
	if width < PanelWidth {
		for p := range k {
			clear(panel[p*PanelWidth+width:][:PanelWidth-width])
		}
	}
}

// Stride returns a row length of at least n, a multiple of 32, for a matrix of
// many rows: an odd number of cache lines, so that the same column of
// neighbouring rows falls into different sets of a cache.
func Stride(n int) int {
	const line = 16
	return roundUp(n) + line
}

func roundUp(n int) int { return (n + PanelWidth - 1) / PanelWidth * PanelWidth }

// alignedFloats returns n zeros that begin at a cache line.
func alignedFloats(n int) []float32 {
	const line = 64
	x := make([]float32, n+line/4)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(x)))/4) & (line/4 - 1)
	return x[skip : skip+n : skip+n]
}

// at returns a pointer n numbers beyond p, which must be inside its array.
func at(p *float32, n int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*n))
}
