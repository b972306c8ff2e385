package kernel

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// exactDot returns Σaᵢ·bᵢ in float64 and the sum of the terms' magnitudes.
func exactDot(a, b []float32) (sum, size float64) {
	for i := range a {
		p := float64(a[i]) * float64(b[i])
		sum += p
		size += math.Abs(p)
	}
	return sum, size
}

// exactL2 returns Σ(aᵢ-bᵢ)² in float64.
func exactL2(a, b []float32) (sum float64) {
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return sum
}

func TestDotAndL2AreWithinTheirBounds(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 1)
		a, b := normals(r, 1100), normals(r, 1100)
		for n := range 1025 {
			for _, shift := range []int{0, 1, 3, 7, 15} {
				x, y := a[shift:shift+n], b[15-shift:15-shift+n]
				want, size := exactDot(x, y)
				if got, bound := Dot(x, y), float64(n)*unit*size; math.Abs(float64(got)-want) > bound {
					t.Fatalf("Dot of %d elements, shift %d: got %v, want %v ± %v", n, shift, got, want, bound)
				}
				want = exactL2(x, y)
				if got, bound := L2(x, y), float64(n+2)*unit*want; math.Abs(float64(got)-want) > bound {
					t.Fatalf("L2 of %d elements, shift %d: got %v, want %v ± %v", n, shift, got, want, bound)
				}
			}
		}
	})
}

func TestDotDoesNotDependOnAlignment(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 2)
		a, b := normals(r, 384), normals(r, 384)
		want := Dot(a, b)
		for shift := range 16 {
			x := append(make([]float32, shift), a...)[shift:]
			if got := Dot(x, b); !sameBits(got, want) {
				t.Errorf("shift %d: got %v, want %v", shift, got, want)
			}
		}
	})
}

func TestDotRowsIsDotOfEachRow(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 3)
		for _, dim := range []int{0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 128, 384, 385} {
			for count := range 12 {
				q, rows := normals(r, dim), normals(r, dim*count)
				out := normals(r, count)
				DotRows(q, rows, out)
				for i := range out {
					if want := Dot(q, rows[i*dim:(i+1)*dim]); !sameBits(out[i], want) {
						t.Fatalf("row %d of %d, dimension %d: got %v, Dot gives %v", i, count, dim, out[i], want)
					}
				}
			}
		}
	})
}

func TestAxpyRoundsOnceOrTwice(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 4)
		for n := range 200 {
			s, x, y := float32(r.NormFloat64()), normals(r, n), normals(r, n)
			got := append([]float32(nil), y...)
			Axpy(s, x, got)
			for i := range got {
				product := float64(s) * float64(x[i])
				want := product + float64(y[i])
				if bound := unit * (math.Abs(product) + math.Abs(want)); math.Abs(float64(got[i])-want) > bound {
					t.Fatalf("element %d of %d: got %v, want %v", i, n, got[i], want)
				}
			}
		}
	})
}

func TestDotPassesOnNaNAndInfinity(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 5, 16, 17, 64, 100} {
			for at := range n {
				ones := make([]float32, n)
				for i := range ones {
					ones[i] = 1
				}
				odd := append([]float32(nil), ones...)
				odd[at] = nan
				if got := Dot(odd, ones); got == got {
					t.Fatalf("NaN at %d of %d: Dot is %v", at, n, got)
				}
				if got := L2(odd, ones); got == got {
					t.Fatalf("NaN at %d of %d: L2 is %v", at, n, got)
				}
				odd[at] = inf
				if got := Dot(odd, ones); got != inf {
					t.Fatalf("infinity at %d of %d: Dot is %v", at, n, got)
				}
				if got := L2(odd, ones); got != inf {
					t.Fatalf("infinity at %d of %d: L2 is %v", at, n, got)
				}
				out := []float32{0}
				if DotRows(ones, odd, out); out[0] != inf {
					t.Fatalf("infinity at %d of %d: DotRows is %v", at, n, out[0])
				}
			}
		}
	})
}

func TestDotStopsAtTheEndOfItsData(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for n := range 140 {
			a, b := guarded[float32](t, n), guarded[float32](t, n)
			Dot(a, b)
			L2(a, b)
			Axpy(1, a, b)
			for _, rows := range []int{1, 2, 3, 4, 5, 7} {
				DotRows(a, guarded[float32](t, n*rows), guarded[float32](t, rows))
			}
		}
	})
}

func TestAxpyLeavesItsNeighboursAlone(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for n := range 70 {
			y := make([]float32, n+32)
			x := make([]float32, n)
			for i := range x {
				x[i] = 1
			}
			Axpy(1, x, y[16:16+n])
			for i, v := range y {
				if inside := i >= 16 && i < 16+n; inside != (v == 1) {
					t.Fatalf("%d elements from 16: y[%d] is %v", n, i, v)
				}
			}
		}
	})
}

func TestDotAllocatesNothing(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		allocs := testing.AllocsPerRun(100, func() {
			var a, b [100]float32
			var out [2]float32
			Dot(a[:], b[:])
			L2(a[:], b[:])
			Axpy(2, a[:], b[:])
			DotRows(a[:50], b[:], out[:])
		})
		if allocs != 0 {
			t.Errorf("%v allocations", allocs)
		}
	})
}

func TestDotPanicsOnMisuse(t *testing.T) {
	x := make([]float32, 4)
	for name, call := range map[string]func(){
		"Dot":     func() { Dot(x, x[:3]) },
		"L2":      func() { L2(x[:3], x) },
		"Axpy":    func() { Axpy(1, x, x[:2]) },
		"DotRows": func() { DotRows(x[:2], x, x[:1]) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "kernel."+name+":") {
					t.Errorf("%s with wrong lengths: got panic %q", name, got)
				}
			}()
			call()
		}()
	}
}

func FuzzDot(f *testing.F) {
	f.Add([]byte("a vector and another"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, shift uint8) {
		n := len(data) / 2
		a := make([]float32, n+16)[shift%16:][:n]
		b := make([]float32, n)
		for i := range n {
			a[i], b[i] = float32(int8(data[i])), float32(int8(data[n+i]))
		}
		want, _ := exactDot(a, b) // small integers: exact in any order
		for _, l := range Levels() {
			restore := Use(l)
			if got := Dot(a, b); n < 1000 && float64(got) != want {
				t.Errorf("%v: Dot(%v, %v): got %v, want %v", l, a, b, got, want)
			}
			if got := L2(a, b); n < 250 && float64(got) != exactL2(a, b) {
				t.Errorf("%v: L2(%v, %v): got %v, want %v", l, a, b, got, exactL2(a, b))
			}
			restore()
		}
	})
}

func BenchmarkDot(b *testing.B) {
	for _, n := range []int{32, 384, 1024} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			x, y := make([]float32, n), make([]float32, n)
			benchEachLevel(b, func(b *testing.B) {
				b.SetBytes(int64(n) * 8)
				for b.Loop() {
					Dot(x, y)
				}
			})
		})
	}
}

func BenchmarkDotRows(b *testing.B) {
	const dim = 384
	for _, count := range []int{32, 20000} {
		b.Run(fmt.Sprintf("rows=%d", count), func(b *testing.B) {
			q, rows, out := make([]float32, dim), make([]float32, dim*count), make([]float32, count)
			benchEachLevel(b, func(b *testing.B) {
				b.SetBytes(int64(count) * dim * 4)
				for b.Loop() {
					DotRows(q, rows, out)
				}
			})
		})
	}
}
