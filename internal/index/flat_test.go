package index_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/kernel"
)

func randomSlab(seed uint64, n int) []float32 {
	random := rand.New(rand.NewPCG(seed, 0))
	slab := make([]float32, n)
	for i := range slab {
		slab[i] = float32(random.NormFloat64())
	}
	return slab
}

// sorted scores every row and sorts them all.
func sorted(f *index.Flat, query []float32) []index.Hit {
	hits := make([]index.Hit, f.Len())
	for row := range hits {
		hits[row] = index.Hit{Row: row, Score: kernel.Dot(query, f.Vector(row))}
	}
	slices.SortStableFunc(hits, func(a, b index.Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return hits
}

func TestFlatIsExact(t *testing.T) {
	for _, dimensions := range []int{1, 7, 384} {
		for _, rows := range []int{1, 255, 256, 257, 9000} {
			f := index.NewFlat(dimensions, randomSlab(uint64(rows), rows*dimensions))
			query := randomSlab(99, dimensions)
			want := sorted(f, query)
			for _, k := range []int{1, 10, rows, rows + 5} {
				got := f.Search(query, k)
				if diff := cmp.Diff(want[:min(k, rows)], got); diff != "" {
					t.Fatalf("%d rows of %d, k %d (-want +got):\n%s", rows, dimensions, k, diff)
				}
			}
		}
	}
}

func TestFlatDoesNotDependOnProcessors(t *testing.T) {
	slab := randomSlab(5, 30_000*128)
	copy(slab[20_000*128:], slab[:10_000*128]) // ties, far apart
	f, query := index.NewFlat(128, slab), randomSlab(6, 128)
	want := sorted(f, query)[:50]
	for _, n := range []int{1, 2, 3, 8} {
		before := runtime.GOMAXPROCS(n)
		got := f.Search(query, 50)
		runtime.GOMAXPROCS(before)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d processors (-want +got):\n%s", n, diff)
		}
	}
}

func TestNotANumberComesLast(t *testing.T) {
	nan := float32(math.NaN())
	f := index.NewFlat(2, []float32{nan, 0, -1, 0, 1, 0})
	got := f.Search([]float32{1, 0}, 3)
	if got[0].Row != 2 || got[1].Row != 1 || got[2].Row != 0 {
		t.Errorf("got %v, want rows 2, 1, 0", got)
	}
	if got := f.Scores([]float32{1, 0}, []int{2, 0}); got[0] != 1 || !math.IsInf(float64(got[1]), -1) {
		t.Errorf("Scores = %v, want 1 and -Inf", got)
	}
}

func TestEmptyAndMisused(t *testing.T) {
	if got := index.NewFlat(3, nil).Search([]float32{1, 2, 3}, 4); got != nil {
		t.Errorf("an empty index found %v", got)
	}
	for name, misuse := range map[string]func(){
		"half a vector":   func() { index.NewFlat(2, make([]float32, 3)) },
		"no dimensions":   func() { index.NewFlat(0, nil) },
		"a short query":   func() { index.NewFlat(2, make([]float32, 4)).Search([]float32{1}, 1) },
		"a long question": func() { index.NewFlat(2, make([]float32, 4)).Scores(make([]float32, 3), []int{0}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse()
		}()
	}
}

func BenchmarkFlat(b *testing.B) {
	f, query := index.NewFlat(384, randomSlab(1, 20_000*384)), randomSlab(2, 384)
	b.SetBytes(20_000 * 384 * 4)
	for b.Loop() {
		f.Search(query, 10)
	}
}
