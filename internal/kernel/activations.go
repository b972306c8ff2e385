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
	// Coarse makes Quantize keep 8 bits of a number in place of 15: products of
	// many rows take two thirds of the time, and their errors are a hundred times
	// larger. It holds for all rows together.
	Coarse bool

	rows, cols int
	x          []float32
	blocks     []block
}

// block is the quantised form of 32 activations: x ≈ scale·(128·high + low), a
// number of 15 bits in two planes, since the dot product takes bytes. Eight bits
// alone move the gap between a small model's two best tokens by 0.15; 15 bits
// move it by 0.002, and cost little beside the rest of a product. The layout is
// known to the assembly.
type block struct {
	high, low [BlockLen]int8 // low is −64 to 63

	scale float32
	sum   float32    // scale·Σq, which minima are multiplied by
	sums  [2]float32 // the same for columns 0–15 and 16–31

	// Corrections for quants that are stored with a zero point: −zero·Σq, for the
	// 32 of six-bit quants again by halves.
	zero128, zero16, zero8 int32
	zero32                 [2]int32

	_ [28]byte // two cache lines
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
// max|x|/16256 and q = x·(16256/max|x|) rounded to nearest, ties to even. Cols
// must be a multiple of 32. All levels give the same bits. A block whose largest
// magnitude is below 2⁻¹⁰⁰ counts as zero. A block with a NaN or an infinity
// gets a NaN scale, so that it spoils the product as it would have unquantised.
//
// Where Coarse is set q is 128·(x·(127/max|x|) rounded).
func (a *Activations) Quantize(i int) {
	if a.cols%BlockLen != 0 {
		panic(fmt.Sprintf("kernel.Activations.Quantize: rows of %d are not whole blocks of %d", a.cols, BlockLen))
	}
	n := a.cols / BlockLen
	quantize(a.Row(i), a.blocks[i*n:(i+1)*n], a.Coarse)
}

// largestQuant is 127·128: the high plane then has 8 bits with sign.
const (
	largestQuant  = largestCoarse << coarseBits
	largestCoarse = 127
	coarseBits    = 7 // that the low plane has
)

// levels returns the largest quant before it is shifted, and by how much.
func levels(coarse bool) (largest float32, shift int) {
	if coarse {
		return largestCoarse, coarseBits
	}
	return largestQuant, 0
}

// quant returns number c of a block.
func (b *block) quant(c int) int32 { return int32(b.high[c])<<7 + int32(b.low[c]) }

// quantizeGeneric is the definition of Quantize. Order and rounding of every
// step are part of it.
func quantizeGeneric(x []float32, out []block, coarse bool) {
	top, shift := levels(coarse)
	for b := range out {
		x, out := x[b*BlockLen:][:BlockLen], &out[b]
		var largest uint32 // of the bits, which order like the magnitudes
		for _, v := range x {
			largest = max(largest, math.Float32bits(v)&0x7fffffff)
		}
		inverse, finite := out.begin(largest, top)
		if !finite {
			continue
		}
		var sums [2]int32
		for c, v := range x {
			q := roundQuant(float32(v*inverse)) << shift // rounded: no compiler may fuse it with the next sum
			high := (q + 64) >> 7
			out.high[c], out.low[c] = int8(high), int8(q-high<<7)
			sums[c/16] += q
		}
		out.end(sums)
	}
}

// begin clears a block and sets its scale for numbers whose largest magnitude has
// these bits; it returns what numbers are multiplied by to become quants of at
// most top, or that one is not finite.
func (b *block) begin(largest uint32, top float32) (inverse float32, finite bool) {
	*b = block{}
	if largest >= 0x7f800000 {
		nan := float32(math.NaN())
		b.scale, b.sum, b.sums = nan, nan, [2]float32{nan, nan}
		return 0, false
	}
	if peak := math.Float32frombits(largest); peak >= 0x1p-100 {
		b.scale, inverse = peak*(1.0/largestQuant), top/peak
	}
	return inverse, true
}

// end sets what follows from the sums of the quants of a block's halves.
func (b *block) end(sums [2]int32) {
	sum := sums[0] + sums[1]
	b.sum = b.scale * float32(sum)
	b.zero128, b.zero16, b.zero8 = -128*sum, -16*sum, -8*sum
	for h, s := range sums {
		b.sums[h], b.zero32[h] = b.scale*float32(s), -32*s
	}
}

// roundQuant rounds a number of at most ±2²¹ to nearest, ties to even.
func roundQuant(v float32) int32 {
	const magic = 3 << 22 // from here on float32 has no fraction: adding it rounds
	return int32(float32(v+magic) - magic)
}
