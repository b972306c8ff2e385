package index_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ragstone/ragstone/internal/index"
)

// randomSlab returns n normally distributed numbers.
func randomSlab(seed uint64, n int) []float32 {
	random := rand.New(rand.NewPCG(seed, 0))
	slab := make([]float32, n)
	for i := range slab {
		slab[i] = float32(random.NormFloat64())
	}
	return slab
}

// clustered returns vectors around a few centres, as embeddings lie.
func clustered(seed uint64, rows, dimensions int) []float32 {
	random := rand.New(rand.NewPCG(seed, 1))
	centres := randomSlab(7, 50*dimensions) // of base and queries alike
	slab := make([]float32, rows*dimensions)
	for row := range rows {
		c := random.IntN(50)
		for i := range dimensions {
			slab[row*dimensions+i] = centres[c*dimensions+i] + 0.7*float32(random.NormFloat64())
		}
	}
	return slab
}

// reference scores every admitted row by the metric's definition in double
// precision and sorts them all.
func reference(m index.Metric, dimensions int, slab, query []float32, filter *index.Filter) []index.Hit {
	var hits []index.Hit
	for row := range len(slab) / dimensions {
		if filter.Has(row) {
			hits = append(hits, index.Hit{Row: row, Score: exactScore(m, query, slab[row*dimensions:(row+1)*dimensions])})
		}
	}
	sortHits(hits)
	return hits
}

func exactScore(m index.Metric, a, b []float32) float32 {
	var dot, l1, l2, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, l1, l2, aa, bb = dot+x*y, l1+math.Abs(x-y), l2+(x-y)*(x-y), aa+x*x, bb+y*y
	}
	switch m {
	case index.Dot:
		return float32(dot)
	case index.L1:
		return float32(-l1)
	case index.L2:
		return float32(-l2)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return float32(dot / math.Sqrt(aa*bb))
}

func sortHits(hits []index.Hit) {
	slices.SortStableFunc(hits, func(a, b index.Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return a.Row - b.Row
	})
}

// checkExact compares hits with the reference: scores equal within rounding,
// and rows whose scores are that.
func checkExact(t *testing.T, what string, m index.Metric, got, all []index.Hit, k int) {
	t.Helper()
	if want := min(k, len(all)); len(got) != want {
		t.Fatalf("%s: %d hits, want %d", what, len(got), want)
	}
	scores := make(map[int]float32, len(all))
	for _, h := range all {
		scores[h.Row] = h.Score
	}
	seen := map[int]bool{}
	for i, h := range got {
		want, admitted := scores[h.Row]
		scale := 1 + math.Abs(float64(want))
		if !admitted || seen[h.Row] {
			t.Fatalf("%s: hit %d is row %d, which is not admitted or came before", what, i, h.Row)
		}
		seen[h.Row] = true
		if math.Abs(float64(h.Score-want)) > 1e-4*scale || math.Abs(float64(h.Score-all[i].Score)) > 1e-4*scale {
			t.Fatalf("%s: hit %d is %v, whose score is %v; there the reference has %v", what, i, h, want, all[i])
		}
	}
}

// recall returns the share of the k best that hits hold; a hit as good as the
// k-th counts.
func recall(got, all []index.Hit, k int) float64 {
	k = min(k, len(all))
	if k == 0 {
		return 1
	}
	scores := make(map[int]float32, len(all))
	for _, h := range all {
		scores[h.Row] = h.Score
	}
	last, found := all[k-1].Score, 0
	for _, h := range got {
		if score, ok := scores[h.Row]; ok && score >= last {
			found++
		}
	}
	return float64(min(found, k)) / float64(k)
}

// someRows admits each of n rows with a probability.
func someRows(seed uint64, n int, keep float64) *index.Filter {
	random := rand.New(rand.NewPCG(seed, 2))
	words := make([]uint64, (n+63)/64)
	for row := range n {
		if random.Float64() < keep {
			words[row>>6] |= 1 << (row & 63)
		}
	}
	return index.NewFilter(words)
}

var floatMetrics = []index.Metric{index.Cosine, index.Dot, index.L2, index.L1}
