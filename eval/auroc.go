package eval

import (
	"cmp"
	"slices"
)

// AUROC is the area under the receiver operating characteristic: the chance
// that a positive drawn at random scores above a negative drawn at random, a
// tie counting half (Hanley and McNeil 1982; it is Mann and Whitney's U over
// the number of pairs). It returns 0.5 when either class is empty, since
// nothing then was separated. The slices must be of one length.
func AUROC(scores []float64, positive []bool) float64 {
	if len(scores) != len(positive) {
		panic("eval: AUROC: scores and classes differ in number")
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })

	// Walk up the scores in groups of equal ones: a positive beats every
	// negative below its group and half of those inside it.
	var wins, negatives, positives float64
	for i := 0; i < len(order); {
		var tiedPositive, tiedNegative float64
		j := i
		for ; j < len(order) && cmp.Compare(scores[order[j]], scores[order[i]]) == 0; j++ {
			if positive[order[j]] {
				tiedPositive++
			} else {
				tiedNegative++
			}
		}
		wins += tiedPositive * (negatives + tiedNegative/2)
		positives += tiedPositive
		negatives += tiedNegative
		i = j
	}
	if positives == 0 || negatives == 0 {
		return 0.5
	}
	return wins / (positives * negatives)
}
