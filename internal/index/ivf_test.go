package index_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/quant"
)

// ivfCodecs returns the codecs that lists are tested with; nil is RaBitQ.
func ivfCodecs(t *testing.T, dimensions int, slab []float32) map[string]quant.Codec {
	product, err := quant.TrainProduct(dimensions/2, 4, dimensions, slab, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := quant.TrainScalar(8, dimensions, slab)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]quant.Codec{"rabitq": nil, "pq4": product, "sq8": scalar, "f32": quant.NewF32(dimensions)}
}

func TestIVFRecall(t *testing.T) {
	const rows, dimensions, k, queries = 2500, 40, 10, 20
	slab, asked := clustered(1, rows, dimensions), clustered(2, queries, dimensions)
	for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
		for name, codec := range ivfCodecs(t, dimensions, slab) {
			if name == "pq4" && m == index.Cosine || name == "sq8" && m == index.Cosine {
				continue // trained on vectors of other norms
			}
			for _, lists := range []int{20, 200} {
				x, err := index.BuildIVF(m, dimensions, slab, index.IVFOptions{Lists: lists, Codec: codec})
				if err != nil {
					t.Fatal(err)
				}
				x.Attach(slab)
				for _, keep := range []float64{1, 0.3, 0.01} {
					what := fmt.Sprintf("%v, %s, %d lists, %v kept", m, name, lists, keep)
					var filter *index.Filter
					if keep < 1 {
						filter = someRows(4, rows, keep)
					}
					sum := 0.0
					for i := range queries {
						query := asked[i*dimensions : (i+1)*dimensions]
						all := reference(m, dimensions, slab, query, filter)
						hits, _ := x.Search(query, k, index.Params{Filter: filter, NProbe: lists / 3})
						if len(hits) != min(k, len(all)) {
							t.Fatalf("%s: %d hits, want %d", what, len(hits), min(k, len(all)))
						}
						sum += recall(hits, all, k)
					}
					if got := sum / queries; got < 0.93 {
						t.Errorf("%s: recall %.3f", what, got)
					}
				}
			}
		}
	}
}

// TestIVFWithoutVectors checks that estimated scores are near the true ones.
func TestIVFWithoutVectors(t *testing.T) {
	const rows, dimensions, k = 2000, 64, 20
	slab, query := clustered(3, rows, dimensions), clustered(4, 1, dimensions)
	for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
		x, err := index.BuildIVF(m, dimensions, slab, index.IVFOptions{Lists: 40})
		if err != nil {
			t.Fatal(err)
		}
		hits, _ := x.Search(query, k, index.Params{NProbe: 40})
		all := reference(m, dimensions, slab, query, nil)
		spread := all[0].Score - all[rows-1].Score
		for _, h := range hits {
			want := exactScore(m, query, slab[h.Row*dimensions:(h.Row+1)*dimensions])
			if d := h.Score - want; d > spread/5 || d < -spread/5 {
				t.Errorf("%v: row %d is estimated at %v, is %v; scores spread over %v", m, h.Row, h.Score, want, spread)
			}
		}
		if got := recall(hits, all, k); got < 0.4 {
			t.Errorf("%v: recall %.2f by estimates alone", m, got)
		}
	}
}

func TestIVFDoesNotDependOnThreads(t *testing.T) {
	const rows, dimensions = 2000, 32
	slab, query := clustered(5, rows, dimensions), clustered(6, 1, dimensions)
	var want []index.Hit
	for _, threads := range []int{1, 3} {
		x, err := index.BuildIVF(index.L2, dimensions, slab, index.IVFOptions{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := x.Search(query, 50, index.Params{})
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d threads (-one +these):\n%s", threads, diff)
		}
	}
	if x, err := index.BuildIVF(index.L2, 3, nil, index.IVFOptions{}); err != nil || x.Len() != 0 {
		t.Errorf("without vectors: %v", err)
	} else if hits, _ := x.Search([]float32{1, 2, 3}, 5, index.Params{}); len(hits) != 0 {
		t.Errorf("without vectors: found %v", hits)
	}
}

// TestIVFBatch holds a batch to what its queries find alone.
func TestIVFBatch(t *testing.T) {
	const rows, dimensions, k, queries = 2500, 40, 10, 30
	slab, asked := clustered(1, rows, dimensions), clustered(2, queries, dimensions)
	for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
		for name, codec := range ivfCodecs(t, dimensions, slab) {
			x, err := index.BuildIVF(m, dimensions, slab, index.IVFOptions{Lists: 200, Codec: codec})
			if err != nil {
				t.Fatal(err)
			}
			x.Attach(slab)
			for _, p := range []index.Params{{NProbe: 1}, {NProbe: 20}, {NProbe: 20, Filter: someRows(4, rows, 0.1)}, {NProbe: 300}} {
				for i, hits := range x.SearchBatch(asked, k, p) {
					want, _ := x.Search(asked[i*dimensions:(i+1)*dimensions], k, p)
					if diff := cmp.Diff(want, hits); diff != "" {
						t.Errorf("%v, %s, %d lists, query %d (-alone +batch):\n%s", m, name, p.NProbe, i, diff)
					}
				}
			}
		}
	}
}
