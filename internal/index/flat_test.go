package index_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/index"
)

func TestFlatIsExact(t *testing.T) {
	for _, m := range floatMetrics {
		for _, dimensions := range []int{1, 7, 384} {
			for _, rows := range []int{1, 255, 257, 3000} {
				slab, query := randomSlab(uint64(rows), rows*dimensions), randomSlab(99, dimensions)
				f := index.NewFlat(m, dimensions, slab)
				for _, keep := range []float64{1, 0.3, 0} {
					var filter *index.Filter
					if keep < 1 {
						filter = someRows(5, rows, keep)
					}
					all := reference(m, dimensions, slab, query, filter)
					for _, k := range []int{0, 1, 10, 200, rows + 5} {
						what := fmt.Sprintf("%v, %d rows of %d, k %d, %v kept", m, rows, dimensions, k, keep)
						got, stats := f.Search(query, k, index.Params{Filter: filter})
						checkExact(t, what, m, got, all, k)
						if k > 0 && stats.Visited != len(all) {
							t.Errorf("%s: visited %d, want %d", what, stats.Visited, len(all))
						}
					}
				}
			}
		}
	}
}

func TestFlatBatchFindsWhatSearchFinds(t *testing.T) {
	const rows, dimensions, k = 2000, 40, 7
	slab := randomSlab(1, rows*dimensions)
	for _, m := range floatMetrics {
		f := index.NewFlat(m, dimensions, slab)
		for _, count := range []int{0, 1, 3, 32, 33, 100} {
			queries := randomSlab(2, count*dimensions)
			found := f.SearchBatch(queries, k, index.Params{})
			if len(found) != count {
				t.Fatalf("%v: %d answers to %d queries", m, len(found), count)
			}
			for i, got := range found {
				query := queries[i*dimensions : (i+1)*dimensions]
				checkExact(t, fmt.Sprintf("%v, query %d of %d", m, i, count), m, got, reference(m, dimensions, slab, query, nil), k)
			}
		}
	}
}

func TestFlatRange(t *testing.T) {
	const rows, dimensions = 500, 9
	slab, query := randomSlab(3, rows*dimensions), randomSlab(4, dimensions)
	for _, m := range floatMetrics {
		f := index.NewFlat(m, dimensions, slab)
		all, _ := f.Search(query, rows, index.Params{})
		for _, n := range []int{1, 17, rows} {
			got, _ := f.Range(query, all[n-1].Score, index.Params{})
			if diff := cmp.Diff(all[:n], got); diff != "" {
				t.Errorf("%v, the score of hit %d (-want +got):\n%s", m, n, diff)
			}
		}
		got, _ := f.Range(query, all[9].Score, index.Params{Filter: index.FilterOf(all[3].Row, all[20].Row)})
		if diff := cmp.Diff(all[3:4], got); diff != "" {
			t.Errorf("%v, filtered (-want +got):\n%s", m, diff)
		}
	}
}

func TestFlatDoesNotDependOnProcessors(t *testing.T) {
	slab := randomSlab(5, 30_000*128)
	copy(slab[20_000*128:], slab[:10_000*128]) // ties, far apart
	f, query := index.NewFlat(index.Dot, 128, slab), randomSlab(6, 128)
	restore := runtime.GOMAXPROCS(1)
	want, _ := f.Search(query, 50, index.Params{})
	for _, n := range []int{2, 3, 8} {
		runtime.GOMAXPROCS(n)
		got, _ := f.Search(query, 50, index.Params{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d processors (-want +got):\n%s", n, diff)
		}
	}
	runtime.GOMAXPROCS(restore)
}

func TestNotANumberComesLast(t *testing.T) {
	nan := float32(math.NaN())
	f := index.NewFlat(index.Dot, 2, []float32{nan, 0, -1, 0, 1, 0})
	got, _ := f.Search([]float32{1, 0}, 3, index.Params{})
	if got[0].Row != 2 || got[1].Row != 1 || got[2].Row != 0 {
		t.Errorf("got %v, want rows 2, 1, 0", got)
	}
	if got := f.Scores([]float32{1, 0}, []int{2, 0}); got[0] != 1 || !math.IsInf(float64(got[1]), -1) {
		t.Errorf("Scores = %v, want 1 and -Inf", got)
	}
}

func TestEmptyAndMisused(t *testing.T) {
	if got, _ := index.NewFlat(index.L2, 3, nil).Search([]float32{1, 2, 3}, 4, index.Params{}); got != nil {
		t.Errorf("an empty index found %v", got)
	}
	for name, misuse := range map[string]func(){
		"half a vector":   func() { index.NewFlat(index.Dot, 2, make([]float32, 3)) },
		"no dimensions":   func() { index.NewFlat(index.Dot, 0, nil) },
		"a binary metric": func() { index.NewFlat(index.Hamming, 1, nil) },
		"a short query": func() {
			index.NewFlat(index.Dot, 2, make([]float32, 4)).Search([]float32{1}, 1, index.Params{})
		},
		"a long question": func() { index.NewFlat(index.Dot, 2, make([]float32, 4)).Scores(make([]float32, 3), []int{0}) },
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

func TestMetricValues(t *testing.T) {
	for _, m := range []index.Metric{index.Cosine, index.Dot, index.L2, index.L1, index.Hamming, index.Jaccard} {
		parsed, err := index.ParseMetric(m.String())
		if err != nil || parsed != m {
			t.Errorf("ParseMetric(%q) = %v, %v", m.String(), parsed, err)
		}
		if got := m.Value(m.Score(3)); got != 3 {
			t.Errorf("%v: the value of the score of 3 is %v", m, got)
		}
	}
	if got := index.L2.Value(-25); got != 5 {
		t.Errorf("the L2 distance of score -25 is %v, want 5", got)
	}
	if _, err := index.ParseMetric("euclid"); err == nil {
		t.Error(`"euclid" is a metric`)
	}
	if got := index.Cosine.Compare([]float32{0, 0}, []float32{1, 2}); got != 0 {
		t.Errorf("the cosine of a zero vector is %v", got)
	}
	if got := index.Cosine.Compare([]float32{1e25, 0}, []float32{1e-25, 1e-25}); math.Abs(float64(got)-math.Sqrt(0.5)) > 1e-6 {
		t.Errorf("the cosine of a huge and a tiny vector is %v", got)
	}
}

func BenchmarkFlat(b *testing.B) {
	f, query := index.NewFlat(index.Dot, 384, randomSlab(1, 20_000*384)), randomSlab(2, 384)
	b.SetBytes(20_000 * 384 * 4)
	for b.Loop() {
		f.Search(query, 10, index.Params{})
	}
}
