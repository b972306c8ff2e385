package kernel

import "fmt"

// Dot returns the inner product of a and b, which must have the same length.
//
// The sum is taken in several partial sums, as wide as the registers of the
// Level in use, so its error is at most n·2⁻²⁴·Σ|aᵢ·bᵢ| and usually far less.
// The same two vectors give the same bits at every alignment and every time
// at one Level; two Levels may differ in the last bits.
func Dot(a, b []float32) float32 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("kernel.Dot: lengths %d and %d differ", len(a), len(b)))
	}
	return dot(a, b)
}

// L2 returns the squared Euclidean distance Σ(aᵢ-bᵢ)² of a and b, which must
// have the same length. The error is at most (n+2)·2⁻²⁴·Σ(aᵢ-bᵢ)²; what Dot
// says of repeatability holds here too.
func L2(a, b []float32) float32 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("kernel.L2: lengths %d and %d differ", len(a), len(b)))
	}
	return l2(a, b)
}

// DotRows sets out[i] to Dot(q, row i) for every row of rows, bit for bit. The
// rows lie one after another, each len(q) long; out has one element a row.
// One call for many rows shares the loads of q and keeps several rows on
// their way from memory at once, which is what a scan of vectors waits for.
func DotRows(q, rows, out []float32) {
	if len(rows) != len(q)*len(out) {
		panic(fmt.Sprintf("kernel.DotRows: %d numbers are not %d rows of %d", len(rows), len(out), len(q)))
	}
	if len(q) == 0 {
		clear(out)
		return
	}
	if len(out) > 0 {
		dotRows(q, rows, out)
	}
}

// Axpy adds s·x to y, element by element; x and y have the same length and do
// not overlap unless they are the same slice. Each element is rounded once
// where the processor has a fused multiply-add, twice where not.
func Axpy(s float32, x, y []float32) {
	if len(x) != len(y) {
		panic(fmt.Sprintf("kernel.Axpy: lengths %d and %d differ", len(x), len(y)))
	}
	axpy(s, x, y)
}

// dotGeneric is the plain definition of Dot: four partial sums, as a compiler
// can keep them in flight, then the rest.
func dotGeneric(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// l2Generic is the plain definition of L2.
func l2Generic(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		d0, d1, d2, d3 := a[i]-b[i], a[i+1]-b[i+1], a[i+2]-b[i+2], a[i+3]-b[i+3]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		s0 += d * d
	}
	return (s0 + s1) + (s2 + s3)
}

// dotRowsGeneric is the plain definition of DotRows.
func dotRowsGeneric(q, rows, out []float32) {
	for i := range out {
		out[i] = dotGeneric(q, rows[i*len(q):(i+1)*len(q)])
	}
}

// axpyGeneric is the plain definition of Axpy.
func axpyGeneric(s float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += s * v
	}
}
