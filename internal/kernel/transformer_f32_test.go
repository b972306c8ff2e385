package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
)

func exactGELU(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }

func TestGELUIsWithinItsBound(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		worst, at := 0.0, float32(0)
		x, y := make([]float32, 1001), make([]float32, 1001)
		for first := float32(-20); first < 20; first += 0.25 {
			for i := range x {
				x[i] = first + float32(i)/4000
			}
			copy(y, x)
			GELU(y)
			for i, v := range x {
				e := math.Abs(float64(y[i])-exactGELU(float64(v))) / max(1, math.Abs(float64(v)))
				if e > worst {
					worst, at = e, v
				}
			}
		}
		if worst > 1.0/(1<<21) {
			t.Errorf("worst error is %v at %v, want at most 2⁻²¹", worst, at)
		}
	})
}

func TestGELUTakesEveryLengthAlike(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 9)
		x := normals(r, 70)
		want := append([]float32(nil), x...)
		for i := range want {
			GELU(want[i : i+1])
		}
		for n := range len(x) {
			got := guarded[float32](t, n)
			copy(got, x)
			GELU(got)
			for i, v := range got {
				if !sameBits(v, want[i]) {
					t.Fatalf("element %d of %d: got %v, alone %v", i, n, v, want[i])
				}
			}
		}
	})
}

func TestGELUOfTheExtremes(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		x := []float32{nan, inf, 0, 1e30, -1e-30}
		GELU(x)
		if x[0] == x[0] || x[1] != inf || x[2] != 0 || math.Abs(float64(x[3])/1e30-1) > 1e-6 || math.Abs(float64(x[4])/-5e-31-1) > 1e-6 {
			t.Errorf("NaN, +∞, 0, 1e30, -1e-30: got %v", x)
		}
	})
}

func TestSoftmaxIsWithinItsBound(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 10)
		for n := 1; n < 300; n++ {
			scale := float32(math.Exp(r.NormFloat64()))
			x := normals(r, n)
			for i := range x {
				x[i] *= 8
			}
			got := guarded[float32](t, n)
			copy(got, x)
			Softmax(got, scale)
			largest, sum := x[0], 0.0
			for _, v := range x {
				largest = max(largest, v)
			}
			exponent := func(v float32) float64 { return float64(scale) * (float64(v) - float64(largest)) }
			for _, v := range x {
				sum += math.Exp(exponent(v))
			}
			for i, v := range x {
				want := math.Exp(exponent(v)) / sum
				bound := (2*math.Abs(exponent(v))+float64(n)+8)*unit*want + math.Exp(-85)
				if math.Abs(float64(got[i])-want) > bound {
					t.Fatalf("element %d of %d, scale %v: got %v, want %v ± %v", i, n, scale, got[i], want, bound)
				}
			}
		}
	})
}

func TestSoftmaxOfTheExtremes(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 7, 8, 16, 17, 40} {
			for at := range n {
				for _, odd := range []float32{nan, inf} {
					x := make([]float32, n)
					x[at] = odd
					Softmax(x, 1)
					for i, v := range x {
						if v == v {
							t.Fatalf("%v at %d of %d: element %d is %v, want NaN", odd, at, n, i, v)
						}
					}
				}
				x := make([]float32, n)
				for i := range x {
					x[i] = -inf
				}
				x[at] = -3e38
				Softmax(x, 1)
				if x[at] != 1 {
					t.Fatalf("all but %d of %d are −∞: got %v", at, n, x)
				}
			}
		}
		Softmax(nil, 1)
	})
}

func TestLayerNormIsWithinItsBound(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 11)
		for n := 1; n < 400; n++ {
			x, gain, bias := normals(r, n), normals(r, n), normals(r, n)
			shift := float32(r.NormFloat64() * 20)
			var mean, variance, size float64
			for i := range x {
				x[i] += shift
				mean += float64(x[i]) / float64(n)
				size = max(size, math.Abs(float64(x[i])))
			}
			for _, v := range x {
				variance += (float64(v) - mean) * (float64(v) - mean) / float64(n)
			}
			const eps = 1e-5
			got, g, b := guarded[float32](t, n), guarded[float32](t, n), guarded[float32](t, n)
			copy(got, x)
			copy(g, gain)
			copy(b, bias)
			LayerNorm(got, g, b, eps)
			deviation := math.Sqrt(variance + eps)
			for i, v := range x {
				want := (float64(v)-mean)/deviation*float64(gain[i]) + float64(bias[i])
				bound := float64(n+8) * unit * (math.Abs(float64(gain[i]))*size/deviation + math.Abs(float64(bias[i])))
				if math.Abs(float64(got[i])-want) > bound {
					t.Fatalf("element %d of %d: got %v, want %v ± %v", i, n, got[i], want, bound)
				}
			}
		}
	})
}

func TestLayerNormReportsWhatIsNotFinite(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 5, 16, 40} {
			for at := range n {
				for _, odd := range []float32{nan, inf} {
					x, one := make([]float32, n), make([]float32, n)
					x[at] = odd
					if v := LayerNorm(x, one, one, 1e-12); v-v == 0 {
						t.Fatalf("%v at %d of %d: variance %v", odd, at, n, v)
					}
				}
			}
		}
	})
}

func TestTransformerKernelsAllocateNothing(t *testing.T) {
	x, y, z := make([]float32, 100), make([]float32, 100), make([]float32, 100)
	atEachLevel(t, func(t *testing.T) {
		allocs := testing.AllocsPerRun(50, func() {
			GELU(x)
			Softmax(x, 1)
			LayerNorm(x, y, z, 1e-12)
		})
		if allocs != 0 {
			t.Errorf("%v allocations", allocs)
		}
	})
}

func TestLayerNormPanicsOnMisuse(t *testing.T) {
	x := make([]float32, 4)
	for name, call := range map[string]func(){
		"a short gain": func() { LayerNorm(x, x[:3], x, 0) },
		"a long bias":  func() { LayerNorm(x[:3], x[:3], x, 0) },
		"nothing":      func() { LayerNorm(nil, nil, nil, 0) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "kernel.LayerNorm:") {
					t.Errorf("%s: got panic %q", name, got)
				}
			}()
			call()
		}()
	}
}

// FuzzTransformerKernels holds every level to its bounds on any finite numbers.
func FuzzTransformerKernels(f *testing.F) {
	f.Add([]byte("some numbers of any size, as bits"), float32(0.5))
	f.Fuzz(func(t *testing.T, data []byte, scale float32) {
		if !(scale > 1e-6 && scale < 1e6) {
			t.Skip("the bounds are stated for scales of ordinary size")
		}
		var x []float32
		for ; len(data) >= 4; data = data[4:] {
			v := math.Float32frombits(binary.LittleEndian.Uint32(data))
			if math.Abs(float64(v)) < 1e15 {
				x = append(x, v)
			}
		}
		for _, l := range Levels() {
			restore := Use(l)
			y := append([]float32(nil), x...)
			GELU(y)
			for i, v := range x {
				if e := math.Abs(float64(y[i]) - exactGELU(float64(v))); e > max(1, math.Abs(float64(v)))/(1<<21) {
					t.Errorf("%v: GELU(%v): got %v, want %v", l, v, y[i], exactGELU(float64(v)))
				}
			}
			copy(y, x)
			Softmax(y, scale)
			sum := 0.0
			for i, v := range y {
				if !(v >= 0 && v <= 1) {
					t.Errorf("%v: Softmax(%v, %v): element %d is %v", l, x, scale, i, v)
				}
				sum += float64(v)
			}
			if len(x) > 0 && math.Abs(sum-1) > float64(len(x)+8)*2*unit {
				t.Errorf("%v: Softmax(%v, %v) adds up to %v", l, x, scale, sum)
			}
			restore()
		}
	})
}

func BenchmarkTransformerKernels(b *testing.B) {
	r := newRand(b, 12)
	source, gain, bias := normals(r, 1536), normals(r, 384), normals(r, 384)
	x := make([]float32, 1536)
	for name, run := range map[string]func(){
		"GELU/1536":     func() { copy(x, source); GELU(x) },
		"Softmax/16":    func() { copy(x, source[:16]); Softmax(x[:16], 1) },
		"Softmax/128":   func() { copy(x, source[:128]); Softmax(x[:128], 1) },
		"LayerNorm/384": func() { copy(x, source[:384]); LayerNorm(x[:384], gain, bias, 1e-12) },
	} {
		b.Run(name, func(b *testing.B) {
			benchEachLevel(b, func(b *testing.B) {
				for b.Loop() {
					run()
				}
			})
		})
	}
}
