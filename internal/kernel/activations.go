package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// Activations is the right side of Multiply: rows of floats, and beside them
// their quantised form for quantised matrices. The zero value is empty; memory
// is kept over Resize. Not safe for concurrent use, except that different rows
// may be written and quantised by different threads.
type Activations struct {
	rows, cols int
	x          []float32
	blocks     []block
}

// block is the quantised form of 32 activations: x ≈ scale·q. Its layout is
// known to the assembly.
type block struct {
	q     [BlockLen]int8
	scale float32
	sum   float32 // scale · Σq, which Q4_1 minima are multiplied by
	q8    int32   // −128·Σq, which undoes the flipped sign bit of Q8_0
	q4    int32   // −8·Σq, the zero point of Q4_0
}

const blockBytes = int(unsafe.Sizeof(block{}))

// Resize makes room for rows×cols numbers, whose values are then undefined.
func (a *Activations) Resize(rows, cols int) {
	if rows < 0 || cols < 1 {
		panic(fmt.Sprintf("kernel.Activations.Resize: %d×%d", rows, cols))
	}
	a.rows, a.cols = rows, cols
	if n := rows * cols; n > cap(a.x) {
		a.x = make([]float32, n)
	}
	a.x = a.x[:rows*cols]
	if n := rows * (cols / BlockLen); n > cap(a.blocks) {
		a.blocks = make([]block, n)
	}
	a.blocks = a.blocks[:rows*(cols/BlockLen)]
}

// Rows returns the number of rows.
func (a *Activations) Rows() int { return a.rows }

// Cols returns the length of a row.
func (a *Activations) Cols() int { return a.cols }

// Row returns row i, to be read and written.
func (a *Activations) Row(i int) []float32 {
	return a.x[i*a.cols : (i+1)*a.cols : (i+1)*a.cols]
}

// All returns all rows, one after another.
func (a *Activations) All() []float32 { return a.x }

// Quantize prepares row i for quantised matrices: in every block of 32, scale =
// max|x|/127 and q = x·(127/max|x|) rounded to nearest, ties to even. Cols must
// be a multiple of 32. All levels give the same bits. A block whose largest
// magnitude is below 2⁻¹⁰⁰ counts as zero. A block with a NaN or an infinity
// gets a NaN scale, so that it spoils the product as it would have unquantised.
func (a *Activations) Quantize(i int) {
	if a.cols%BlockLen != 0 {
		panic(fmt.Sprintf("kernel.Activations.Quantize: rows of %d are not whole blocks of %d", a.cols, BlockLen))
	}
	n := a.cols / BlockLen
	quantize(a.Row(i), a.blocks[i*n:(i+1)*n])
}

// quantizeGeneric is the definition of Quantize. Order and rounding of every
// step are part of it.
func quantizeGeneric(x []float32, out []block) {
	for b := range out {
		x, out := x[b*BlockLen:][:BlockLen], &out[b]
		var largest uint32 // of the bits, which order like the magnitudes
		for _, v := range x {
			largest = max(largest, math.Float32bits(v)&0x7fffffff)
		}
		peak := math.Float32frombits(largest)
		if largest >= 0x7f800000 {
			*out = block{scale: float32(math.NaN()), sum: float32(math.NaN())}
			continue
		}
		var scale, inverse float32
		if peak >= 0x1p-100 {
			scale, inverse = peak*(1.0/127), 127/peak
		}
		sum := int32(0)
		for c, v := range x {
			q := roundQuant(v * inverse)
			out.q[c] = int8(q)
			sum += q
		}
		out.scale, out.sum = scale, scale*float32(sum)
		out.q8, out.q4 = -128*sum, -8*sum
	}
}

// roundQuant rounds a number of at most ±127 to nearest, ties to even.
func roundQuant(v float32) int32 {
	const magic = 3 << 22 // from here on float32 has no fraction: adding it rounds
	return int32(float32(v+magic) - magic)
}
