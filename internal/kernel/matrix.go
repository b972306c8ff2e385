package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// BlockLen is the number of consecutive columns that share a scale in the
// quantised formats.
const BlockLen = 32

// groupRows is the number of rows stored interleaved.
const groupRows = 16

// Format is how a Matrix holds its weights.
type Format int

// The formats. A quantised one stores blocks of 32 columns: Q8_0 as d·q with q
// of 8 signed bits, Q4_0 as d·(q−8) and Q4_1 as d·q+m with q of 4 bits, d and m
// half-precision.
const (
	F32 Format = iota
	F16
	Q8_0
	Q4_0
	Q4_1
)

func (f Format) String() string {
	switch f {
	case F32:
		return "F32"
	case F16:
		return "F16"
	case Q8_0:
		return "Q8_0"
	case Q4_0:
		return "Q4_0"
	case Q4_1:
		return "Q4_1"
	}
	return fmt.Sprintf("Format(%d)", int(f))
}

// quantised reports whether rows are multiplied as integers, with activations
// that Activations.Quantize has prepared.
func (f Format) quantised() bool { return f >= Q8_0 }

// source is the number of bytes that n columns of a row take in a GGUF file.
func (f Format) source(n int) int {
	switch f {
	case F32:
		return 4 * n
	case F16:
		return 2 * n
	case Q8_0:
		return n / BlockLen * 34
	case Q4_0:
		return n / BlockLen * 18
	case Q4_1:
		return n / BlockLen * 20
	}
	panic("kernel: unknown matrix format " + f.String())
}

// Bytes of one block of a group: the 16 rows' scales, for Q4_1 their minima,
// and their quants. A row's scale is at 2·row and its minimum at 32+2·row.
const (
	q8Block  = 2*groupRows + BlockLen*groupRows
	q40Block = 2*groupRows + BlockLen*groupRows/2
	q41Block = 4*groupRows + BlockLen*groupRows/2
)

// Matrix is a matrix of weights, repacked for the kernels: groups of 16 rows,
// the last one filled up with zeros, and in a group one column (F32, F16), four
// columns (Q8_0) or two times four columns (Q4) of all 16 rows side by side.
// Immutable, so safe for concurrent use.
//
// Quants of a Q8_0 block, row r and column c: byte 64·(c/4) + 4·r + c%4, with
// its sign bit flipped, since the dot product wants one unsigned side. Of a Q4
// block: byte 64·(c%16/4) + 4·r + c%4, columns 0–15 in the low and 16–31 in the
// high half.
type Matrix struct {
	format     Format
	rows, cols int
	group      int // bytes of a group
	data       []byte
}

// NewMatrix repacks rows×cols weights that lie in src as a GGUF file has them:
// row after row, little endian. It keeps nothing of src. The weights go to
// memory of the slab, Size bytes of it, or of the Go heap if the slab is nil;
// they live as long as that does. It panics when src has another length or when
// a quantised row is not a whole number of blocks: Size tells beforehand.
func NewMatrix(slab *Slab, f Format, src []byte, rows, cols int) *Matrix {
	if f.quantised() && cols%BlockLen != 0 {
		panic(fmt.Sprintf("kernel.NewMatrix: %v rows of %d columns are not whole blocks of %d", f, cols, BlockLen))
	}
	if want := rows * f.source(cols); rows < 0 || cols < 1 || len(src) != want {
		panic(fmt.Sprintf("kernel.NewMatrix: %d×%d weights of %v take %d bytes, not %d", rows, cols, f, want, len(src)))
	}
	m := &Matrix{format: f, rows: rows, cols: cols, group: f.groupBytes(cols)}
	if n := m.groups() * m.group; slab != nil {
		m.data = slab.Take(n)
	} else {
		m.data = alignedBytes(n)
	}
	for g := range m.groups() {
		dst := m.data[g*m.group : (g+1)*m.group]
		for r := range min(groupRows, rows-g*groupRows) {
			stride := f.source(cols)
			m.packRow(dst, r, src[(g*groupRows+r)*stride:][:stride])
		}
	}
	return m
}

// Size returns the bytes a Matrix of that shape will take, or an error when a
// quantised row is not a whole number of blocks.
func Size(f Format, rows, cols int) (int64, error) {
	if f.quantised() && cols%BlockLen != 0 {
		return 0, fmt.Errorf("%v rows of %d columns are not whole blocks of %d", f, cols, BlockLen)
	}
	groups := (int64(rows) + groupRows - 1) / groupRows
	return groups * int64(f.groupBytes(cols)), nil
}

// groupBytes is the size of a group of packed rows.
func (f Format) groupBytes(cols int) int {
	switch f {
	case F32:
		return 4 * groupRows * cols
	case F16:
		return 2 * groupRows * cols
	case Q8_0:
		return cols / BlockLen * q8Block
	case Q4_0:
		return cols / BlockLen * q40Block
	case Q4_1:
		return cols / BlockLen * q41Block
	}
	panic("kernel: unknown matrix format " + f.String())
}

// alignedBytes returns n zero bytes of the Go heap at a multiple of slabAlign.
func alignedBytes(n int) []byte {
	b := make([]byte, n+slabAlign-1)
	skip := int(-uintptr(unsafe.Pointer(&b[0])) & (slabAlign - 1))
	return b[skip : skip+n : skip+n]
}

// packRow writes row r of a group from its bytes in the file.
func (m *Matrix) packRow(dst []byte, r int, src []byte) {
	switch m.format {
	case F32:
		for c := range m.cols {
			copy(dst[(c*groupRows+r)*4:], src[4*c:4*c+4])
		}
	case F16:
		for c := range m.cols {
			copy(dst[(c*groupRows+r)*2:], src[2*c:2*c+2])
		}
	case Q8_0:
		for ; len(src) > 0; src, dst = src[34:], dst[q8Block:] {
			copy(dst[2*r:], src[:2])
			for c, q := range src[2:34] {
				dst[32+64*(c/4)+4*r+c%4] = q ^ 0x80
			}
		}
	case Q4_0:
		for ; len(src) > 0; src, dst = src[18:], dst[q40Block:] {
			copy(dst[2*r:], src[:2])
			packNibbles(dst[32:], r, src[2:18])
		}
	case Q4_1:
		for ; len(src) > 0; src, dst = src[20:], dst[q41Block:] {
			copy(dst[2*r:], src[:2])
			copy(dst[32+2*r:], src[2:4])
			packNibbles(dst[64:], r, src[4:20])
		}
	}
}

// packNibbles spreads the 16 bytes of a row's 4-bit block over its group. GGUF
// already pairs column c with column c+16 in a byte.
func packNibbles(dst []byte, r int, src []byte) {
	for i := range 4 {
		copy(dst[64*i+4*r:][:4], src[4*i:4*i+4])
	}
}

// Rows returns the number of rows: the outputs of a multiplication.
func (m *Matrix) Rows() int { return m.rows }

// Cols returns the number of columns: the inputs of a multiplication.
func (m *Matrix) Cols() int { return m.cols }

// Format returns how the weights are held.
func (m *Matrix) Format() Format { return m.format }

// Bytes returns the memory the weights take.
func (m *Matrix) Bytes() int64 { return int64(len(m.data)) }

// Quantized reports whether Multiply reads the quantised form of its
// activations, so that Activations.Quantize must have run on each row.
func (m *Matrix) Quantized() bool { return m.format.quantised() }

// groups is the number of groups, the last one perhaps not full.
func (m *Matrix) groups() int { return (m.rows + groupRows - 1) / groupRows }

// Row writes row i as floats into dst, which has Cols elements: the embedding
// of token i. The values are the format's exact ones.
func (m *Matrix) Row(i int, dst []float32) {
	if i < 0 || i >= m.rows || len(dst) != m.cols {
		panic(fmt.Sprintf("kernel.Matrix.Row: row %d into %d floats of a %d×%d matrix", i, len(dst), m.rows, m.cols))
	}
	g, r := m.data[i/groupRows*m.group:], i%groupRows
	switch m.format {
	case F32:
		for c := range dst {
			dst[c] = math.Float32frombits(binary.LittleEndian.Uint32(g[(c*groupRows+r)*4:]))
		}
	case F16:
		for c := range dst {
			dst[c] = half(g[(c*groupRows+r)*2:])
		}
	case Q8_0:
		for b := 0; len(dst) > 0; b, dst = b+q8Block, dst[BlockLen:] {
			d := half(g[b+2*r:])
			for c := range BlockLen {
				dst[c] = d * float32(int8(g[b+32+64*(c/4)+4*r+c%4]^0x80))
			}
		}
	case Q4_0:
		for b := 0; len(dst) > 0; b, dst = b+q40Block, dst[BlockLen:] {
			d := half(g[b+2*r:])
			for c := range BlockLen {
				dst[c] = d * float32(nibble(g[b+32:], r, c)-8)
			}
		}
	case Q4_1:
		for b := 0; len(dst) > 0; b, dst = b+q41Block, dst[BlockLen:] {
			d, min := half(g[b+2*r:]), half(g[b+32+2*r:])
			for c := range BlockLen {
				dst[c] = float32(d*float32(nibble(g[b+64:], r, c))) + min
			}
		}
	}
}

// nibble is the 4-bit quant of row r and column c in the quants of a block.
func nibble(quants []byte, r, c int) int {
	b := quants[64*(c%16/4)+4*r+c%4]
	if c >= 16 {
		return int(b >> 4)
	}
	return int(b & 15)
}

// half reads a little-endian half-precision number.
func half(b []byte) float32 { return Float16(binary.LittleEndian.Uint16(b)) }
