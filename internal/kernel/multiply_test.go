package kernel

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// halves are where a format's blocks have half-precision numbers.
var halves = map[Format][]int{
	F16: {0}, Q8_0: {0}, Q4_0: {0}, Q4_1: {0, 2}, Q5_0: {0}, Q5_1: {0, 2}, Q2_K: {80, 82}, Q3_K: {108},
	Q4_K: {0, 2}, Q5_K: {0, 2}, Q6_K: {208}, IQ4_NL: {0}, IQ4_XS: {0},
}

// randomWeights makes rows×cols weights as a GGUF file holds them: any bytes,
// with sensible scales.
func randomWeights(r *rand.Rand, f Format, rows, cols int) []byte {
	l := f.layout()
	src := make([]byte, 0, rows*cols/l.values*l.bytes)
	for range rows * cols / l.values {
		at := len(src)
		switch f {
		case F32:
			src = binary.LittleEndian.AppendUint32(src, math.Float32bits(float32(r.NormFloat64())))
		case BF16:
			src = binary.LittleEndian.AppendUint16(src, uint16(math.Float32bits(float32(r.NormFloat64()))>>16))
		default:
			for range l.bytes {
				src = append(src, byte(r.Uint32()))
			}
		}
		for _, half := range halves[f] {
			binary.LittleEndian.PutUint16(src[at+half:], ToFloat16(float32(r.NormFloat64())/64))
		}
	}
	return src
}

// rowsOf returns a matrix's weights.
func rowsOf(m *Matrix) []float64 {
	out := make([]float64, 0, m.Rows()*m.Cols())
	row := make([]float32, m.Cols())
	for i := range m.Rows() {
		m.Row(i, row)
		for _, v := range row {
			out = append(out, float64(v))
		}
	}
	return out
}

// The rows of a matrix are what ggml's own Python package reads in its blocks:
// the golden file is internal/gguf's.
func TestMatrixRowsAreTheFilesNumbers(t *testing.T) {
	raw, err := os.ReadFile("../gguf/testdata/blocks.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Type   string
		Blocks []byte
		Values []byte
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != len(Formats()) {
		t.Fatalf("the golden file has %d formats, there are %d", len(cases), len(Formats()))
	}
	for _, c := range cases {
		f, ok := ParseFormat(c.Type)
		if !ok {
			t.Errorf("no format is called %s", c.Type)
			continue
		}
		// A block a row; more rows than a group has.
		l := f.layout()
		blocks, rows := len(c.Blocks)/l.bytes, 19
		var src []byte
		for i := range rows {
			src = append(src, c.Blocks[i%blocks*l.bytes:][:l.bytes]...)
		}
		m := NewMatrix(nil, f, src, rows, l.values)
		if size, err := Size(f, rows, l.values); err != nil || size != m.Bytes() {
			t.Errorf("%v: Size is %d, %v; the matrix takes %d", f, size, err, m.Bytes())
		}
		byRow := NewMatrixRows(nil, f, rows, l.values, func(i int, dst []byte) { copy(dst, src[i*l.bytes:]) })
		if !bytes.Equal(m.data, byRow.data) {
			t.Errorf("%v: given row by row the matrix is another", f)
		}
		got := make([]float32, l.values)
		for i := range rows {
			m.Row(i, got)
			for j, g := range got {
				want := math.Float32frombits(binary.LittleEndian.Uint32(c.Values[4*(i%blocks*l.values+j):]))
				if g != want {
					t.Fatalf("%v: row %d column %d is %v, want %v", f, i, j, g, want)
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

// activations makes rows of random numbers, quantised where cols allow, every
// other time coarsely.
func activations(r *rand.Rand, rows, cols int) *Activations {
	a := &Activations{Coarse: r.IntN(2) == 1}
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
		if f.layout().quantised() {
			b := &a.blocks[t*(a.cols/BlockLen)+c/BlockLen]
			x = float64(b.scale) * float64(b.quant(c%BlockLen))
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
		for _, f := range Formats() {
			for _, cols := range []int{1, 31, 32, 64, 160, 256, 512} {
				if _, ok := f.RowBytes(cols); !ok {
					continue
				}
				for _, rows := range []int{1, 16, 35} {
					m := NewMatrix(nil, f, randomWeights(r, f, rows, cols), rows, cols)
					weights := rowsOf(m)
					a := activations(r, 1+r.IntN(20), cols)
					got := multiplied(p, m, a)
					for i := range got {
						want, magnitude := exact(f, weights[i%rows*cols:(i%rows+1)*cols], a, i/rows)
						// A minimum times a sum may be far larger than the terms
						// it is the sum of.
						bound := float64(cols+4) * unit * magnitude
						if f.layout().min {
							bound *= 64
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
	for i, f := range append(Formats(), Formats()...) {
		const rows, tokens = 83, 23
		cols := max(192, f.layout().values)
		m := NewMatrix(nil, f, randomWeights(r, f, rows, cols), rows, cols)
		a := activations(r, tokens, cols)
		a.Coarse = i >= len(Formats())
		for i := range tokens {
			if m.Quantized() {
				a.Quantize(i)
			}
		}
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
					alone := &Activations{Coarse: a.Coarse}
					alone.Resize(1, cols)
					copy(alone.Row(0), a.Row(i))
					if m.Quantized() {
						alone.Quantize(0)
					}
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

// A product of some rows is that part of the product of all.
func TestProductsOfSomeRows(t *testing.T) {
	r := newRand(t, 7)
	p := NewPool(2)
	defer p.Close()
	const rows, cols, tokens = 35, 64, 11
	m, other := NewMatrix(nil, Q4_1, randomWeights(r, Q4_1, rows, cols), rows, cols), NewMatrix(nil, Q8_0, randomWeights(r, Q8_0, rows, cols), rows, cols)
	a := activations(r, tokens, cols)
	all, others := multiplied(p, m, a), multiplied(p, other, a)
	first, second := make([]float32, 3*rows), make([]float32, 7*rows)
	Multiply(p, a, Product{Matrix: m, Out: first, First: 1, Rows: 3}, Product{Matrix: other, Out: second, First: 4})
	equalBits(t, "rows 1 to 4", first, all[rows:4*rows])
	equalBits(t, "rows from 4", second, others[4*rows:])
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
		for _, f := range Formats() {
			for _, bad := range []float32{nan, inf, -inf} {
				const rows, cols, tokens = 20, 256, 5
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
		for _, f := range Formats() {
			for _, cols := range []int{1, 32, 96, 256} {
				if _, ok := f.RowBytes(cols); !ok {
					continue
				}
				for _, n := range []int{1, 2, 4, 8} {
					const groups = 2
					m := NewMatrix(nil, f, randomWeights(r, f, groups*groupRows, cols), groups*groupRows, cols)
					weights := guarded[byte](t, len(m.data))
					copy(weights, m.data)
					out := guarded[float32](t, n*groups*groupRows)
					a := activations(r, n, cols)
					if m.Quantized() {
						blocks := guarded[block](t, len(a.blocks))
						copy(blocks, a.blocks)
						quantTile(f, weights, blocks, n, a.Coarse, out, groups, groups*groupRows)
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
		"rows beyond":    func() { Multiply(p, a, Product{Matrix: m, Out: make([]float32, 9), First: 1, Rows: 2}) },
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
		fm := Format(int(format) % len(layouts))
		n, cols := int(rows%70)+1, (int(blocks%6)+1)*max(BlockLen, fm.layout().values)
		// Any bit pattern is a weight, scales that are not finite among them.
		stride, _ := fm.RowBytes(cols)
		src := make([]byte, n*stride)
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
	const rows, cols = 1536, 512
	for _, f := range Formats() {
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
