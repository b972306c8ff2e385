package rag

// vectorWeight is the share of the cosine in the fused score; BM25 has the
// rest.
const vectorWeight = 0.5

// Fuse joins the two scores of one passage into one from 0 to 1, given the
// best score either retriever gave to any passage for the same question. Each
// score counts as a share of that best; a cosine below zero counts as zero.
// Why these and not ranks: docs/decisions/0005-fusion.md.
func Fuse(keyword, bestKeyword, vector, bestVector float64) float64 {
	return fuse(vectorWeight, keyword, bestKeyword, vector, bestVector)
}

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
