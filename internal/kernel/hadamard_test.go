package kernel

import (
	"math"
	"slices"
	"testing"
)

func TestHadamard(t *testing.T) {
	want := map[int][]float32{}
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 23)
		for n := 32; n <= 2048; n *= 2 {
			x, signs := guarded[float32](t, n), guarded[float32](t, n)
			copy(x, normals(r, n))
			for i := range signs {
				signs[i] = float32(2*r.IntN(2) - 1)
			}
			square := Dot(x, x)
			row := r.IntN(n)
			sum, size := 0.0, 0.0
			for i := range x { // the matrix's element (row, i) is (−1) to the common ones of row and i
				sign := float64(signs[i])
				for both := uint(row & i); both != 0; both &= both - 1 {
					sign = -sign
				}
				sum += sign * float64(x[i])
				size += math.Abs(float64(x[i]))
			}
			Hadamard(x, signs)
			if math.Abs(float64(x[row])-sum) > 1e-6*size {
				t.Errorf("%d numbers: element %d is %v, want %v", n, row, x[row], sum)
			}
			if got := Dot(x, x) / float32(n); math.Abs(float64(got/square-1)) > 1e-5 {
				t.Errorf("%d numbers: the squared norm went from %v to %v", n, square, got)
			}
			if Current() == Plain {
				want[n] = slices.Clone(x)
			}
			for i := range x {
				if x[i] != want[n][i] {
					t.Fatalf("%d numbers: element %d is %v, in plain Go %v", n, i, x[i], want[n][i])
				}
			}
		}
	})
	for _, n := range []int{0, 16, 48} {
		panics(t, "a length that is no power of two", func() { Hadamard(make([]float32, n), make([]float32, n)) })
	}
	panics(t, "too few signs", func() { Hadamard(make([]float32, 64), make([]float32, 32)) })
}
