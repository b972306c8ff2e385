package eval

import (
	"fmt"
	"math"
	"slices"
)

// Metric is a measure of one ranked list of document names, best first,
// against one query's judgements (name to grade; a grade above zero is
// relevant). A document named twice counts where it stands first. The value of
// a query without a relevant document is 0.
type Metric struct {
	Name    string
	Measure func(ranked []string, judged map[string]int) float64
}

// NDCG is normalised discounted cumulative gain in the first k, as trec_eval's
// ndcg_cut computes it: gain is the grade itself and the discount log2(rank+1)
// (Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR
// techniques", with Burges's discount).
func NDCG(k int) Metric {
	return Metric{fmt.Sprintf("nDCG@%d", k), func(ranked []string, judged map[string]int) float64 {
		var gain float64
		for i, doc := range distinct(ranked, k) {
			gain += discounted(judged[doc], i)
		}
		ideal := idealGain(judged, k)
		if ideal == 0 {
			return 0
		}
		return gain / ideal
	}}
}

func idealGain(judged map[string]int, k int) float64 {
	grades := make([]int, 0, len(judged))
	for _, grade := range judged {
		grades = append(grades, grade)
	}
	slices.SortFunc(grades, func(a, b int) int { return b - a })
	var gain float64
	for i, grade := range grades[:min(k, len(grades))] {
		gain += discounted(grade, i)
	}
	return gain
}

// discounted is the gain of a grade at position i, counted from 0.
func discounted(grade, i int) float64 {
	return float64(max(grade, 0)) / math.Log2(float64(i+2))
}

// Recall is the share of the relevant documents that stand in the first k.
func Recall(k int) Metric {
	return Metric{fmt.Sprintf("R@%d", k), func(ranked []string, judged map[string]int) float64 {
		relevant := countRelevant(judged)
		if relevant == 0 {
			return 0
		}
		return float64(found(ranked, judged, k)) / float64(relevant)
	}}
}

// Precision is the share of the first k places that hold a relevant document;
// places a shorter list leaves empty count as not relevant.
func Precision(k int) Metric {
	return Metric{fmt.Sprintf("P@%d", k), func(ranked []string, judged map[string]int) float64 {
		return float64(found(ranked, judged, k)) / float64(k)
	}}
}

// Success is 1 when a relevant document stands in the first k, else 0.
func Success(k int) Metric {
	return Metric{fmt.Sprintf("hit@%d", k), func(ranked []string, judged map[string]int) float64 {
		return float64(min(found(ranked, judged, k), 1))
	}}
}

// MRR is the reciprocal rank of the first relevant document in the first k, 0
// where there is none; its mean over queries is the mean reciprocal rank
// (Voorhees 1999, "The TREC-8 question answering track report").
func MRR(k int) Metric {
	return Metric{fmt.Sprintf("MRR@%d", k), func(ranked []string, judged map[string]int) float64 {
		for i, doc := range distinct(ranked, k) {
			if judged[doc] > 0 {
				return 1 / float64(i+1)
			}
		}
		return 0
	}}
}

// MAP is average precision over the first k: the mean, over all relevant
// documents, of the precision at the rank of each, 0 for those not ranked. Its
// mean over queries is trec_eval's map_cut.
func MAP(k int) Metric {
	return Metric{fmt.Sprintf("MAP@%d", k), func(ranked []string, judged map[string]int) float64 {
		relevant := countRelevant(judged)
		if relevant == 0 {
			return 0
		}
		var hits, sum float64
		for i, doc := range distinct(ranked, k) {
			if judged[doc] > 0 {
				hits++
				sum += hits / float64(i+1)
			}
		}
		return sum / float64(relevant)
	}}
}

func countRelevant(judged map[string]int) int {
	n := 0
	for _, grade := range judged {
		if grade > 0 {
			n++
		}
	}
	return n
}

func found(ranked []string, judged map[string]int, k int) int {
	n := 0
	for _, doc := range distinct(ranked, k) {
		if judged[doc] > 0 {
			n++
		}
	}
	return n
}

// distinct returns the first k different names of a list.
func distinct(ranked []string, k int) []string {
	seen := make(map[string]bool, k)
	kept := make([]string, 0, min(k, len(ranked)))
	for _, doc := range ranked {
		if len(kept) == k {
			break
		}
		if !seen[doc] {
			seen[doc] = true
			kept = append(kept, doc)
		}
	}
	return kept
}
