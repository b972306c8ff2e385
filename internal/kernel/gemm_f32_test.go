package kernel

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// product returns row i of a times column j of the matrix whose columns are
// stored in rows of w, in float64, and the sum of the magnitudes.
func product(a, w []float32, bias float32) (sum, size float64) {
	sum, size = exactDot(a, w)
	return sum + float64(bias), size + math.Abs(float64(bias))
}

func TestMultiplyIsWithinItsBound(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 5)
		for rows := range 27 {
			for _, k := range []int{1, 2, 5, 32, 100} {
				for _, n := range []int{1, 15, 31, 32, 33, 64, 100} {
					a, w, bias := normals(r, rows*k), normals(r, n*k), normals(r, n)
					var b Panels
					b.PackColumns(w, k, k, n)
					b.SetBias(bias)
					stride := Stride(n)
					c := normals(r, rows*stride)
					b.Multiply(c, stride, a, k, rows, 0, b.Count())
					for i := range rows {
						for j := range stride {
							got := float64(c[i*stride+j])
							switch {
							case j < n:
								want, size := product(a[i*k:(i+1)*k], w[j*k:(j+1)*k], bias[j])
								if math.Abs(got-want) > float64(k+1)*unit*size {
									t.Fatalf("%d×%d×%d, element (%d,%d): got %v, want %v", rows, k, n, i, j, got, want)
								}
							case j < b.Count()*PanelWidth && got != 0:
								t.Fatalf("%d×%d×%d, element (%d,%d) beyond the last column: got %v, want 0", rows, k, n, i, j, got)
							}
						}
					}
				}
			}
		}
	})
}

// A row's result has the same bits alone, among many rows, and when the panels
// are multiplied one by one.
func TestMultiplyDoesNotDependOnCompany(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 6)
		const k, n = 70, 96
		a, w, bias := normals(r, 200*k), normals(r, n*k), normals(r, n)
		var b Panels
		b.PackColumns(w, k, k, n)
		b.SetBias(bias)
		want := make([]float32, 200*n)
		for i := range 200 {
			b.Multiply(want[i*n:], n, a[i*k:], k, 1, 0, b.Count())
		}
		for rows := 1; rows <= 200; rows += 7 {
			got := make([]float32, rows*n)
			for p := range b.Count() {
				b.Multiply(got, n, a, k, rows, p, p+1)
			}
			for i, v := range got {
				if !sameBits(v, want[i]) {
					t.Fatalf("%d rows, element (%d,%d): got %v, alone %v", rows, i/n, i%n, v, want[i])
				}
			}
		}
	})
}

func TestVectorLevelsMultiplyAlike(t *testing.T) {
	if Best() != AVX512 {
		t.Skip("one vector level only")
	}
	r := newRand(t, 7)
	const rows, k, n = 19, 129, 64
	a, w := normals(r, rows*k), normals(r, n*k)
	var b Panels
	b.PackColumns(w, k, k, n)
	results := map[Level][]float32{}
	for _, l := range []Level{AVX2, AVX512} {
		restore := Use(l)
		results[l] = make([]float32, rows*n)
		b.Multiply(results[l], n, a, k, rows, 0, b.Count())
		restore()
	}
	for i, v := range results[AVX2] {
		if !sameBits(v, results[AVX512][i]) {
			t.Fatalf("element %d: avx2 %v, avx512 %v", i, v, results[AVX512][i])
		}
	}
}

func TestPackRowsAndPackColumnsAgree(t *testing.T) {
	r := newRand(t, 8)
	var rows, columns Panels
	for _, shape := range [][2]int{{1, 1}, {3, 40}, {64, 32}, {33, 7}, {16, 65}, {0, 3}, {5, 0}} {
		k, n := shape[0], shape[1]
		m, transposed := normals(r, k*n), make([]float32, k*n)
		for i := range k {
			for j := range n {
				transposed[j*k+i] = m[i*n+j]
			}
		}
		rows.PackRows(m, n, k, n)
		columns.PackColumns(transposed, k, k, n)
		if rows.Rows() != k || rows.Columns() != n || columns.Rows() != k || columns.Columns() != n {
			t.Errorf("%d×%d: packed as %d×%d and %d×%d", k, n, rows.Rows(), rows.Columns(), columns.Rows(), columns.Columns())
		}
		for p := range rows.Count() {
			for i, v := range rows.panel(p) {
				if !sameBits(v, columns.panel(p)[i]) {
					t.Fatalf("%d×%d: panel %d differs at %d: %v and %v", k, n, p, i, v, columns.panel(p)[i])
				}
			}
		}
	}
}

func TestMultiplyWithoutRowsGivesTheBias(t *testing.T) {
	var b Panels
	b.PackColumns(nil, 0, 0, 2)
	b.SetBias([]float32{3, 4})
	c := make([]float32, 2*PanelWidth)
	c[5] = 9
	b.Multiply(c, PanelWidth, nil, 0, 2, 0, 1)
	if c[0] != 3 || c[1] != 4 || c[5] != 0 || c[PanelWidth] != 3 {
		t.Errorf("got %v", c)
	}
}

func TestMultiplyPassesOnNaNAndInfinity(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		const rows, k, n = 13, 9, 40
		for _, odd := range []float32{nan, inf} {
			for i := range rows {
				a, w := make([]float32, rows*k), make([]float32, n*k)
				for j := range w {
					w[j] = 1
				}
				a[i*k+i%k] = odd
				var b Panels
				b.PackColumns(w, k, k, n)
				c := make([]float32, rows*64)
				b.Multiply(c, 64, a, k, rows, 0, 2)
				for j := range rows * n {
					got, want := c[j/n*64+j%n], float32(0)
					if j/n == i {
						want = odd
					}
					if !sameBits(got, want) {
						t.Fatalf("%v in row %d: element (%d,%d) is %v, want %v", odd, i, j/n, j%n, got, want)
					}
				}
			}
		}
	})
}

func TestMultiplyStopsAtTheEndOfItsData(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for rows := 1; rows <= 13; rows++ {
			for _, k := range []int{1, 3, 17, 40} {
				const n = 64
				var b Panels
				w := guarded[float32](t, n*k)
				b.PackColumns(w, k, k, n)
				b.data = guarded[float32](t, n*k)
				b.bias = guarded[float32](t, n)
				a, c := guarded[float32](t, rows*k), guarded[float32](t, rows*n)
				b.Multiply(c, n, a, k, rows, 0, 2)
			}
		}
	})
}

func TestMultiplyAllocatesNothing(t *testing.T) {
	var b Panels
	w, a, c := make([]float32, 64*40), make([]float32, 5*40), make([]float32, 5*64)
	b.PackColumns(w, 40, 40, 64)
	atEachLevel(t, func(t *testing.T) {
		allocs := testing.AllocsPerRun(20, func() {
			b.PackColumns(w, 40, 40, 64)
			b.Multiply(c, 64, a, 40, 5, 0, 2)
		})
		if allocs != 0 {
			t.Errorf("%v allocations", allocs)
		}
	})
}

func TestMultiplyPanicsOnMisuse(t *testing.T) {
	var b Panels
	x := make([]float32, 64)
	b.PackRows(x, 8, 8, 8)
	for name, call := range map[string]func(){
		"Panels.PackRows":    func() { new(Panels).PackRows(x, 8, 9, 8) },
		"Panels.PackColumns": func() { new(Panels).PackColumns(x, 4, 8, 8) },
		"Panels.SetBias":     func() { b.SetBias(x) },
		"Panels.Multiply":    func() { b.Multiply(x, 8, x, 8, 1, 0, 1) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "kernel."+name+":") {
					t.Errorf("%s: got panic %q", name, got)
				}
			}()
			call()
		}()
	}
}

func FuzzMultiply(f *testing.F) {
	f.Add(uint8(3), uint8(5), uint8(40), uint64(1))
	f.Fuzz(func(t *testing.T, rows, k, n uint8, seed uint64) {
		r := newRand(t, seed)
		m, kk, nn := int(rows%30), int(k%70), int(n%100)
		a, w := normals(r, m*kk), normals(r, nn*kk)
		var b Panels
		b.PackColumns(w, kk, kk, nn)
		for _, l := range Levels() {
			restore := Use(l)
			stride := Stride(nn)
			c := make([]float32, m*stride)
			b.Multiply(c, stride, a, kk, m, 0, b.Count())
			for i := range m * nn {
				i, j := i/nn, i%nn
				want, size := product(a[i*kk:(i+1)*kk], w[j*kk:(j+1)*kk], 0)
				if got := float64(c[i*stride+j]); math.Abs(got-want) > float64(kk+1)*unit*size {
					t.Errorf("%v: %d×%d×%d, element (%d,%d): got %v, want %v", l, m, kk, nn, i, j, got, want)
				}
			}
			restore()
		}
	})
}

func BenchmarkPanels(b *testing.B) {
	for _, s := range []struct{ rows, k, n int }{{16, 384, 1536}, {128, 384, 1536}, {128, 1536, 384}, {48, 384, 384}, {128, 32, 128}} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.rows, s.k, s.n), func(b *testing.B) {
			var m Panels
			m.PackColumns(make([]float32, s.k*s.n), s.k, s.k, s.n)
			a, c := alignedFloats(s.rows*Stride(s.k)), alignedFloats(s.rows*Stride(s.n))
			benchEachLevel(b, func(b *testing.B) {
				for b.Loop() {
					m.Multiply(c, Stride(s.n), a, Stride(s.k), s.rows, 0, m.Count())
				}
				b.ReportMetric(2*float64(s.rows)*float64(s.k)*float64(s.n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		})
	}
}
