package kernel

import (
	"math"
	"testing"
)

func TestHalvesRoundAsTheDefinition(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 21)
		for n := range 70 {
			src, dst, back := guarded[float32](t, n), guarded[uint16](t, n), guarded[float32](t, n)
			for i := range src {
				src[i] = float32(r.NormFloat64() * math.Exp2(float64(r.IntN(50)-30)))
			}
			if n > 3 {
				src[n-1], src[n-2], src[n-3] = inf, 65519, 0x1p-25
			}
			PutHalves(dst, src)
			GetHalves(back, dst)
			for i, x := range src {
				if want := ToFloat16(x); dst[i] != want || back[i] != Float16(want) {
					t.Fatalf("%d numbers: %v became %#x and back %v, want %#x", n, x, dst[i], back[i], want)
				}
			}
		}
	})
	panics(t, "different lengths", func() { PutHalves(make([]uint16, 1), nil) })
	panics(t, "different lengths", func() { GetHalves(nil, make([]uint16, 1)) })
}

func TestL2Halves(t *testing.T) {
	bits := map[int]float32{}
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 22)
		for n := 0; n <= 512; n += HalvesUnit {
			q, v := guarded[float32](t, n), guarded[uint16](t, n)
			copy(q, normals(r, n))
			PutHalves(v, normals(r, n))
			want := 0.0
			for i, x := range q {
				d := float64(x) - float64(Float16(v[i]))
				want += d * d
			}
			got := L2Halves(q, v, 64)
			if math.Abs(float64(got)-want) > float64(n+2)*unit*want {
				t.Errorf("%d numbers: got %v, want %v", n, got, want)
			}
			if Current() == AVX2 {
				bits[n] = got
			} else if Current() == AVX512 && got != bits[n] {
				t.Errorf("%d numbers: %v at AVX512, %v at AVX2", n, got, bits[n])
			}
			if n > 0 {
				q[n-1] = nan
				if got := L2Halves(q, v, 0); got == got {
					t.Errorf("%d numbers, the last NaN: got %v", n, got)
				}
			}
		}
	})
	panics(t, "an odd length", func() { L2Halves(make([]float32, 8), make([]uint16, 8), 0) })
	panics(t, "different lengths", func() { L2Halves(make([]float32, 32), make([]uint16, 64), 0) })
}

func TestPrefetchTouchesNothing(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 63, 64, 65, 1000} {
			Prefetch(guarded[byte](t, n))
		}
	})
}
