package faiss

import (
	"fmt"
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// learn trains a transform on vectors. Some take two steps.
func (b *builder) learn(t Transform, slab []float32) ([]transform, error) {
	d := b.dimensions
	switch t.Kind {
	case Normalise:
		return []transform{normalise{d}}, nil
	case Rotate:
		return []transform{randomTurn(d, t.Out, b.options.Seed)}, nil
	case PCA, PCAWhiten:
		return []transform{b.principal(t.Out, slab, t.Kind == PCAWhiten)}, nil
	case PCARotate:
		return []transform{b.principal(t.Out, slab, false), randomTurn(t.Out, t.Out, b.options.Seed)}, nil
	case OPQ:
		return b.learnOPQ(t, slab)
	}
	return nil, fmt.Errorf("transform %s is not known", t)
}

// learnOPQ reduces the dimensions first, if that is asked for.
func (b *builder) learnOPQ(t Transform, slab []float32) (chain []transform, err error) {
	d := b.dimensions
	if t.Out > 0 && t.Out < d {
		first := b.principal(t.Out, slab, false)
		chain, d = append(chain, first), t.Out
		inner := builder{header: b.header}
		slab = inner.applyTo(first, quant.Sample(b.dimensions, slab, learnSamples, b.options.Seed))
	}
	turned, err := quant.TrainOPQ(t.Parts, 8, d, slab, b.options.Seed, b.options.Threads)
	if err != nil {
		return nil, err
	}
	return append(chain, &linear{kind: "LTra", in: d, out: d, matrix: turned.Matrix(), name: Transform{Kind: OPQ, Parts: t.Parts}.String()}), nil
}

// learnSamples is how many vectors a transform is learned from.
const learnSamples = 65536

// principal returns the projection on the directions of most variance around the mean
// (Pearson 1901), whitened or not.
func (b *builder) principal(out int, slab []float32, whiten bool) *linear {
	d := b.dimensions
	sample := quant.Sample(d, slab, learnSamples, b.options.Seed)
	mean, covariance := moments(d, sample)
	values, vectors := eigen(covariance, d)
	order := make([]int, d)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case values[i] > values[j]:
			return -1
		case values[i] < values[j]:
			return 1
		}
		return 0
	})
	t := &linear{kind: "LTra", in: d, out: out, matrix: make([]float32, 0, out*d), bias: make([]float32, out)}
	t.name = Transform{Kind: PCA, Out: out}.String()
	for i, which := range order[:out] {
		scale := 1.0
		if whiten && values[which] > 0 {
			scale = 1 / math.Sqrt(values[which])
		}
		for j := range d {
			t.matrix = append(t.matrix, float32(vectors[which*d+j]*scale))
		}
		t.bias[i] = -kernel.Dot(t.matrix[i*d:(i+1)*d], mean)
	}
	return t
}

// moments returns mean and covariance.
func moments(d int, slab []float32) (mean []float32, covariance []float64) {
	n := len(slab) / d
	sums := make([]float64, d)
	for at := 0; at < len(slab); at += d {
		for i, v := range slab[at : at+d] {
			sums[i] += float64(v)
		}
	}
	mean = make([]float32, d)
	for i, s := range sums {
		mean[i] = float32(s / float64(n))
	}
	// Column after column, so that products are of rows.
	columns := make([]float32, len(slab))
	for row := range n {
		for i := range d {
			columns[i*n+row] = slab[row*d+i] - mean[i]
		}
	}
	covariance = make([]float64, d*d)
	for i := range d {
		for j := range i + 1 {
			c := float64(kernel.Dot(columns[i*n:(i+1)*n], columns[j*n:(j+1)*n])) / float64(n)
			covariance[i*d+j], covariance[j*d+i] = c, c
		}
	}
	return mean, covariance
}

// eigen returns the eigenvalues of a symmetric matrix, which it destroys, and the eigenvectors as
// rows: Jacobi's rotations (Golub and Van Loan, "Matrix computations", section 8.5).
func eigen(a []float64, d int) (values, vectors []float64) {
	vectors = make([]float64, d*d)
	for i := range d {
		vectors[i*d+i] = 1
	}
	scale := 0.0
	for _, v := range a {
		scale = max(scale, math.Abs(v))
	}
	const sweeps = 12
	for range sweeps {
		largest := 0.0
		for p := range d {
			for q := p + 1; q < d; q++ {
				if v := math.Abs(a[p*d+q]); v > 1e-12*scale {
					largest = max(largest, v)
					rotate(a, vectors, d, p, q)
				}
			}
		}
		if largest <= 1e-9*scale {
			break
		}
	}
	values = make([]float64, d)
	for i := range d {
		values[i] = a[i*d+i]
	}
	return values, vectors
}

// rotate makes a[p][q] zero.
func rotate(a, vectors []float64, d, p, q int) {
	tau := (a[q*d+q] - a[p*d+p]) / (2 * a[p*d+q])
	t := 1 / (math.Abs(tau) + math.Sqrt(1+tau*tau))
	if tau < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(1+t*t)
	s := t * c
	turnRows(a[p*d:(p+1)*d], a[q*d:(q+1)*d], c, s)
	for i := range d {
		x, y := a[i*d+p], a[i*d+q]
		a[i*d+p], a[i*d+q] = c*x-s*y, s*x+c*y
	}
	turnRows(vectors[p*d:(p+1)*d], vectors[q*d:(q+1)*d], c, s)
}

func turnRows(x, y []float64, c, s float64) {
	for i, u := range x {
		v := y[i]
		x[i], y[i] = c*u-s*v, s*u+c*v
	}
}

// orthonormalise makes the rows of a matrix orthonormal, one after another, twice for
// precision (Gram and Schmidt).
func orthonormalise(matrix []float32, d int) {
	rows := len(matrix) / d
	for i := range rows {
		v := matrix[i*d : (i+1)*d]
		for range 2 {
			for j := range i {
				u := matrix[j*d : (j+1)*d]
				kernel.Axpy(-kernel.Dot(u, v), u, v)
			}
			scale := float32(1 / math.Sqrt(float64(kernel.Dot(v, v))))
			for k := range v {
				v[k] *= scale
			}
		}
	}
}
