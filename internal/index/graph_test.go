package index_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/index"
)

// buildGraph builds a graph that is closed with the test.
func buildGraph(t testing.TB, m index.Metric, dimensions int, slab []float32, o index.GraphOptions) *index.Graph {
	t.Helper()
	g, err := index.BuildGraph(m, dimensions, slab, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func TestGraphRecall(t *testing.T) {
	const rows, dimensions, k, queries = 2400, 48, 10, 40
	slab, asked := clustered(1, rows, dimensions), clustered(2, queries, dimensions)
	for _, o := range []index.GraphOptions{{Threads: 2}, {Threads: 2, Lean: true}, {Degree: 64, Lean: true}} {
		recallOfGraph(t, k, dimensions, slab, asked, o)
	}
}

// TestLeanRowsRecall is TestGraphRecall for so many dimensions that a lean graph has rows.
func TestLeanRowsRecall(t *testing.T) {
	const rows, dimensions = 800, 520
	recallOfGraph(t, 10, dimensions, clustered(1, rows, dimensions), clustered(2, 20, dimensions), index.GraphOptions{Threads: 2, Lean: true})
}

// recallOfGraph builds a graph under every metric and searches it under filters.
func recallOfGraph(t *testing.T, k, dimensions int, slab, asked []float32, o index.GraphOptions) {
	rows, queries := len(slab)/dimensions, len(asked)/dimensions
	for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
		g := buildGraph(t, m, dimensions, slab, o)
		g.Attach(slab)
		for _, keep := range []float64{1, 0.5, 0.2, 0.02, 0.001} {
			var filter *index.Filter
			if keep < 1 {
				filter = someRows(9, rows, keep)
			}
			sum := 0.0
			for i := range queries {
				query := asked[i*dimensions : (i+1)*dimensions]
				all := reference(m, dimensions, slab, query, filter)
				hits, _ := g.Search(query, k, index.Params{Filter: filter})
				if len(hits) != min(k, len(all)) {
					t.Fatalf("%+v, %v, %v kept: %d hits, want %d", o, m, keep, len(hits), min(k, len(all)))
				}
				sum += recall(hits, all, k)
			}
			if got := sum / float64(queries); got < 0.97 {
				t.Errorf("%+v, %v, %v kept: recall %.3f", o, m, keep, got)
			}
		}
	}
}

func TestGraphExactIsExact(t *testing.T) {
	const rows, dimensions, k = 700, 20, 12
	slab, query := clustered(3, rows, dimensions), clustered(4, 1, dimensions)
	for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
		for _, lean := range []bool{false, true} {
			g := buildGraph(t, m, dimensions, slab, index.GraphOptions{Lean: lean})
			g.Attach(slab)
			for _, filter := range []*index.Filter{nil, someRows(5, rows, 0.4)} {
				hits, _ := g.Search(query, k, index.Params{Filter: filter, Exact: true})
				checkExact(t, fmt.Sprintf("%v, lean %v", m, lean), m, hits, reference(m, dimensions, slab, query, filter), k)
			}
		}
	}
}

func TestBuildingAGraphStopsWithItsContext(t *testing.T) {
	const dimensions = 64
	slab := clustered(1, 20_000, dimensions)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := index.BuildGraphContext(ctx, index.L2, dimensions, slab, index.GraphOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got the error %v, want that of the context", err)
	}
}
