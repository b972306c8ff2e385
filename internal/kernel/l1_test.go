package kernel

import (
	"math"
	"testing"
)

func TestL1(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 11)
		for n := range 150 {
			a, b := guarded[float32](t, n), guarded[float32](t, n)
			copy(a, normals(r, n))
			copy(b, normals(r, n))
			want := 0.0
			for i := range a {
				want += math.Abs(float64(a[i]) - float64(b[i]))
			}
			got := L1(a, b)
			if math.Abs(float64(got)-want) > float64(n+1)*unit*want {
				t.Errorf("%d numbers: got %v, want %v", n, got, want)
			}
			if n > 0 {
				a[n-1] = nan
				if got := L1(a, b); got == got {
					t.Errorf("%d numbers, the last NaN: got %v", n, got)
				}
				a[n-1] = -inf
				if got := L1(a, b); got != inf {
					t.Errorf("%d numbers, the last -Inf: got %v", n, got)
				}
			}
		}
	})
	panics(t, "different lengths", func() { L1(make([]float32, 2), make([]float32, 3)) })
}
