package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// hadamardSlowly returns the product of x with the matrix of Hadamard matrices by its
// definition: element (i, j) is −1 where i and j share an odd number of bits.
func hadamardSlowly(x []float32) []float64 {
	size := hadamardSize(len(x))
	out := make([]float64, len(x))
	for i := range x {
		first := i / size * size
		for j := range size {
			sign := 1.0
			for shared := i % size & j; shared != 0; shared &= shared - 1 {
				sign = -sign
			}
			out[i] += sign * float64(x[first+j])
		}
	}
	return out
}

func TestQuantizedRowsAreTheRotatedRows(t *testing.T) {
	r := newRand(t, 21)
	for _, k := range []int{32, 64, 96, 128, 192, 384, 1536} {
		x := normals(r, k)
		x[k/3] = 40 // an outlier
		want, peak := hadamardSlowly(x), 0.0
		for _, v := range want {
			peak = max(peak, math.Abs(v))
		}
		atEachLevel(t, func(t *testing.T) {
			var a ByteRows
			a.Resize(3, k)
			turned := make([]float32, k)
			a.Quantize(1, x, nil, turned)
			got, meta := a.bytes[a.stride:][:k], a.meta[1]
			sum := int32(0)
			for i, q := range got {
				if math.Abs(float64(q)*float64(meta.scale)-want[i]) > 0.501*peak/127 {
					t.Fatalf("%d numbers, number %d: %d·%v, want %v", k, i, q, meta.scale, want[i])
				}
				sum += int32(q)
			}
			if meta.start != -128*sum {
				t.Errorf("%d numbers: start %d, want %d", k, meta.start, -128*sum)
			}
			balance := normals(newRand(t, 29), k)
			divided := slices.Clone(x)
			for i := range divided {
				divided[i] *= balance[i]
			}
			a.Quantize(0, divided, nil, turned)
			a.Quantize(2, x, balance, turned)
			if !slices.Equal(a.bytes[2*a.stride:][:k], a.bytes[:k]) || a.meta[2] != a.meta[0] {
				t.Errorf("%d numbers: balanced, other bytes than those of the balanced numbers", k)
			}
			inPlace := slices.Clone(x)
			a.Quantize(2, inPlace, nil, inPlace)
			if !slices.Equal(a.bytes[2*a.stride:][:k], got) || a.meta[2] != meta {
				t.Errorf("%d numbers: in place it gives other bytes", k)
			}
		})
	}
}

func TestLevelsQuantizeAndMultiplyAlike(t *testing.T) {
	r := newRand(t, 22)
	for _, k := range []int{32, 64, 96, 128, 256, 384} {
		const rows, n = 29, 77
		x, w, bias := normals(r, rows*k), normals(r, n*k), normals(r, n)
		x[5] = 1e20
		x[2*k] = -math.MaxFloat32 / 1e6
		var want []float32
		atEachLevel(t, func(t *testing.T) {
			var a ByteRows
			var b BytePanels
			b.PackColumns(w, k, k, n)
			b.SetBias(bias)
			a.Resize(rows, k)
			for i := range rows {
				a.Quantize(i, x[i*k:][:k], nil, make([]float32, k))
			}
			stride := Stride(n)
			got := normals(newRand(t, 23), rows*stride)
			b.Multiply(got, stride, &a, 0, rows, 0, b.Count())
			if want == nil {
				want = got
			}
			for i, v := range got {
				if !sameBits(v, want[i]) {
					t.Fatalf("%d numbers, element (%d,%d): got %v, plain %v", k, i/stride, i%stride, v, want[i])
				}
			}
		})
	}
}

// The error of a rounded product is that of its two factors: with a scale for
// each row and column, about 1 % of the size of what is summed.
func TestAByteProductIsNearTheExactOne(t *testing.T) {
	r := newRand(t, 24)
	const rows, k, n = 40, 384, 64
	x, w, bias := normals(r, rows*k), normals(r, n*k), normals(r, n)
	for i := range rows {
		x[i*k+7] *= 30 // what spoils eight bits without a rotation
	}
	atEachLevel(t, func(t *testing.T) {
		var a ByteRows
		var b BytePanels
		b.PackColumns(w, k, k, n)
		b.SetBias(bias)
		a.Resize(rows, k)
		for i := range rows {
			a.Quantize(i, x[i*k:][:k], nil, make([]float32, k))
		}
		got := make([]float32, rows*n)
		b.Multiply(got, n, &a, 0, rows, 0, b.Count())
		var wrong, size float64
		for i := range rows {
			for j := range n {
				want, _ := product(x[i*k:][:k], w[j*k:][:k], bias[j])
				wrong += math.Pow(float64(got[i*n+j])-want, 2)
				size += want * want
			}
		}
		if e := math.Sqrt(wrong / size); !(e < 0.015) {
			t.Errorf("relative error %.4f, want below 0.015", e)
		}
	})
}

// With what rounding took from the right factor, only the left one's error is left.
func TestTheRestOfAMatrixAddsItsLostBits(t *testing.T) {
	r := newRand(t, 30)
	const rows, k, n = 17, 128, 70
	x, w := normals(r, rows*k), normals(r, n*k)
	for i := range x {
		x[i] = 1 // is exact in bytes
	}
	atEachLevel(t, func(t *testing.T) {
		var a ByteRows
		var b, rest BytePanels
		b.PackColumns(w, k, k, n)
		rest.PackRest(w, k, k, n)
		a.Resize(rows, k)
		for i := range rows {
			a.Quantize(i, x[i*k:][:k], nil, make([]float32, k))
		}
		stride := Stride(n)
		got := make([]float32, rows*stride)
		b.Multiply(got, stride, &a, 0, rows, 0, b.Count())
		rest.MultiplyAdd(got, stride, &a, 0, rows, 0, b.Count())
		for i := range rows {
			for j := range n {
				want, size := product(x[i*k:][:k], w[j*k:][:k], 0)
				if math.Abs(float64(got[i*stride+j])-want) > 1e-4*size {
					t.Fatalf("element (%d,%d): got %v, want %v", i, j, got[i*stride+j], want)
				}
			}
		}
	})
}

func TestAByteProductDoesNotDependOnCompany(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 25)
		const k, n, most = 64, 96, 60
		w := normals(r, n*k)
		var b BytePanels
		b.PackColumns(w, k, k, n)
		var a ByteRows
		a.Resize(most, k)
		for i := range most {
			a.Quantize(i, normals(r, k), nil, make([]float32, k))
		}
		want := make([]float32, most*n)
		for i := range most {
			b.Multiply(want[i*n:], n, &a, i, i+1, 0, b.Count())
		}
		for first := range 9 {
			for last := first + 1; last <= most; last += 1 + last/7 {
				got := make([]float32, (last-first)*n)
				for p := range b.Count() {
					b.Multiply(got, n, &a, first, last, p, p+1)
				}
				if !slices.Equal(got, want[first*n:last*n]) {
					t.Fatalf("rows %d to %d: not what they are alone", first, last)
				}
			}
		}
	})
}

func TestOddNumbersQuantizeAsTheyMust(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			value float32
			nan   bool
		}{"NaN": {nan, true}, "infinity": {inf, true}, "-infinity": {-inf, true}, "zero": {0, false}, "tiny": {1e-40, false}} {
			x := make([]float32, 64)
			x[37] = c.value
			var a ByteRows
			a.Resize(1, 64)
			a.Quantize(0, x, nil, make([]float32, 64))
			var b BytePanels
			b.PackColumns(normals(newRand(t, 26), 64), 64, 64, 1)
			out := make([]float32, 32)
			b.Multiply(out, 32, &a, 0, 1, 0, 1)
			if (out[0] != out[0]) != c.nan || !c.nan && out[0] != 0 {
				t.Errorf("%s: got %v", name, out[0])
			}
		}
	})
}

// Every slice ends where memory does: a kernel that reads or writes past it
// stops the test.
func TestByteKernelsStayWithinTheirSlices(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 27)
		for _, k := range []int{32, 64, 128, 160} {
			for rows := 1; rows <= 14; rows++ {
				x, turned := guarded[float32](t, k), guarded[float32](t, k)
				var a ByteRows
				a.Resize(rows, k)
				// The last row ends the memory; what follows a row is padding.
				a.bytes = guarded[int8](t, (rows-1)*a.stride+k)
				for i := range rows {
					copy(x, normals(r, k))
					a.Quantize(i, x, nil, turned)
				}
				var b BytePanels
				b.PackColumns(normals(r, 33*k), k, k, 33)
				data := guarded[byte](t, len(b.data))
				copy(data, b.data)
				b.data = data
				out := guarded[float32](t, rows*64)
				b.Multiply(out, 64, &a, 0, rows, 0, 2)
			}
		}
	})
}

func TestByteKernelsAllocateNothing(t *testing.T) {
	x, turned, out := make([]float32, 128), make([]float32, 128), make([]float32, 32)
	var a ByteRows
	var b BytePanels
	a.Resize(1, 128)
	b.PackColumns(make([]float32, 128*32), 128, 128, 32)
	if n := testing.AllocsPerRun(10, func() {
		a.Quantize(0, x, nil, turned)
		b.Multiply(out, 32, &a, 0, 1, 0, 1)
		b.MultiplyAdd(out, 32, &a, 0, 1, 0, 1)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestByteKernelsRefuseWhatDoesNotFit(t *testing.T) {
	var b BytePanels
	b.PackColumns(make([]float32, 64*3), 64, 64, 3)
	var a ByteRows
	a.Resize(2, 64)
	for name, call := range map[string]func(){
		"rows of 33":        func() { new(ByteRows).Resize(1, 33) },
		"a short row":       func() { a.Quantize(0, make([]float32, 63), nil, make([]float32, 64)) },
		"row 2 of 2":        func() { a.Quantize(2, make([]float32, 64), nil, make([]float32, 64)) },
		"columns of 40":     func() { new(BytePanels).PackColumns(make([]float32, 40), 40, 40, 1) },
		"columns cut short": func() { new(BytePanels).PackColumns(make([]float32, 63), 64, 64, 1) },
		"a short bias":      func() { b.SetBias(make([]float32, 2)) },
		"a panel too many":  func() { b.Multiply(make([]float32, 64), 32, &a, 0, 2, 0, 2) },
		"a row too many":    func() { b.Multiply(make([]float32, 96), 32, &a, 0, 3, 0, 1) },
		"short results":     func() { b.Multiply(make([]float32, 63), 32, &a, 0, 2, 0, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

func BenchmarkByteProduct(b *testing.B) {
	r := newRand(b, 28)
	for _, s := range []struct{ k, n int }{{384, 1152}, {384, 384}, {384, 1536}, {1536, 384}} {
		const rows = 96
		var m BytePanels
		m.PackColumns(normals(r, s.k*s.n), s.k, s.k, s.n)
		var a ByteRows
		a.Resize(rows, s.k)
		x, turned := normals(r, rows*s.k), make([]float32, s.k)
		stride := Stride(s.n)
		out := make([]float32, rows*stride)
		b.Run(fmt.Sprintf("%dx%d", s.k, s.n), func(b *testing.B) {
			benchEachLevel(b, func(b *testing.B) {
				for b.Loop() {
					for i := range rows {
						a.Quantize(i, x[i*s.k:][:s.k], nil, turned)
					}
					m.Multiply(out, stride, &a, 0, rows, 0, m.Count())
				}
				b.ReportMetric(float64(rows*s.k*s.n*b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
			})
		})
		b.Run(fmt.Sprintf("quantize%d", s.k), func(b *testing.B) {
			benchEachLevel(b, func(b *testing.B) {
				for b.Loop() {
					for i := range rows {
						a.Quantize(i, x[i*s.k:][:s.k], nil, turned)
					}
				}
			})
		})
	}
}
