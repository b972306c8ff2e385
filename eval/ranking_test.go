package eval_test

import (
	"math"
	"testing"

	"github.com/ragstone/ragstone/eval"
)

// The judged list: b is very relevant, d and x somewhat; x was never found and
// e was judged not relevant.
func TestRankingMetricsByHand(t *testing.T) {
	ranked := []string{"a", "b", "c", "d", "e"}
	judged := map[string]int{"b": 2, "d": 1, "x": 1, "e": 0}
	ideal := 2.0 + 1/math.Log2(3) + 1/math.Log2(4)
	tests := []struct {
		metric eval.Metric
		want   float64
	}{
		{eval.NDCG(10), (2/math.Log2(3) + 1/math.Log2(5)) / ideal},
		{eval.NDCG(1), 0},
		{eval.NDCG(2), (2 / math.Log2(3)) / (2 + 1/math.Log2(3))},
		{eval.Recall(1), 0},
		{eval.Recall(4), 2.0 / 3},
		{eval.Precision(2), 0.5},
		{eval.Precision(10), 0.2},
		{eval.Success(1), 0},
		{eval.Success(2), 1},
		{eval.MRR(10), 0.5},
		{eval.MRR(1), 0},
		{eval.MAP(10), (1.0/2 + 2.0/4) / 3},
	}
	for _, test := range tests {
		if got := test.metric.Measure(ranked, judged); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%s of %v = %v, want %v", test.metric.Name, ranked, got, test.want)
		}
	}
}

func TestARepeatedDocumentCountsOnce(t *testing.T) {
	ranked := []string{"b", "b", "c"}
	judged := map[string]int{"b": 1, "c": 1}
	if got := eval.NDCG(2).Measure(ranked, judged); math.Abs(got-1) > 1e-12 {
		t.Errorf("nDCG@2 = %v, want 1: the second b takes no place", got)
	}
	if got := eval.Precision(2).Measure(ranked, judged); got != 1 {
		t.Errorf("P@2 = %v, want 1", got)
	}
}

func TestNothingRelevantIsZero(t *testing.T) {
	metrics := []eval.Metric{eval.NDCG(3), eval.Recall(3), eval.Precision(3), eval.Success(3), eval.MRR(3), eval.MAP(3)}
	for _, metric := range metrics {
		if got := metric.Measure([]string{"a"}, map[string]int{"b": 0}); got != 0 {
			t.Errorf("%s = %v, want 0", metric.Name, got)
		}
	}
}

func TestAUROC(t *testing.T) {
	tests := []struct {
		name     string
		scores   []float64
		positive []bool
		want     float64
	}{
		{"apart", []float64{0.1, 0.2, 0.8, 0.9}, []bool{false, false, true, true}, 1},
		{"upside down", []float64{0.9, 0.1}, []bool{false, true}, 0},
		{"all tied", []float64{1, 1, 1}, []bool{true, false, true}, 0.5},
		// Of the four pairs one is lost, one is tied and two are won.
		{"mixed", []float64{0.5, 0.5, 0.9, 0.7}, []bool{true, false, true, false}, 0.625},
		{"one class", []float64{1, 2}, []bool{true, true}, 0.5},
	}
	for _, test := range tests {
		if got := eval.AUROC(test.scores, test.positive); got != test.want {
			t.Errorf("%s: AUROC(%v, %v) = %v, want %v", test.name, test.scores, test.positive, got, test.want)
		}
	}
}
