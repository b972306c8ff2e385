package vector_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/vector"
)

// factories are collections of 1200 points around 40 places, by their Index and metric, and how
// a search of them goes.
var factories = []struct {
	index    vector.IndexKind
	metric   vector.Metric
	strategy string
	recall   float64
}{
	{"IVF16,Flat", vector.L2, "lists", 0.97},
	{"IVF16_HNSW4,SQ8", vector.Cosine, "lists", 0.97},
	{"IVF16,PQ8x4fs,RFlat", vector.L2, "lists", 0.9},
	{"IVF16,PQ8", vector.Dot, "lists", 0.9},
	{"OPQ4,IVF16,PQ4", vector.L2, "lists", 0.9},
	{"HNSW16", vector.L2, "graph", 0.97},
	{"HNSW16", vector.L1, "graph", 0.95},
	{"HNSW16,SQ8", vector.Cosine, "graph", 0.97},
	{"PCA8,SQ8", vector.L2, "codes", 0.9},
	{"LSH64r", vector.Cosine, "codes", 0.8},
	{"SQ8", vector.Dot, "codes", 0.99},
	{"IDMap,PQ8", vector.L2, "codes", 0.95},
	{"Flat", vector.L2, "scan", 1},
	{"BHNSW8", vector.Hamming, "graph", 0.9},
	{"BFlat", vector.Hamming, "scan", 1},
}

func clustered(random *rand.Rand, n, d int) (rows [][]float32) {
	places := make([][]float32, 40)
	for i := range places {
		for range d {
			places[i] = append(places[i], float32(3*random.NormFloat64()))
		}
	}
	for range n {
		var x []float32
		for _, v := range places[random.IntN(len(places))] {
			x = append(x, v+float32(random.NormFloat64()))
		}
		rows = append(rows, x)
	}
	return rows
}

func factoryCollection(t *testing.T, kind vector.IndexKind, metric vector.Metric, rows [][]float32) *vector.Collection {
	t.Helper()
	dir := t.TempDir()
	db, err := vector.Open(dir, vector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Close()
		if err := vector.Check(dir); err != nil {
			t.Error(err)
		}
	})
	spec := vector.VectorSpec{Dimensions: len(rows[0]), Metric: metric, Index: kind}
	if metric == vector.Hamming {
		spec.Storage = vector.Binary
	}
	c, err := db.Collection("c", vector.Schema{
		Vectors: map[string]vector.VectorSpec{"": spec},
		Payload: map[string]vector.PayloadIndex{"half": vector.NumberIndex},
	})
	if err != nil {
		t.Fatal(err)
	}
	var points []vector.Point
	for i, x := range rows {
		points = append(points, vector.Point{ID: vector.Num(uint64(i)), Vector: x, Payload: vector.Payload{"half": i % 2}})
	}
	if err := c.Upsert(t.Context(), points...); err != nil {
		t.Fatal(err)
	}
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFactoryIndexes searches collections whose Index is a factory string, with and without a
// filter, and holds them to the exact answer.
func TestFactoryIndexes(t *testing.T) {
	for _, f := range factories {
		t.Run(string(f.index)+"-"+string(f.metric), func(t *testing.T) {
			random := rand.New(rand.NewPCG(7, 7))
			rows := clustered(random, 1230, 16)
			c := factoryCollection(t, f.index, f.metric, rows[:1200])
			for _, filter := range []*vector.Filter{nil, vector.All(vector.Match{Key: "half", Value: 1})} {
				found, wanted := 0, 0
				for _, q := range rows[1200:] {
					got := search(t, c, vector.Query{Vector: q, K: 10, Filter: filter})
					exact := search(t, c, vector.Query{Vector: q, K: 10, Filter: filter, Params: vector.Params{Exact: true}})
					if filter == nil && got.Plan.Strategies[f.strategy] != 1 {
						t.Fatalf("plan %+v, want %q", got.Plan, f.strategy)
					}
					if len(got.Hits) != 10 {
						t.Fatalf("%d hits", len(got.Hits))
					}
					worst := exact.Hits[9].Score
					for _, h := range got.Hits {
						if h.Score == worst || (h.Score < worst) == f.metric.IsDistance() {
							found++
						}
					}
					wanted += 10
				}
				if recall := float64(found) / float64(wanted); recall < f.recall {
					t.Errorf("recall %.3f, want at least %v (filter %v)", recall, f.recall, filter != nil)
				}
			}
		})
	}
}

func search(t *testing.T, c *vector.Collection, q vector.Query) *vector.Result {
	t.Helper()
	r, err := c.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFactoryKnobs sees that NProbe and Rescore are honoured.
func TestFactoryKnobs(t *testing.T) {
	rows := clustered(rand.New(rand.NewPCG(1, 1)), 1201, 16)
	c := factoryCollection(t, "IVF16,PQ4x4", vector.L2, rows[:1200])
	plan := func(p vector.Params) vector.Plan {
		return search(t, c, vector.Query{Vector: rows[1200], K: 5, Params: p}).Plan
	}
	if few, all := plan(vector.Params{NProbe: 1}).Scored, plan(vector.Params{NProbe: 16}).Scored; few >= all || all != 1200 {
		t.Errorf("%d codes scored in 1 list, %d in 16", few, all)
	}
	if got := plan(vector.Params{Rescore: 20, NProbe: 16}).Visited; got != 100 {
		t.Errorf("%d vectors compared, want 100", got)
	}
}

func TestFactoryStringsAreChecked(t *testing.T) {
	db, err := vector.Open(t.TempDir(), vector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for kind, want := range map[vector.IndexKind]string{
		"IVF16,PQ5":  "do not divide",
		"IVF16,ZZ":   `"ZZ"`,
		"BFlat":      "binary",
		"PCA64,Flat": "at least 64",
		"tree":       `"tree"`,
	} {
		_, err := db.Collection("c", vector.Schema{Vectors: map[string]vector.VectorSpec{"": {Dimensions: 16, Index: kind}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", kind, err, want)
		}
	}
}
