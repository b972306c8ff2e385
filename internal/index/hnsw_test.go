package index_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/ragstone/ragstone/internal/index"
)

func fillHNSW(t testing.TB, m index.Metric, dimensions int, slab []float32, o index.HNSWOptions) *index.HNSW {
	t.Helper()
	h := index.NewHNSW(m, dimensions, o)
	for row := range len(slab) / dimensions {
		if got, err := h.Add(slab[row*dimensions : (row+1)*dimensions]); err != nil || got != row {
			t.Fatalf("Add = %d, %v; want row %d", got, err, row)
		}
	}
	return h
}

func TestHNSWRecallWithDeletionsAndFilters(t *testing.T) {
	const rows, dimensions, k, queries = 2500, 24, 10, 30
	slab, asked := clustered(1, rows, dimensions), clustered(2, queries, dimensions)
	for _, m := range floatMetrics {
		h := fillHNSW(t, m, dimensions, slab, index.HNSWOptions{})
		for _, share := range []float64{0, 0.5, 0.97} {
			random := rand.New(rand.NewPCG(3, uint64(share*100)))
			live := make([]uint64, (rows+63)/64)
			for row := range rows {
				if random.Float64() < share {
					h.Delete(row)
				}
				if !h.Deleted(row) {
					live[row/64] |= 1 << (row % 64)
				}
			}
			for _, keep := range []float64{1, 0.5, 0.02} {
				kept := someRows(9, rows, keep)
				both := make([]uint64, len(live))
				for row := range rows {
					if kept.Has(row) && live[row/64]>>(row%64)&1 != 0 {
						both[row/64] |= 1 << (row % 64)
					}
				}
				filter := kept
				if keep == 1 {
					filter = nil
				}
				sum := 0.0
				for i := range queries {
					query := asked[i*dimensions : (i+1)*dimensions]
					all := reference(m, dimensions, slab, query, index.NewFilter(both))
					hits, _ := h.Search(query, k, index.Params{Filter: filter})
					if len(hits) != min(k, len(all)) {
						t.Fatalf("%v, %v deleted, %v kept: %d hits, want %d", m, share, keep, len(hits), min(k, len(all)))
					}
					sum += recall(hits, all, k)
					exact, _ := h.Search(query, k, index.Params{Filter: filter, Exact: true})
					checkExact(t, fmt.Sprint(m), m, exact, all, k)
				}
				if got := sum / queries; got < 0.96 {
					t.Errorf("%v, %v deleted, %v kept: recall %.3f", m, share, keep, got)
				}
			}
		}
	}
}

func TestHNSWSmall(t *testing.T) {
	h := index.NewHNSW(index.L2, 2, index.HNSWOptions{M: 2})
	if hits, _ := h.Search([]float32{1, 1}, 3, index.Params{}); len(hits) != 0 {
		t.Errorf("an empty index found %v", hits)
	}
	for _, bad := range [][]float32{{1}, {1, 2, 3}, {1, float32(math.NaN())}, {float32(math.Inf(1)), 0}} {
		if _, err := h.Add(bad); err == nil {
			t.Errorf("Add(%v): no error", bad)
		}
	}
	for range 300 { // all equal
		h.Add([]float32{1, 1})
	}
	if hits, _ := h.Search([]float32{1, 2}, 50, index.Params{}); len(hits) != 50 || hits[0].Score != -1 {
		t.Errorf("of equal vectors found %d, the first %v", len(hits), hits[0])
	}
	if h.Delete(300) || h.Delete(-1) || !h.Delete(7) || h.Delete(7) || h.Live() != 299 || h.Len() != 300 {
		t.Errorf("after deletions %d of %d live", h.Live(), h.Len())
	}
	got, _ := h.Range([]float32{1, 2}, -1, index.Params{})
	if len(got) != 299 {
		t.Errorf("within distance 1: %d rows, want 299", len(got))
	}
	if got, _ := h.Range([]float32{1, 2}, -0.5, index.Params{}); len(got) != 0 {
		t.Errorf("within distance 0.7: %v", got)
	}
}

func TestHNSWSearchesWhileItGrows(t *testing.T) {
	const rows, dimensions = 1500, 8
	slab := clustered(5, rows, dimensions)
	h := index.NewHNSW(index.Dot, dimensions, index.HNSWOptions{M: 4, EFConstruction: 20})
	done := make(chan struct{})
	var wait sync.WaitGroup
	for worker := range 2 {
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				n := h.Live()
				query := slab[(i*7+worker)%rows*dimensions:][:dimensions]
				hits, _ := h.Search(query, 5, index.Params{EF: 10})
				if len(hits) < min(5, n-100) {
					t.Errorf("%d hits of %d rows", len(hits), n)
					return
				}
			}
		})
	}
	for row := range rows {
		h.Add(slab[row*dimensions : (row+1)*dimensions])
		if row%20 == 0 {
			h.Delete(row / 2)
		}
	}
	close(done)
	wait.Wait()
}
