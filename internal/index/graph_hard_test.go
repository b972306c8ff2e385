package index_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/kernel"
)

// hardSets are data that graphs are known to fail on.
func hardSets(rows, d int) map[string][]float32 {
	random := rand.New(rand.NewPCG(1, 9))
	sets := map[string][]float32{
		"all equal":       make([]float32, rows*d),
		"all zero":        make([]float32, rows*d),
		"duplicates":      clustered(1, rows, d),
		"some zero":       clustered(2, rows, d),
		"tight clusters":  make([]float32, rows*d),
		"constant":        clustered(3, rows, d),
		"norms":           clustered(4, rows, d),
		"huge numbers":    clustered(5, rows, d),
		"tiny numbers":    clustered(6, rows, d),
		"one far outlier": clustered(7, rows, d),
	}
	for i := range rows * d {
		row, column := i/d, i%d
		sets["all equal"][i] = float32(column)
		sets["duplicates"][i] = sets["duplicates"][row%(rows/40)*d+column]
		if row%3 == 0 {
			sets["some zero"][i] = 0
		}
		centre := rand.New(rand.NewPCG(uint64(row%25), uint64(column))).NormFloat64()
		sets["tight clusters"][i] = float32(100*centre + 0.01*random.NormFloat64())
		if column%2 == 0 {
			sets["constant"][i] = 5
		}
		sets["norms"][i] *= float32(math.Exp2(float64(row%20) - 10))
		sets["huge numbers"][i] *= 1e15
		sets["tiny numbers"][i] *= 1e-15
	}
	for i := range d {
		sets["one far outlier"][i] = 1e4
	}
	return sets
}

func TestGraphOnHardData(t *testing.T) {
	graphOnHardData(t, 1200, 16, false)
	graphOnHardData(t, 1200, 16, true)
	graphOnHardData(t, 200, 512, true) // a lean graph with rows
}

func graphOnHardData(t *testing.T, rows, d int, lean bool) {
	const k, queries = 10, 15
	for name, slab := range hardSets(rows, d) {
		for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
			g := buildGraph(t, m, d, slab, index.GraphOptions{Threads: 2, Lean: lean})
			g.Attach(slab)
			sum := 0.0
			for i := range queries {
				// Vectors of the set, moved a little.
				query := make([]float32, d)
				noise := randomSlab(uint64(i), d)
				for j := range query {
					v := slab[(i*97%rows)*d+j]
					query[j] = v + 0.01*noise[j]*float32(math.Abs(float64(v)))
				}
				all := reference(m, d, slab, query, nil)
				hits, _ := g.Search(query, k, index.Params{EF: 100})
				if len(hits) != k {
					t.Fatalf("%s, %v: %d hits", name, m, len(hits))
				}
				sum += tolerantRecall(m, slab, query, hits, all[k-1].Score)
			}
			if got := sum / queries; got < leastRecall(name, d, m, lean) {
				t.Errorf("%s of %d dimensions, %v, lean %v: recall %.3f", name, d, m, lean, got)
			}
		}
	}
}

// leastRecall is lower where the limits of the graph's space show: half precision under
// L2, a norm far beyond all others under Dot, and there the signs of some dimensions alone, since everything is
// far from a query.
func leastRecall(name string, d int, m index.Metric, lean bool) float64 {
	switch {
	case name == "norms" && m == index.L2 && lean: // and four bits
		return 0.6
	case name == "norms" && m == index.L2, name == "one far outlier" && m == index.Dot:
		return 0.75
	case name == "one far outlier" && m == index.L2:
		return 0.9
	case d >= 512 && m == index.Dot:
		return 0.88
	}
	return 0.95
}

// tolerantRecall counts hits that score within rounding of the k-th best.
func tolerantRecall(m index.Metric, slab, query []float32, hits []index.Hit, last float32) float64 {
	d, good := len(query), 0
	scale := math.Abs(float64(last))
	if m != index.Cosine {
		scale = max(scale, 1e-3*float64(kernel.Dot(query, query)))
	}
	for _, h := range hits {
		if float64(exactScore(m, query, slab[h.Row*d:(h.Row+1)*d])) >= float64(last)-1e-3*scale {
			good++
		}
	}
	return float64(good) / float64(len(hits))
}

func TestGraphFindsMoreThanAClusterHolds(t *testing.T) {
	const rows, d, k = 2000, 16, 300 // 80 rows a cluster
	slab := hardSets(rows, d)["tight clusters"]
	g := buildGraph(t, index.L2, d, slab, index.GraphOptions{})
	for _, keep := range []float64{1, 0.5, 0.16} {
		filter := someRows(1, rows, keep)
		k := min(k, filter.Count())
		hits, _ := g.Search(slab[:d], k, index.Params{Filter: filter})
		seen := map[int]bool{}
		for _, h := range hits {
			if seen[h.Row] || !filter.Has(h.Row) {
				t.Errorf("row %d came twice or is not admitted", h.Row)
			}
			seen[h.Row] = true
		}
		if len(hits) != k {
			t.Errorf("found %d rows of %d under a filter of %v", len(hits), k, keep)
		}
	}
}

// TestGraphUnderFiltersOfARegion admits only rows near to, or far from, the query.
func TestGraphUnderFiltersOfARegion(t *testing.T) {
	const rows, d, k, queries = 4000, 24, 10, 15
	slab, asked := clustered(1, rows, d), clustered(2, queries, d)
	g := buildGraph(t, index.L2, d, slab, index.GraphOptions{Threads: 2})
	g.Attach(slab)
	for _, share := range []float64{0.1, 0.4, 0.6} {
		for _, far := range []bool{false, true} {
			sum := 0.0
			for i := range queries {
				query := asked[i*d : (i+1)*d]
				order := reference(index.L2, d, slab, query, nil)
				count := int(share * rows)
				var admitted []int
				for j := range count {
					if far {
						j = rows - 1 - j
					}
					admitted = append(admitted, order[j].Row)
				}
				filter := index.FilterOf(admitted...)
				hits, _ := g.Search(query, k, index.Params{Filter: filter})
				sum += recall(hits, reference(index.L2, d, slab, query, filter), k)
			}
			if got := sum / queries; got < 0.95 {
				t.Errorf("%v of the rows, far %v: recall %.3f", share, far, got)
			}
		}
	}
}

func TestGraphDoesNotDependOnThreads(t *testing.T) {
	slab := clustered(8, 3000, 20)
	one := written(t, buildGraph(t, index.Cosine, 20, slab, index.GraphOptions{Threads: 1}))
	for range 2 {
		if !bytes.Equal(one, written(t, buildGraph(t, index.Cosine, 20, slab, index.GraphOptions{Threads: 3}))) {
			t.Fatal("three threads build another graph than one")
		}
	}
}

// TestGraphLevelsAgree searches one file with the kernels of every level.
func TestGraphLevelsAgree(t *testing.T) {
	const rows, d, k = 1500, 50, 10
	slab, asked := clustered(1, rows, d), clustered(2, 20, d)
	g := buildGraph(t, index.L2, d, slab, index.GraphOptions{})
	for _, level := range kernel.Levels() {
		restore := kernel.Use(level)
		sum := 0.0
		for i := range 20 {
			query := asked[i*d : (i+1)*d]
			hits, _ := g.Search(query, k, index.Params{})
			sum += recall(hits, reference(index.L2, d, slab, query, nil), k)
		}
		restore()
		if got := sum / 20; got < 0.97 {
			t.Errorf("%v: recall %.3f", level, got)
		}
	}
}

func TestGraphRefuses(t *testing.T) {
	nan := float32(math.NaN())
	for what, build := range map[string]func() (*index.Graph, error){
		"L1": func() (*index.Graph, error) { return index.BuildGraph(index.L1, 2, nil, index.GraphOptions{}) },
		"half a vector": func() (*index.Graph, error) {
			return index.BuildGraph(index.L2, 2, make([]float32, 3), index.GraphOptions{})
		},
		"NaN": func() (*index.Graph, error) {
			return index.BuildGraph(index.L2, 1, []float32{1, nan}, index.GraphOptions{})
		},
		"an odd degree": func() (*index.Graph, error) {
			return index.BuildGraph(index.L2, 1, nil, index.GraphOptions{Degree: 40})
		},
		"a negative ef": func() (*index.Graph, error) {
			return index.BuildGraph(index.L2, 1, nil, index.GraphOptions{EFConstruction: -1})
		},
	} {
		if g, err := build(); err == nil {
			g.Close()
			t.Errorf("%s: no error", what)
		}
	}
}

func TestGraphRange(t *testing.T) {
	const rows, d = 1000, 12
	slab, query := clustered(1, rows, d), clustered(2, 1, d)
	g := buildGraph(t, index.L2, d, slab, index.GraphOptions{})
	g.Attach(slab)
	all := reference(index.L2, d, slab, query, nil)
	for _, n := range []int{1, 15, 300, rows} {
		got, _ := g.Range(query, all[n-1].Score-1e-3, index.Params{EF: 400})
		if len(got) < n*95/100 || len(got) > n+2 {
			t.Errorf("within the score of row %d: %d rows", n, len(got))
		}
		for _, h := range got {
			if h.Score < all[n-1].Score-1e-3 {
				t.Errorf("%s", fmt.Sprint(h, " scores below ", all[n-1].Score))
			}
		}
	}
}
