package kernel

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoundBytes(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 78)
		for n := 0; n <= 320; n += 32 {
			for _, scale := range []float32{0, 1e-44, 1, 1e30} {
				x, got, want := guarded[float32](t, n), guarded[int8](t, n), make([]int8, n)
				largest, sum := float32(0), 0
				for i, v := range normals(r, n) {
					x[i] = scale * v
					largest = max(largest, x[i], -x[i])
				}
				if scale >= 1 {
					for i, v := range x {
						want[i] = int8(math.RoundToEven(float64(v * (127 / largest))))
						sum += int(want[i])
					}
				}
				step, total := RoundBytes(x, got)
				if diff := cmp.Diff(want, got); diff != "" || total != sum {
					t.Fatalf("%d numbers of about %v: the sum is %d, want %d (-want +got):\n%s", n, scale, total, sum, diff)
				}
				if scale >= 1 && n > 0 && step != largest/127 || scale == 0 && step != 0 {
					t.Errorf("%d numbers of about %v: step %v", n, scale, step)
				}
			}
		}
	})
	panics(t, "31 numbers", func() { RoundBytes(make([]float32, 31), make([]int8, 31)) })
}
