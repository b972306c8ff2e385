package kernel

import (
	"math"
	"testing"
)

func TestSigns(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 51)
		for n := 0; n <= 512; n += 32 {
			v, c, signs := guarded[float32](t, n), guarded[float32](t, n), guarded[uint16](t, n/16)
			copy(v, normals(r, n))
			copy(c, normals(r, n))
			if n > 0 {
				v[n-1] = c[n-1]
			}
			var square, absolute, along, size float64
			block := make([]byte, CodesSize(n/4))
			got := Signs(v, c, signs)
			PutSigns(block, 21, signs)
			code := make([]byte, n/4)
			GetCode(block, 21, code)
			for i := range v {
				d := float64(v[i]) - float64(c[i])
				sign := 1.0
				if d < 0 {
					sign = -1
				}
				square, absolute, along, size = square+d*d, absolute+math.Abs(d), along+sign*float64(c[i]), size+math.Abs(float64(c[i]))
				if bit := code[i/4] >> (i % 4) & 1; bit == 1 != (sign > 0) {
					t.Errorf("%d numbers: the residual's element %d is %v, its bit %d", n, i, d, bit)
				}
			}
			for what, pair := range map[string][3]float64{
				"Square":   {float64(got.Square), square, square},
				"Absolute": {float64(got.Absolute), absolute, absolute},
				"Centre":   {float64(got.Centre), along, size},
			} {
				if math.Abs(pair[0]-pair[1]) > float64(n+2)*unit*pair[2] {
					t.Errorf("%d numbers: %s is %v, want %v", n, what, pair[0], pair[1])
				}
			}
		}
	})
	panics(t, "an odd length", func() { Signs(make([]float32, 8), make([]float32, 8), nil) })
}
