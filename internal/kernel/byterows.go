package kernel

import (
	"fmt"
	"math"
	"math/bits"
)

// ByteBlock divides the length of every row that ByteRows and BytePanels take.
const ByteBlock = 32

// ByteRows is the left factor of a product in eight bits: rows of float32, each
// rotated and rounded to signed bytes with one scale. The zero value is empty;
// memory is kept over Resize. Not safe for concurrent use, except that different
// rows may be quantised by different threads.
//
// Activations of transformers have a few columns far larger than the rest, and
// one scale for a row would round the rest away. So both factors are first
// multiplied by the same orthogonal matrix, which leaves the product as it is:
// a Hadamard matrix for every 128 columns (64 or 32 where 128 does not divide the
// row), whose rows are sums and differences of all columns and spread an
// outlier evenly (Ashkboos et al. 2024, "QuaRot", section 3). It takes n·log n
// additions.
type ByteRows struct {
	rows, k int
	stride  int // bytes from a row to the next
	bytes   []int8
	meta    []byteRow
}

// byteRow is what a row of bytes stands for. The assembly knows its layout.
type byteRow struct {
	scale float32 // a number is scale times its byte
	start int32   // −128·Σ of the bytes: see BytePanels
}

// Resize makes room for rows of k numbers, a multiple of ByteBlock, whose values
// are then undefined.
func (a *ByteRows) Resize(rows, k int) {
	if rows < 0 || k < 1 || k%ByteBlock != 0 {
		panic(fmt.Sprintf("kernel.ByteRows.Resize: %d rows of %d, want multiples of %d", rows, k, ByteBlock))
	}
	a.rows, a.k, a.stride = rows, k, k+64 // an odd cache line: see Stride
	if n := rows * a.stride; n > cap(a.bytes) {
		a.bytes = make([]int8, n)
	}
	a.bytes = a.bytes[:rows*a.stride]
	if rows > cap(a.meta) {
		a.meta = make([]byteRow, rows)
	}
	a.meta = a.meta[:rows]
}

// Quantize makes row i of x, whose length is that of a row, multiplied by balance
// element by element unless that is nil. The rotated row is left in turned, which
// is as long and may be x itself. With n the largest
// magnitude in it, a byte is the number times 127/n rounded to nearest, ties to
// even. All levels give the same bits. A row whose largest magnitude is below
// 2⁻¹⁰⁰ counts as zero; one with a NaN or an infinity gets a NaN scale, so that
// it spoils the product as it would have in float32.
func (a *ByteRows) Quantize(i int, x, balance, turned []float32) {
	if len(x) != a.k || len(turned) != a.k || i < 0 || i >= a.rows {
		panic(fmt.Sprintf("kernel.ByteRows.Quantize: row %d of %d: %d and %d numbers, want %d", i, a.rows, len(x), len(turned), a.k))
	}
	if balance != nil {
		scaleBy(turned, x, balance[:a.k], 1)
		x = turned
	}
	largest := spread(turned, x)
	a.meta[i] = quantizeRow(a.bytes[i*a.stride:][:a.k], turned, largest)
}

// quantizeRow rounds x, whose largest magnitude has the bits given.
func quantizeRow(out []int8, x []float32, largest uint32) byteRow {
	peak := math.Float32frombits(largest)
	switch {
	case largest >= 0x7f800000:
		clear(out)
		return byteRow{scale: float32(math.NaN())}
	case peak < 0x1p-100:
		clear(out)
		return byteRow{}
	}
	return byteRow{scale: peak * (1.0 / 127), start: -128 * roundBytes(out, x, 127/peak)}
}

// hadamardSize is the size of the matrices that rotate rows of k.
func hadamardSize(k int) int {
	const most = 128
	return min(most, 1<<bits.TrailingZeros(uint(k)))
}

// spreadGeneric is the definition of the rotation: out is x times a matrix of
// Hadamard matrices, not brought to length 1, and the result is the bits of the
// largest magnitude. It goes through pairs of elements at distance 1, then 2, 4
// and so on (the fast Walsh-Hadamard transform); this order is part of the
// definition.
func spreadGeneric(out, x []float32) (largest uint32) {
	copy(out, x)
	size := hadamardSize(len(x))
	for ; len(out) > 0; out = out[size:] {
		block := out[:size]
		for h := 1; h < size; h *= 2 {
			for i := range block {
				if i&h == 0 {
					a, b := block[i], block[i+h]
					block[i], block[i+h] = a+b, a-b
				}
			}
		}
		for _, v := range block {
			largest = max(largest, math.Float32bits(v)&0x7fffffff)
		}
	}
	return largest
}

// roundBytesGeneric is the definition of rounding x·scale to bytes, and returns
// their sum.
func roundBytesGeneric(out []int8, x []float32, scale float32) (sum int32) {
	for i, v := range x {
		q := roundQuant(v * scale)
		out[i] = int8(q)
		sum += q
	}
	return sum
}
