package vector

import (
	"math"
	"math/rand/v2"
	"testing"
)

// adversaries are data that approximate indexes are known to fail on, as functions of a
// point's number and dimension.
var adversaries = map[string]func(r *rand.Rand, row, i int) float64{
	"many duplicates": func(_ *rand.Rand, row, i int) float64 { return math.Sin(float64(row%30*17 + i)) },
	"tight clusters": func(r *rand.Rand, row, i int) float64 {
		return 50*math.Sin(float64(row%20*31+i)) + 0.01*r.NormFloat64()
	},
	"wild norms":        func(r *rand.Rand, row, _ int) float64 { return math.Exp2(float64(row%41)-20) * r.NormFloat64() },
	"one far outlier":   func(r *rand.Rand, row, _ int) float64 { return r.NormFloat64() + 1e6*max(0, 1-float64(row)) },
	"constant numbers":  func(r *rand.Rand, _, i int) float64 { return float64(i%2)*r.NormFloat64() + 7 },
	"half zero vectors": func(r *rand.Rand, row, _ int) float64 { return float64(row%2) * r.NormFloat64() },
	"all zero":          func(*rand.Rand, int, int) float64 { return 0 },
	"all equal":         func(_ *rand.Rand, _, i int) float64 { return float64(i) },
}

// TestAdversarialData searches graphs over such data, with and without a filter, and
// wants scores as good as those of a comparison of all points.
func TestAdversarialData(t *testing.T) {
	const rows, d, k = 800, 12, 10
	for name, value := range adversaries {
		for _, metric := range []Metric{Cosine, Dot, L2} {
			random := rand.New(rand.NewPCG(5, 5))
			c := newCollection(t, Schema{
				Vectors: map[string]VectorSpec{"": {Dimensions: d, Metric: metric, Index: Graph}},
				Payload: map[string]PayloadIndex{"half": KeywordIndex},
			})
			points := make([]Point, rows)
			for row := range points {
				x := make([]float32, d)
				for i := range x {
					x[i] = float32(value(random, row, i))
				}
				points[row] = Point{ID: Num(uint64(row)), Vector: x, Payload: Payload{"half": row / 2 % 2}}
			}
			upsert(t, c, points...)
			if err := c.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, filter := range []*Filter{nil, All(Match{Key: "half", Value: 1})} {
				good, asked := 0, 0
				for row := 3; row < rows; row += 41 {
					q := Query{Vector: points[row].Vector, K: k, Filter: filter, With: With{WithoutPayload: true}}
					found := search(t, c, q)
					q.Params.Exact = true
					exact := search(t, c, q)
					if len(found.Hits) != k || found.Plan.Strategies["graph"]+found.Plan.Strategies["filtered graph"]+found.Plan.Strategies["codes"]+found.Plan.Strategies["scan"] != 1 {
						t.Fatalf("%s, %s: %d hits by %v", name, metric, len(found.Hits), found.Plan.Strategies)
					}
					last := exact.Hits[k-1].Score
					near := 1e-4 * math.Abs(last)
					for _, h := range found.Hits {
						if asked++; metric == L2 && h.Score <= last+near || metric != L2 && h.Score >= last-near {
							good++
						}
					}
				}
				if recall := float64(good) / float64(asked); recall < 0.96 {
					t.Errorf("%s, %s, filter %v: recall %.3f", name, metric, filter != nil, recall)
				}
			}
		}
	}
}
