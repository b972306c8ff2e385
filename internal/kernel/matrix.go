package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// groupRows is the number of rows stored interleaved.
const groupRows = 16

// Matrix is a matrix of weights, repacked for the kernels: groups of 16 rows,
// the last one filled up with zeros. Immutable, so safe for concurrent use.
//
// A group of a float format has one column of all 16 rows after another. A group
// of a quantised one is a run of blocks of 32 columns,
//
//	scales   of the 16 rows, half-precision
//	minima   alike, where the format has them
//	quants   64 bytes for four columns or twice four
//
// and for the K formats, whose scales and minima are a byte each and come for
// columns 0–15 before those for 16–31 where they differ, eight such blocks follow
// 16 half-precision d and, where there are any, m.
//
// Four columns c of the rows r lie together, the byte of a quant at 4·r + c%4,
// as the dot products want them. Of up to six bits, low halves hold columns 0–15
// and high ones 16–31: byte 64·(c%16/4) + 4·r + c%4. Behind them the fifth bits
// have a byte for each (r, c%4), bit c/4 of it, and the fifth and sixth bits two:
// bits 2·(c%16/4) on of one for columns 0–15, of the other for 16–31. Quants of
// eight bits lie at 64·(c/4) + 4·r + c%4.
type Matrix struct {
	format     Format
	layout     *layout
	rows, cols int
	group      int // bytes of a group
	data       []byte
}

// NewMatrix repacks rows×cols weights that lie in src as a GGUF file has them:
// row after row, little endian. It keeps nothing of src. The weights go to
// memory of the slab, Size bytes of it, or of the Go heap if the slab is nil;
// they live as long as that does. It panics when src has another length or when
// a row is not a whole number of the format's blocks: Size tells beforehand.
func NewMatrix(slab *Slab, f Format, src []byte, rows, cols int) *Matrix {
	m := newMatrix(slab, f, rows, cols)
	stride, _ := f.RowBytes(cols)
	if len(src) != rows*stride {
		panic(fmt.Sprintf("kernel.NewMatrix: %d×%d weights of %v take %d bytes, not %d", rows, cols, f, rows*stride, len(src)))
	}
	for i := range rows {
		m.packRow(i, src[i*stride:(i+1)*stride])
	}
	return m
}

// NewMatrixRows is NewMatrix for weights that are not in memory as a file has
// them: row writes the bytes of row i to dst. It is called once a row, in order.
func NewMatrixRows(slab *Slab, f Format, rows, cols int, row func(i int, dst []byte)) *Matrix {
	m := newMatrix(slab, f, rows, cols)
	stride, _ := f.RowBytes(cols)
	src := make([]byte, stride)
	for i := range rows {
		row(i, src)
		m.packRow(i, src)
	}
	return m
}

// newMatrix makes a matrix of zeros.
func newMatrix(slab *Slab, f Format, rows, cols int) *Matrix {
	l := f.layout()
	if rows < 0 || cols < 1 || cols%l.values != 0 {
		panic(fmt.Sprintf("kernel.NewMatrix: %d×%d of %v, whose blocks hold %d", rows, cols, f, l.values))
	}
	m := &Matrix{format: f, layout: l, rows: rows, cols: cols, group: l.groupBytes(cols)}
	if n := m.groups() * m.group; slab != nil {
		m.data = slab.Take(n)
	} else {
		m.data = alignedBytes(n)
	}
	return m
}

// Size returns the bytes a Matrix of that shape will take, or an error when a
// row is not a whole number of blocks.
func Size(f Format, rows, cols int) (int64, error) {
	l := f.layout()
	if cols%l.values != 0 {
		return 0, fmt.Errorf("%v rows of %d columns are not whole blocks of %d", f, cols, l.values)
	}
	groups := (int64(rows) + groupRows - 1) / groupRows
	return groups * int64(l.groupBytes(cols)), nil
}

// alignedBytes returns n zero bytes of the Go heap at a multiple of slabAlign.
func alignedBytes(n int) []byte {
	b := make([]byte, n+slabAlign-1)
	skip := int(-uintptr(unsafe.Pointer(&b[0])) & (slabAlign - 1))
	return b[skip : skip+n : skip+n]
}

// Rows returns the number of rows: the outputs of a multiplication.
func (m *Matrix) Rows() int { return m.rows }

// Cols returns the number of columns: the inputs of a multiplication.
func (m *Matrix) Cols() int { return m.cols }

// Format returns the format the weights came in.
func (m *Matrix) Format() Format { return m.format }

// Bytes returns the memory the weights take.
func (m *Matrix) Bytes() int64 { return int64(len(m.data)) }

// Quantized reports whether Multiply reads the quantised form of its
// activations, so that Activations.Quantize must have run on each row.
func (m *Matrix) Quantized() bool { return m.layout.quantised() }

// groups is the number of groups, the last one perhaps not full.
func (m *Matrix) groups() int { return (m.rows + groupRows - 1) / groupRows }

// packRow writes row i from its bytes in a file.
func (m *Matrix) packRow(i int, src []byte) {
	l, dst, r := m.layout, m.data[i/groupRows*m.group:], i%groupRows
	if m.format.packWords(dst, r, src) {
		return
	}
	if !l.quantised() {
		for c := range m.cols {
			copy(dst[(c*groupRows+r)*l.bytes:], src[c*l.bytes:][:l.bytes])
		}
		return
	}
	m.packParts(dst, r, src)
}

// packParts writes row r of a group of any quantised format.
func (m *Matrix) packParts(dst []byte, r int, src []byte) {
	l, stretch := m.layout, m.layout.stretch()
	var u fileBlock
	for ; len(src) > 0; src, dst = src[l.bytes:], dst[stretch:] {
		l.read(src[:l.bytes], &u)
		l.pack(dst[:stretch], r, &u)
	}
}

// Row writes row i as floats into dst, which has Cols elements: the embedding
// of token i. The values are the format's exact ones.
func (m *Matrix) Row(i int, dst []float32) {
	if i < 0 || i >= m.rows || len(dst) != m.cols {
		panic(fmt.Sprintf("kernel.Matrix.Row: row %d into %d floats of a %d×%d matrix", i, len(dst), m.rows, m.cols))
	}
	l, src, r := m.layout, m.data[i/groupRows*m.group:], i%groupRows
	if !l.quantised() {
		for c := range dst {
			dst[c] = m.format.float(src[(c*groupRows+r)*l.bytes:])
		}
		return
	}
	for ; len(dst) > 0; src, dst = src[l.stretch():], dst[l.values:] {
		for b := range l.values / BlockLen {
			block := src[l.header()+b*l.block():][:l.block()]
			l.decode(src, block, r, (*[BlockLen]float32)(dst[b*BlockLen:]))
		}
	}
}

// float reads a number of a float format.
func (f Format) float(b []byte) float32 {
	switch f {
	case F32:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	case BF16:
		return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
	}
	return half(b)
}

// half reads a little-endian half-precision number.
func half(b []byte) float32 { return Float16(binary.LittleEndian.Uint16(b)) }
