package rag

// vectorWeight is the share of the cosine in the fused score; BM25 has the
// rest.
const vectorWeight = 0.5

// fuse joins the two scores of one passage into one from 0 to 1: each as a
// share of the best the retriever gave to any passage, the cosine counted from
// its least possible value (docs/decisions/0005-fusion.md).
func fuse(weight, keyword, bestKeyword, vector, bestVector float64) float64 {
	score := 0.0
	if bestKeyword > 0 {
		score += (1 - weight) * keyword / bestKeyword
	}
	if bestVector > 0 {
		score += weight * max(0, vector/bestVector)
	}
	return score
}
