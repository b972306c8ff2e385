package quant_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

func normals(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// codecs returns one of every kind, and the squared error that its decoding may have, relative to
// the vectors' variance.
func codecs(t testing.TB, d int, slab []float32) map[quant.Codec]float64 {
	scalar, product, rabitq := must[*quant.Scalar](t), must[*quant.Product](t), must[*quant.RaBitQ](t)
	all := map[quant.Codec]float64{
		quant.NewF32(d):                                    0,
		quant.NewF16(d):                                    1e-6,
		quant.NewInt8(d):                                   1e-3,
		scalar(quant.TrainScalar(8, d, slab)):              1e-3,
		scalar(quant.TrainScalar(4, d, slab)):              3e-2,
		product(quant.TrainProduct(d/2, 8, d, slab, 1, 1)): 0.05,
		product(quant.TrainProduct(d/2, 4, d, slab, 1, 1)): 0.25,
	}
	// One bit leaves 1 − 2/π = 0.36 of the residual's variance, which is twice the vector's here.
	for bits, most := range []float64{1: 0.6, 2: 0.16, 3: 0.05, 4: 0.016, 6: 0.002, 8: 0.0002} {
		if most > 0 {
			all[rabitq(quant.NewRaBitQ(d, bits, slab[:d], 9))] = most
		}
	}
	return all
}

func TestCodecsDecodeWhatTheyEncode(t *testing.T) {
	const d, rows = 40, 2000
	slab := normals(1, d*rows)
	for c, most := range codecs(t, d, slab) {
		codes := quant.EncodeAll(c, slab)
		if len(codes) != rows*c.CodeSize() || c.Dimensions() != d {
			t.Errorf("%s: %d bytes, %d dimensions", c.Name(), len(codes), c.Dimensions())
		}
		lost, size, x := 0.0, 0.0, make([]float32, d)
		for i := range rows {
			c.Decode(codes[i*c.CodeSize():(i+1)*c.CodeSize()], x)
			lost += float64(kernel.L2(x, slab[i*d:(i+1)*d]))
			size += float64(kernel.Dot(slab[i*d:(i+1)*d], slab[i*d:(i+1)*d]))
		}
		if got := lost / size; got > most {
			t.Errorf("%s: decoding loses %.4g of the variance, want at most %.4g", c.Name(), got, most)
		} else if most > 0 && got < most/40 {
			t.Errorf("%s: decoding loses only %.4g: the bound %.4g is no test", c.Name(), got, most)
		}
	}
}

// TestScorersEstimate compares estimates with the truth: their errors must be what
// decoding loses, and have no bias.
func TestScorersEstimate(t *testing.T) {
	const d, rows = 40, 2000
	slab := normals(2, d*rows)
	query := normals(3, d)
	for c, lost := range codecs(t, d, slab) {
		codes := quant.EncodeAll(c, slab)
		for by, exact := range map[quant.Similarity]func(a, b []float32) float32{
			quant.ByDot: kernel.Dot,
			quant.ByL2:  func(a, b []float32) float32 { return -kernel.L2(a, b) },
		} {
			scores := make([]float32, rows)
			c.Scorer(query, by).Score(codes, scores)
			sum, squares := 0.0, 0.0
			for i, got := range scores {
				e := float64(got - exact(query, slab[i*d:(i+1)*d]))
				sum, squares = sum+e, squares+e*e
			}
			// An error in x of variance lost a dimension moves ⟨q, x⟩ by |q|²·lost; L2 twice as far.
			deviation := 3 * math.Sqrt(lost) * math.Sqrt(float64(kernel.Dot(query, query)))
			if by == quant.ByL2 {
				deviation *= 2
			}
			if got := math.Sqrt(squares / rows); got > deviation+1e-3 {
				t.Errorf("%s, similarity %d: errors of %.3g, want at most %.3g", c.Name(), by, got, deviation)
			}
		}
	}
}

func TestZeroAndConstantVectors(t *testing.T) {
	const d = 32
	for _, value := range []float32{0, 3} {
		slab := make([]float32, d*300)
		for i := range slab {
			slab[i] = value
		}
		for c := range codecs(t, d, slab) {
			code, x := make([]byte, c.CodeSize()), make([]float32, d)
			c.Encode(slab[:d], code)
			c.Decode(code, x)
			scores := make([]float32, 1)
			c.Scorer(slab[:d], quant.ByL2).Score(code, scores)
			if kernel.L2(x, slab[:d]) > 1e-3 || math.Abs(float64(scores[0])) > 1e-3 {
				t.Errorf("%s: %v became %v, at distance %v", c.Name(), value, x[0], scores[0])
			}
		}
	}
}

func TestByteTables(t *testing.T) {
	const d, parts, rows = 32, 16, 300
	slab := normals(4, d*rows)
	c := must[*quant.Product](t)(quant.TrainProduct(parts, 4, d, slab, 1, 1))
	query := normals(5, d)
	for _, by := range []quant.Similarity{quant.ByDot, quant.ByL2} {
		tables := make([]byte, parts*kernel.TableSize)
		step, low := c.ByteTables(query, by, tables)
		codes, scores, numbers := quant.EncodeAll(c, slab), make([]float32, rows), make([]byte, parts)
		c.Scorer(query, by).Score(codes, scores)
		for i := range rows {
			c.Numbers(slab[i*d:(i+1)*d], numbers)
			sum := 0
			for p, n := range numbers {
				sum += int(tables[p*kernel.TableSize+int(n)])
			}
			if got := -(step*float32(sum) + low); math.Abs(float64(got-scores[i])) > float64(step)*parts/2 {
				t.Fatalf("similarity %d, row %d: %v by bytes, %v by floats, step %v", by, i, got, scores[i], step)
			}
		}
	}
}

func TestRotationKeepsDistancesAndInverts(t *testing.T) {
	for _, d := range []int{1, 32, 33, 100, 384, 768, 1000} {
		r := quant.NewRotation(d, 7)
		x := make([]float32, r.Dimensions())
		copy(x, normals(6, d))
		before := append([]float32(nil), x...)
		r.Apply(x)
		if got, want := kernel.Dot(x, x), kernel.Dot(before, before); math.Abs(float64(got/want-1)) > 1e-5 {
			t.Errorf("%d dimensions: the squared norm went from %v to %v", d, want, got)
		}
		r.Invert(x)
		if got := kernel.L2(x, before); got > 1e-8*float32(d) {
			t.Errorf("%d dimensions: rotated and back, it is %v away", d, got)
		}
	}
}

func TestKMeansDoesNotDependOnThreads(t *testing.T) {
	const d, rows, k = 8, 3000, 20
	slab := normals(8, d*rows)
	want := quant.KMeans(d, slab, k, 5, 1, 1)
	got := quant.KMeans(d, slab, k, 5, 1, 3)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("number %d: %v with three threads, %v with one", i, got[i], want[i])
		}
	}
	nearest := make([]uint32, rows)
	quant.Assign(d, slab, want, nearest, 2)
	for i, c := range nearest {
		x := slab[i*d : (i+1)*d]
		chosen := kernel.L2(x, want[int(c)*d:(int(c)+1)*d])
		for other := range k {
			if kernel.L2(x, want[other*d:(other+1)*d]) < chosen-1e-4 {
				t.Fatalf("vector %d went to centroid %d, and %d is nearer", i, c, other)
			}
		}
	}
	if got := quant.KMeans(2, []float32{1, 2}, 3, 5, 1, 1); got[0] != 1 || got[5] != 2 {
		t.Errorf("three centroids of one vector: %v", got)
	}
}

func TestMisshapenCodecs(t *testing.T) {
	for what, err := range map[string]error{
		"parts that do not divide": second(quant.TrainProduct(3, 8, 10, nil, 1, 1)),
		"six bits":                 second(quant.NewProduct(4, 2, 6, nil)),
		"too few centroids":        second(quant.NewProduct(4, 2, 4, make([]float32, 63))),
		"centroids without number": second(quant.NewProduct(1, 1, 4, append(make([]float32, 15), float32(math.NaN())))),
		"no dimensions":            second(quant.NewScalar(8, nil, nil)),
		"a falling range":          second(quant.NewScalar(4, []float32{0}, []float32{-1})),
		"nine bits":                second(quant.NewRaBitQ(4, 9, nil, 1)),
		"a centre elsewhere":       second(quant.NewRaBitQ(4, 1, make([]float32, 3), 1)),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }
