package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// atEachLevel runs a test once at every level this CPU has, under the level's
// name.
func atEachLevel(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for _, l := range Levels() {
		t.Run(l.String(), func(t *testing.T) {
			defer Use(l)()
			test(t)
		})
	}
}

// benchEachLevel is atEachLevel for benchmarks.
func benchEachLevel(b *testing.B, bench func(b *testing.B)) {
	b.Helper()
	for _, l := range Levels() {
		b.Run(l.String(), func(b *testing.B) {
			defer Use(l)()
			bench(b)
		})
	}
}

// newRand returns the generator tests draw from; the seed is in the log of a
// failed test.
func newRand(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// normals returns n normally distributed numbers.
func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// sameBits says whether two results are the same number, NaN being one.
func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// unit is half a unit in the last place of 1: the error of one rounding.
const unit = 1.0 / (1 << 24)

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)
