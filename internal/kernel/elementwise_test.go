package kernel

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

// lengths cover every tail and several whole registers.
var lengths = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 576}

func TestRMSNormIsWithinItsBound(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 1)
		for _, n := range lengths {
			x, weight, out := normals(r, n), normals(r, n), guarded[float32](t, n)
			squares := RMSNorm(out, x, weight, 1e-5)
			var sum float64
			for _, v := range x {
				sum += float64(v) * float64(v)
			}
			mean := sum / float64(n)
			if math.Abs(float64(squares)-mean) > float64(n+2)*unit*mean {
				t.Errorf("%d numbers: mean square %v, want %v", n, squares, mean)
			}
			for i := range x {
				want := float64(x[i]) / math.Sqrt(mean+1e-5) * float64(weight[i])
				if math.Abs(float64(out[i])-want) > float64(n+8)*unit*math.Abs(want) {
					t.Fatalf("%d numbers: number %d is %v, want %v", n, i, out[i], want)
				}
			}
		}
	})
}

func TestRMSNormShowsNotFiniteNumbers(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for _, bad := range []float32{nan, inf, -inf} {
			x := []float32{1, 2, bad, 4, 5, 6, 7, 8, 9}
			if got := RMSNorm(make([]float32, 9), x, x, 0); got-got == 0 {
				t.Errorf("%v among the numbers: mean square %v", bad, got)
			}
		}
	})
}

func TestSiLUMulIsWithinItsBound(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 2)
		for _, n := range lengths {
			gate, up := guarded[float32](t, n), guarded[float32](t, n)
			for i := range gate {
				gate[i], up[i] = float32(20*r.NormFloat64()), float32(r.NormFloat64())
			}
			if n > 4 {
				copy(gate, []float32{0, 80, -80, -200, 200})
			}
			before := append([]float32(nil), gate...)
			SiLUMul(gate, up)
			for i, g := range before {
				want := float64(g) / (1 + math.Exp(-float64(g))) * float64(up[i])
				if math.Abs(float64(gate[i])-want) > 0x1p-20*math.Abs(want)+1e-35 {
					t.Fatalf("silu(%v)·%v is %v, want %v", g, up[i], gate[i], want)
				}
			}
		}
		gate := []float32{nan, inf, 1}
		SiLUMul(gate, []float32{1, 1, 1})
		if gate[0] == gate[0] || gate[1] != inf || gate[2]-gate[2] != 0 {
			t.Errorf("silu of NaN, infinity and 1: %v", gate)
		}
	})
}

// Rotation is its definition, bit for bit, and keeps a pair's length.
func TestRotate(t *testing.T) {
	frequencies := []float64{1, 0.5, 0.1, 0.01, 0.003, 0.001, 0.0001}
	for _, pairing := range []Pairing{Adjacent, Halves} {
		atEachLevel(t, func(t *testing.T) {
			r := newRand(t, 3)
			for pairs := 1; pairs <= len(frequencies); pairs++ {
				const size, heads = 16, 3
				cos, sin := guarded[float32](t, pairs), guarded[float32](t, pairs)
				RotaryAngles(cos, sin, 1234, frequencies[:pairs])
				x := guarded[float32](t, size*heads)
				copy(x, normals(r, len(x)))
				before := append([]float32(nil), x...)
				Rotate(x, size, pairing, cos, sin)
				for i := range x {
					pair, second := i%size/2, i%2
					other := i ^ 1
					if pairing == Halves {
						pair, second = i%size%pairs, i%size/pairs
						other = i + pairs - 2*pairs*second
					}
					want := before[i]
					if i%size < 2*pairs {
						c, s := cos[pair], sin[pair]
						if second == 0 {
							s = -s
						}
						want = float32(before[i]*c) + float32(before[other]*s)
					}
					if !sameBits(x[i], want) {
						t.Fatalf("pairing %d, %d pairs, number %d: %v, want %v", pairing, pairs, i, x[i], want)
					}
				}
			}
		})
	}
}

func TestRotaryAnglesOfLargePositions(t *testing.T) {
	var cos, sin [1]float32
	for _, position := range []int{0, 1, 8191, 1 << 20} {
		RotaryAngles(cos[:], sin[:], position, []float64{1})
		s, c := math.Sincos(float64(position))
		if cos[0] != float32(c) || sin[0] != float32(s) {
			t.Errorf("position %d: %v, %v", position, cos[0], sin[0])
		}
	}
}

// Whatever the level, the same bits: also far out, and for numbers that are not
// finite.
func TestElementwiseLevelsAgree(t *testing.T) {
	r := newRand(t, 5)
	for _, n := range append(lengths, 1000) {
		x, y := normals(r, n), normals(r, n)
		for i := range x {
			x[i] *= float32(math.Exp(3 * r.NormFloat64()))
		}
		if n > 20 {
			copy(x, []float32{88, -88, 89, 90, -87.5, -103, 1e30, -1e30, 0, inf, -inf, nan, 1e-40})
		}
		type result struct{ norm, silu, weights, sums []float32 }
		var want *result
		for _, l := range Levels() {
			restore := Use(l)
			var got result
			got.norm, got.silu, got.weights = make([]float32, n), append([]float32(nil), x...), make([]float32, n)
			squares := RMSNorm(got.norm, x, y, 1e-5)
			SiLUMul(got.silu, y)
			got.sums = []float32{squares, expSum(x, got.weights, 0.7, 1.5), maximum(y), float32(LogSumExp(y))}
			restore()
			if want == nil {
				want = &got
				continue
			}
			equalBits(t, fmt.Sprintf("RMSNorm of %d at %v", n, l), got.norm, want.norm)
			equalBits(t, fmt.Sprintf("SiLUMul of %d at %v", n, l), got.silu, want.silu)
			equalBits(t, fmt.Sprintf("exp of %d at %v", n, l), got.weights, want.weights)
			equalBits(t, fmt.Sprintf("sums of %d at %v", n, l), got.sums, want.sums)
		}
	}
}

func TestExp32IsWithinItsBound(t *testing.T) {
	for x := float32(-87); x < 88.3; x += 0.0137 {
		want := math.Exp(float64(x))
		if got := float64(exp32(x)); math.Abs(got-want) > 0x1p-22*want {
			t.Fatalf("exp(%v) is %v, want %v", x, got, want)
		}
	}
	for _, c := range []struct{ x, want float32 }{{0, 1}, {-88, 0}, {-inf, 0}, {89, inf}, {inf, inf}, {nan, nan}} {
		if got := exp32(c.x); !sameBits(got, c.want) {
			t.Errorf("exp(%v) is %v, want %v", c.x, got, c.want)
		}
	}
}

func TestLogSumExp(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 6)
		for _, n := range append(lengths, 257, 49152) {
			x := guarded[float32](t, n)
			sum := 0.0
			for i := range x {
				x[i] = float32(4*r.NormFloat64()) + 300
				sum += math.Exp(float64(x[i]) - 300)
			}
			if got, want := LogSumExp(x), 300+math.Log(sum); math.Abs(got-want) > 0x1p-19 {
				t.Errorf("%d numbers: %v, want %v", n, got, want)
			}
		}
		for _, c := range []struct {
			x    []float32
			want float64
		}{{nil, math.Inf(-1)}, {[]float32{-inf, -inf}, math.Inf(-1)}, {[]float32{-inf, 0}, 0}} {
			if got := LogSumExp(c.x); got != c.want {
				t.Errorf("%v: %v, want %v", c.x, got, c.want)
			}
		}
		if got := LogSumExp([]float32{1, nan, 2}); got == got {
			t.Errorf("with a NaN: %v", got)
		}
	})
}

// fma32 against arithmetic of 200 bits, on numbers chosen so that sums land on
// and beside the middle between two float32.
func TestFMA32RoundsOnce(t *testing.T) {
	r := newRand(t, 7)
	exact := func(a, b, c float32) float32 {
		big := func(v float32) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(float64(v)) }
		s := big(a)
		s.Mul(s, big(b)).Add(s, big(c))
		f, _ := s.Float32()
		return f
	}
	for range 200000 {
		a := float32(1+r.IntN(1<<12)) * 0x1p-12
		b := float32(1+r.IntN(1<<13)) * 0x1p-13
		c := float32(r.IntN(1<<24)-1<<23) * float32(math.Ldexp(1, r.IntN(40)-30))
		if got, want := fma32(a, b, c), exact(a, b, c); got != want {
			t.Fatalf("%v·%v + %v is %v, want %v", a, b, c, got, want)
		}
		a, b, c = float32(r.NormFloat64()), float32(r.NormFloat64()*0x1p-29), 1
		if got, want := fma32(a, b, c), exact(a, b, c); got != want {
			t.Fatalf("%v·%v + %v is %v, want %v", a, b, c, got, want)
		}
	}
	// Half a unit and a bit too small for double precision to hold.
	const half = 0x1p-24
	for _, c := range [][3]float32{{half, 1 + 0x1p-23, 1}, {0x1p-12 + 0x1p-35, 0x1p-12, 1}, {-0x1p-13, 0x1p-12 + 0x1p-35, 1 + 0x1p-23}, {0x1p-12 - 0x1p-36, 0x1p-12 + 0x1p-36, 1}} {
		if got, want := fma32(c[0], c[1], c[2]), exact(c[0], c[1], c[2]); got != want {
			t.Errorf("%v·%v + %v is %v, want %v", c[0], c[1], c[2], got, want)
		}
	}
}

func TestElementwiseKernelsDoNotAllocate(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		x, y, cos := make([]float32, 64), make([]float32, 64), make([]float32, 32)
		var blocks [2]block
		page := make([]uint16, PageSize(64))
		for name, call := range map[string]func(){
			"RMSNorm":  func() { RMSNorm(x, x, y, 1e-5) },
			"SiLUMul":  func() { SiLUMul(x, y) },
			"Rotate":   func() { Rotate(x, 64, Adjacent, cos, cos) },
			"quantize": func() { quantize(x, blocks[:], false) },
			"StoreKV":  func() { StoreKV(page, 3, x, y) },
		} {
			if n := testing.AllocsPerRun(10, call); n != 0 {
				t.Errorf("%s allocates %v times", name, n)
			}
		}
	})
}
