package quant

import (
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Rotated encodes vectors after multiplying them by an orthogonal matrix: OPQ where
// matrix and product codec are trained together (Ge, He, Ke and Sun 2013, "Optimized product
// quantization", section 4, non-parametric), so that the parts lose less.
type Rotated struct {
	inner      Codec
	matrix     []float32 // rows of the transform: inner's dimensions × dimensions
	dimensions int
}

// NewRotated returns a codec that multiplies by matrix, row after row, which has as many rows as inner
// has dimensions, and encodes the result with inner. The rows must be orthonormal for
// distances to be kept; that is the caller's business. It keeps the slice.
func NewRotated(dimensions int, matrix []float32, inner Codec) (*Rotated, error) {
	if dimensions < 1 || len(matrix) != dimensions*inner.Dimensions() {
		return nil, fmt.Errorf("rotated codec: a matrix of %d numbers; want %d rows of %d", len(matrix), inner.Dimensions(), dimensions)
	}
	for i, v := range matrix {
		if v-v != 0 {
			return nil, fmt.Errorf("rotated codec: number %d of the matrix is %v", i, v)
		}
	}
	return &Rotated{inner, matrix, dimensions}, nil
}

// Inner returns the codec of multiplied vectors, and Matrix what NewRotated was given.
func (c *Rotated) Inner() Codec { return c.inner }

// Matrix returns the transform, which must not be changed.
func (c *Rotated) Matrix() []float32 { return c.matrix }

// Name returns "o" and the inner name, such as "opq16x8".
func (c *Rotated) Name() string { return "o" + c.inner.Name() }

// Dimensions implements Codec.
func (c *Rotated) Dimensions() int { return c.dimensions }

// CodeSize implements Codec.
func (c *Rotated) CodeSize() int { return c.inner.CodeSize() }

// Apply returns the product of the matrix and x.
func (c *Rotated) Apply(x []float32) []float32 {
	checkVector(c, x)
	y := make([]float32, c.inner.Dimensions())
	kernel.DotRows(x, c.matrix, y)
	return y
}

// Encode implements Codec.
func (c *Rotated) Encode(x []float32, code []byte) { c.inner.Encode(c.Apply(x), code) }

// Decode implements Codec: the transposed matrix undoes an orthogonal one.
func (c *Rotated) Decode(code []byte, x []float32) {
	y := make([]float32, c.inner.Dimensions())
	c.inner.Decode(code, y)
	clear(x[:c.dimensions])
	for i, v := range y {
		kernel.Axpy(v, c.matrix[i*c.dimensions:(i+1)*c.dimensions], x[:c.dimensions])
	}
}

// Scorer implements Codec.
func (c *Rotated) Scorer(query []float32, by Similarity) Scorer {
	return c.inner.Scorer(c.Apply(query), by)
}

const (
	opqRounds  = 8
	opqSamples = 8192
)

// TrainOPQ learns a rotation and a product codec of so many parts and bits. It
// multiplies matrices of dimensions² some hundred times: seconds at 768 dimensions.
func TrainOPQ(parts, bits, dimensions int, slab []float32, seed uint64, threads int) (*Rotated, error) {
	if err := checkProduct(dimensions, parts, bits); err != nil {
		return nil, err
	}
	sample := Sample(dimensions, slab, opqSamples, seed)
	rows := len(sample) / dimensions
	matrix := make([]float32, dimensions*dimensions)
	for i := range dimensions {
		matrix[i*dimensions+i] = 1
	}
	turned, decoded := make([]float32, len(sample)), make([]float32, len(sample))
	for range opqRounds {
		multiplyTransposed(turned, sample, matrix, rows, dimensions)
		product, err := TrainProduct(parts, bits, dimensions, turned, seed, threads)
		if err != nil {
			return nil, err
		}
		code := make([]byte, product.CodeSize())
		for row := range rows {
			product.Encode(turned[row*dimensions:(row+1)*dimensions], code)
			product.Decode(code, decoded[row*dimensions:(row+1)*dimensions])
		}
		matrix = polar(correlation(decoded, sample, dimensions), dimensions)
	}
	rotated := &Rotated{matrix: matrix, dimensions: dimensions}
	all := Sample(dimensions, slab, productSamples<<bits, seed)
	turned = make([]float32, len(all))
	multiplyTransposed(turned, all, matrix, len(all)/dimensions, dimensions)
	product, err := TrainProduct(parts, bits, dimensions, turned, seed, threads)
	rotated.inner = product
	return rotated, err
}

// multiplyTransposed sets out to x·mᵀ: every row of x times the square matrix m.
func multiplyTransposed(out, x, m []float32, rows, d int) {
	var panels kernel.Panels
	panels.PackColumns(m, d, d, d)
	multiplyPanels(out, x, &panels, rows, d)
}

// multiplyPanels sets out, whose rows have d numbers, to x times panels of d columns.
func multiplyPanels(out, x []float32, panels *kernel.Panels, rows, d int) {
	stride := panels.Count() * kernel.PanelWidth
	const piece = 64
	products := make([]float32, piece*stride)
	for from := 0; from < rows; from += piece {
		count := min(piece, rows-from)
		panels.Multiply(products, stride, x[from*panels.Rows():(from+count)*panels.Rows()], panels.Rows(), count, 0, panels.Count())
		for i := range count {
			copy(out[(from+i)*d:(from+i+1)*d], products[i*stride:])
		}
	}
}

// correlation returns aᵀ·b for matrices of rows of d numbers.
func correlation(a, b []float32, d int) []float32 {
	rows := len(a) / d
	transposed := make([]float32, len(a))
	for row := range rows {
		for i := range d {
			transposed[i*rows+row] = a[row*d+i]
		}
	}
	var panels kernel.Panels
	panels.PackRows(b, d, rows, d)
	out := make([]float32, d*d)
	multiplyPanels(out, transposed, &panels, d, d)
	return out
}

// polar returns the orthogonal matrix nearest to a, which turns b into a best when a is their
// correlation (Schönemann 1966). It iterates x ← 1.5·x − 0.5·x·xᵀ·x (Higham, "Functions of
// matrices", section 8.3), from a scaled so that it converges. Directions in which a is nearly
// zero would need many steps; a little of the identity helps them.
func polar(a []float32, d int) []float32 {
	norm := math.Sqrt(float64(kernel.Dot(a, a)))
	x := make([]float32, d*d)
	if norm > 0 {
		kernel.Axpy(float32(1/norm), a, x)
	}
	for i := range d {
		x[i*d+i] += 1e-4
	}
	gram, cubic := make([]float32, d*d), make([]float32, d*d)
	for range 60 {
		multiplyTransposed(gram, x, x, d, d) // x·xᵀ, symmetric
		far := 0.0
		for i := range d {
			for j := range d {
				want := float32(0)
				if i == j {
					want = 1
				}
				far = max(far, math.Abs(float64(gram[i*d+j]-want)))
			}
		}
		if far < 1e-5 {
			break
		}
		var panels kernel.Panels
		panels.PackRows(x, d, d, d)
		multiplyPanels(cubic, gram, &panels, d, d)
		for i := range x {
			x[i] = 1.5*x[i] - 0.5*cubic[i]
		}
	}
	return x
}
