package quant_test

import (
	"math"
	"testing"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// loss returns the squared error of decoding, relative to the vectors' squared norms.
func loss(c quant.Codec, slab []float32) float64 {
	d := c.Dimensions()
	lost, size, code, x := 0.0, 0.0, make([]byte, c.CodeSize()), make([]float32, d)
	for at := 0; at < len(slab); at += d {
		c.Encode(slab[at:at+d], code)
		c.Decode(code, x)
		lost += float64(kernel.L2(x, slab[at:at+d]))
		size += float64(kernel.Dot(slab[at:at+d], slab[at:at+d]))
	}
	return lost / size
}

// TestOPQLosesLessThanPQ trains on vectors most of whose variance lies in a few dimensions next to each
// other: one part has nearly all of it until they are turned.
func TestOPQLosesLessThanPQ(t *testing.T) {
	const d, rows, parts = 24, 2000, 6
	slab := normals(11, d*rows)
	for i := range slab {
		slab[i] *= float32(math.Exp(-float64(i%d) / 4))
	}
	product := must[*quant.Product](t)(quant.TrainProduct(parts, 4, d, slab, 1, 1))
	turned := must[*quant.Rotated](t)(quant.TrainOPQ(parts, 4, d, slab, 1, 1))
	if plain, better := loss(product, slab), loss(turned, slab); better > 0.8*plain {
		t.Errorf("OPQ loses %.3f of the variance, PQ %.3f", better, plain)
	}
	m := turned.Matrix()
	for i := range d {
		for j := range d {
			want := 0.0
			if i == j {
				want = 1
			}
			if got := kernel.Dot(m[i*d:(i+1)*d], m[j*d:(j+1)*d]); math.Abs(float64(got)-want) > 1e-3 {
				t.Fatalf("rows %d and %d of the matrix have the product %v, want %v", i, j, got, want)
			}
		}
	}
	query, codes, scores := slab[:d], quant.EncodeAll(turned, slab[d:2*d]), make([]float32, 1)
	turned.Scorer(query, quant.ByL2).Score(codes, scores)
	x := make([]float32, d)
	turned.Decode(codes, x)
	if want := -kernel.L2(query, x); math.Abs(float64(scores[0]-want)) > 1e-3 {
		t.Errorf("the estimated similarity is %v, with what the code decodes to %v", scores[0], want)
	}
	if _, err := quant.NewRotated(3, make([]float32, 8), product); err == nil {
		t.Error("a matrix of another shape: no error")
	}
}
