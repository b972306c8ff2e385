package kernel

import (
	"math"
	"testing"
)

// hard are blocks that a quantiser gets wrong easily: halves that must round to
// even, one large number, zeros, subnormal numbers, the largest ones, and what
// is not finite.
func hard() [][]float32 {
	fill := func(f func(i int) float32) []float32 {
		x := make([]float32, BlockLen)
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
	one := func(v float32) []float32 {
		return fill(func(i int) float32 {
			if i == 17 {
				return v
			}
			return float32(i) / 8
		})
	}
	return [][]float32{
		fill(func(i int) float32 { return float32(i) - 15.5 }),
		fill(func(i int) float32 { return []float32{largestQuant, 0.5, 1.5, -2.5, -0.5, 63.5, 64, 191.5}[i%8] }),
		one(1e30), one(-3e38), one(nan), one(inf), one(-inf),
		fill(func(int) float32 { return 0 }),
		fill(func(int) float32 { return float32(math.Copysign(0, -1)) }),
		fill(func(i int) float32 { return float32(i) * 1e-44 }),
		fill(func(i int) float32 { return float32(i) * 0x1p-105 }),
		fill(func(i int) float32 { return float32(i) * 1e-7 }),
	}
}

func TestQuantizeAgreesAtEveryLevel(t *testing.T) {
	r := newRand(t, 1)
	cases := append(hard(), hard()[1:]...) // each once coarse
	for range 2000 {
		x := normals(r, BlockLen)
		scale := float32(math.Exp(10 * r.NormFloat64()))
		for i := range x {
			x[i] *= scale
		}
		cases = append(cases, x)
	}
	atEachLevel(t, func(t *testing.T) {
		for i, x := range cases {
			var got, want [1]block
			coarse := i%2 == 1
			quantize(x, got[:], coarse)
			quantizeGeneric(x, want[:], coarse)
			if coarse && got[0].low != [BlockLen]int8{} {
				t.Fatalf("%v: a coarse block has a low plane: %v", x, got[0].low)
			}
			g, w := got[0], want[0]
			floats := sameBits(g.scale, w.scale) && sameBits(g.sum, w.sum) && sameBits(g.sums[0], w.sums[0]) && sameBits(g.sums[1], w.sums[1])
			zeros := g.zero128 == w.zero128 && g.zero16 == w.zero16 && g.zero8 == w.zero8 && g.zero32 == w.zero32
			if g.high != w.high || g.low != w.low || !floats || !zeros {
				t.Fatalf("%v:\n got %+v\nwant %+v", x, g, w)
			}
		}
	})
}

func TestQuantizeIsCloseAndConsistent(t *testing.T) {
	r := newRand(t, 2)
	for i := range 200 {
		x := normals(r, BlockLen)
		var out [1]block
		coarse, step := i%2 == 1, 1.0
		if coarse {
			step = 1 << coarseBits
		}
		quantize(x, out[:], coarse)
		b := out[0]
		var sums [2]int32
		for i := range x {
			q := b.quant(i)
			sums[i/16] += q
			// Half a step, and the roundings.
			if d := math.Abs(float64(x[i]) - float64(b.scale)*float64(q)); d > 0.5*step*float64(b.scale)+math.Abs(float64(x[i]))*4*unit {
				t.Fatalf("%v became %d·%v", x[i], q, b.scale)
			}
		}
		sum := sums[0] + sums[1]
		if b.zero128 != -128*sum || b.zero16 != -16*sum || b.zero8 != -8*sum || b.zero32 != [2]int32{-32 * sums[0], -32 * sums[1]} {
			t.Fatalf("sums %v of %+v", sums, b)
		}
		if b.sum != b.scale*float32(sum) || b.sums != [2]float32{b.scale * float32(sums[0]), b.scale * float32(sums[1])} {
			t.Fatalf("sums %v of %+v", sums, b)
		}
	}
}

func TestQuantizeStaysInBounds(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for n := 1; n <= 3; n++ {
			quantize(guarded[float32](t, n*BlockLen), guarded[block](t, n), false)
		}
	})
}
