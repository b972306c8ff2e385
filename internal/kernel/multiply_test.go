package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

var formats = []Format{F32, F16, Q8_0, Q4_0, Q4_1}

// randomWeights makes rows×cols weights as a GGUF file holds them.
func randomWeights(r *rand.Rand, f Format, rows, cols int) []byte {
	src := make([]byte, 0, rows*f.source(cols))
	if f == F32 {
		for range rows * cols {
			src = binary.LittleEndian.AppendUint32(src, math.Float32bits(float32(r.NormFloat64())))
		}
		return src
	}
	if f == F16 {
		for range rows * cols {
			src = binary.LittleEndian.AppendUint16(src, ToFloat16(float32(r.NormFloat64())))
		}
		return src
	}
	for range rows * cols / BlockLen {
		src = binary.LittleEndian.AppendUint16(src, ToFloat16(float32(r.NormFloat64())/64))
		if f == Q4_1 {
			src = binary.LittleEndian.AppendUint16(src, ToFloat16(float32(r.NormFloat64())/8))
		}
		for range map[Format]int{Q8_0: 32, Q4_0: 16, Q4_1: 16}[f] {
			src = append(src, byte(r.Uint32()))
		}
	}
	return src
}

// decoded is what src means, straight from the format's definition.
func decoded(f Format, src []byte, n int) []float64 {
	out := make([]float64, 0, n)
	for len(src) > 0 {
		switch f {
		case F32:
			out, src = append(out, float64(math.Float32frombits(binary.LittleEndian.Uint32(src)))), src[4:]
		case F16:
			out, src = append(out, float64(half(src))), src[2:]
		case Q8_0:
			for _, q := range src[2:34] {
				out = append(out, float64(half(src))*float64(int8(q)))
			}
			src = src[34:]
		case Q4_0:
			for c := range 32 {
				out = append(out, float64(half(src))*(nibbleOf(src[2:18], c)-8))
			}
			src = src[18:]
		case Q4_1:
			for c := range 32 {
				out = append(out, float64(half(src))*nibbleOf(src[4:20], c)+float64(half(src[2:])))
			}
			src = src[20:]
		}
	}
	return out
}

// nibbleOf is number c of a 4-bit block: low halves first.
func nibbleOf(b []byte, c int) float64 {
	if c < 16 {
		return float64(b[c] & 15)
	}
	return float64(b[c-16] >> 4)
}

func TestMatrixRowsAreTheFilesNumbers(t *testing.T) {
	r := newRand(t, 1)
	for _, f := range formats {
		for _, rows := range []int{1, 15, 16, 17, 40} {
			const cols = 96
			src := randomWeights(r, f, rows, cols)
			m := NewMatrix(nil, f, src, rows, cols)
			if size, err := Size(f, rows, cols); err != nil || size != m.Bytes() {
				t.Errorf("%v, %d rows: Size is %d, %v; the matrix takes %d", f, rows, size, err, m.Bytes())
			}
			want := decoded(f, src, rows*cols)
			got := make([]float32, cols)
			for i := range rows {
				m.Row(i, got)
				for c, v := range got {
					if v != float32(want[i*cols+c]) {
						t.Fatalf("%v, %d rows: row %d column %d is %v, want %v", f, rows, i, c, v, want[i*cols+c])
					}
				}
			}
		}
	}
}

// multiplied returns a product's outputs, row by row.
func multiplied(p *Pool, m *Matrix, a *Activations) []float32 {
	out := make([]float32, a.Rows()*m.Rows())
	Multiply(p, a, Product{Matrix: m, Out: out})
	return out
}

// activations makes rows of random numbers, quantised where cols allow.
func activations(r *rand.Rand, rows, cols int) *Activations {
	a := new(Activations)
	a.Resize(rows, cols)
	copy(a.All(), normals(r, rows*cols))
	if cols%BlockLen == 0 {
		for i := range rows {
			a.Quantize(i)
		}
	}
	return a
}

// exact is the product in double precision of what the kernels are given: the
// weights, and the activations as quantised if the format says so. magnitude is
// the sum of the terms' magnitudes.
func exact(f Format, weights []float64, a *Activations, t int) (sum, magnitude float64) {
	for c, w := range weights {
		x := float64(a.Row(t)[c])
		if f.quantised() {
			b := &a.blocks[t*(a.cols/BlockLen)+c/BlockLen]
			x = float64(b.scale) * float64(b.q[c%BlockLen])
		}
		sum += w * x
		magnitude += math.Abs(w * x)
	}
	return sum, magnitude
}

func TestQuantisedProductsAreWithinTheirBound(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 2)
		for _, f := range formats {
			for _, cols := range []int{1, 31, 32, 64, 160, 576} {
				if f.quantised() && cols%BlockLen != 0 {
					continue
				}
				for _, rows := range []int{1, 16, 35} {
					src := randomWeights(r, f, rows, cols)
					m, weights := NewMatrix(nil, f, src, rows, cols), decoded(f, src, rows*cols)
					a := activations(r, 1+r.IntN(20), cols)
					got := multiplied(p, m, a)
					for i := range got {
						want, magnitude := exact(f, weights[i%rows*cols:(i%rows+1)*cols], a, i/rows)
						// A minimum times a sum may be far larger than the terms
						// it is the sum of.
						bound := float64(cols+4) * unit * magnitude
						if f == Q4_1 {
							bound *= 16
						}
						if math.Abs(float64(got[i])-want) > bound {
							t.Fatalf("%v %d×%d, output %d of row %d: %v, want %v ± %v", f, rows, cols, i%rows, i/rows, got[i], want, bound)
						}
					}
				}
			}
		}
	})
}

// A product has one value, at every level, whatever is multiplied beside it, in
// however many pieces and threads.
func TestProductsAreInvariant(t *testing.T) {
	r := newRand(t, 3)
	for _, f := range formats {
		const rows, cols, tokens = 83, 192, 23
		m := NewMatrix(nil, f, randomWeights(r, f, rows, cols), rows, cols)
		a := activations(r, tokens, cols)
		var plain []float32
		atEachLevel(t, func(t *testing.T) {
			var first []float32
			for threads := 1; threads <= 3; threads++ {
				p := NewPool(threads)
				defer p.Close()
				got := multiplied(p, m, a)
				if first == nil {
					first = got
				}
				equalBits(t, fmt.Sprintf("%v on %d threads", f, threads), got, first)
				for i := range tokens {
					alone := new(Activations)
					alone.Resize(1, cols)
					copy(alone.Row(0), a.Row(i))
					alone.Quantize(0)
					equalBits(t, fmt.Sprintf("%v, row %d alone", f, i), multiplied(p, m, alone), first[i*rows:(i+1)*rows])
				}
			}
			if plain == nil {
				plain = first
			}
			equalBits(t, f.String()+" against the plain level", first, plain)
		})
	}
}

func equalBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if !sameBits(got[i], want[i]) {
			t.Fatalf("%s: number %d is %v (%08x), want %v (%08x)", what, i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// A NaN or an infinity in a row spoils that row's outputs and no other's.
func TestMultiplyKeepsNotFiniteNumbers(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 4)
		for _, f := range formats {
			for _, bad := range []float32{nan, inf, -inf} {
				const rows, cols, tokens = 20, 64, 5
				m := NewMatrix(nil, f, randomWeights(r, f, rows, cols), rows, cols)
				a := activations(r, tokens, cols)
				a.Row(2)[37] = bad
				a.Quantize(2)
				for i, v := range multiplied(p, m, a) {
					finite := v-v == 0
					if finite == (i/rows == 2) {
						t.Errorf("%v, %v in row 2: output %d of row %d is %v", f, bad, i%rows, i/rows, v)
					}
				}
			}
		}
	})
}

// Weights, activations and outputs end at a page no one may touch.
func TestMultiplyStaysInBounds(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 5)
		for _, f := range formats {
			for _, cols := range []int{32, 96} {
				for _, n := range []int{1, 2, 4, 8} {
					const groups = 2
					m := NewMatrix(nil, f, randomWeights(r, f, groups*groupRows, cols), groups*groupRows, cols)
					weights := guarded[byte](t, len(m.data))
					copy(weights, m.data)
					out := guarded[float32](t, n*groups*groupRows)
					a := activations(r, n, cols)
					if f.quantised() {
						blocks := guarded[block](t, len(a.blocks))
						copy(blocks, a.blocks)
						quantTile(f, weights, blocks, n, out, groups, groups*groupRows)
						continue
					}
					x := guarded[float32](t, len(a.x))
					copy(x, a.x)
					floatTile(f, weights, x, n, out, groups, groups*groupRows)
				}
			}
		}
	})
}

func TestMultiplyRefusesWhatDoesNotFit(t *testing.T) {
	p := NewPool(1)
	m := NewMatrix(nil, F32, make([]byte, 4*6), 2, 3)
	a := new(Activations)
	a.Resize(2, 3)
	for name, call := range map[string]func(){
		"short output":   func() { Multiply(p, a, Product{Matrix: m, Out: make([]float32, 3)}) },
		"narrow stride":  func() { Multiply(p, a, Product{Matrix: m, Out: make([]float32, 9), Stride: 1}) },
		"other columns":  func() { a.Resize(2, 4); Multiply(p, a, Product{Matrix: m, Out: make([]float32, 4)}) },
		"short weights":  func() { NewMatrix(nil, F32, make([]byte, 4), 2, 3) },
		"partial blocks": func() { NewMatrix(nil, Q8_0, make([]byte, 34), 1, 33) },
		"row beyond":     func() { m.Row(2, make([]float32, 3)) },
	} {
		panics(t, name, call)
	}
}

// panics checks that a call panics.
func panics(t *testing.T, name string, call func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", name)
		}
	}()
	call()
}

func FuzzQuantisedLevelsAgree(f *testing.F) {
	f.Add(uint64(1), uint8(1), uint8(1), uint8(0))
	f.Add(uint64(2), uint8(33), uint8(3), uint8(2))
	f.Fuzz(func(t *testing.T, seed uint64, rows, blocks, format uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		fm := formats[format%5]
		n, cols := int(rows%70)+1, (int(blocks%6)+1)*BlockLen
		// Any bit pattern is a weight, scales that are not finite among them.
		src := make([]byte, n*fm.source(cols))
		for i := range src {
			src[i] = byte(r.Uint32())
		}
		m, a := NewMatrix(nil, fm, src, n, cols), activations(r, 1+r.IntN(9), cols)
		p := NewPool(1)
		var want []float32
		for _, l := range Levels() {
			restore := Use(l)
			got := multiplied(p, m, a)
			restore()
			if want == nil {
				want = got
			}
			equalBits(t, fm.String()+" at "+l.String(), got, want)
		}
	})
}

func BenchmarkProducts(b *testing.B) {
	r := newRand(b, 6)
	p := NewPool(1)
	const rows, cols = 1536, 576
	for _, f := range formats {
		m := NewMatrix(nil, f, randomWeights(r, f, rows, cols), rows, cols)
		for _, tokens := range []int{1, 64} {
			a := activations(r, tokens, cols)
			out := make([]float32, tokens*rows)
			b.Run(fmt.Sprintf("%v/tokens=%d", f, tokens), func(b *testing.B) {
				benchEachLevel(b, func(b *testing.B) {
					for b.Loop() {
						Multiply(p, a, Product{Matrix: m, Out: out})
					}
					b.ReportMetric(float64(rows*cols*tokens)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
				})
			})
		}
	}
}
