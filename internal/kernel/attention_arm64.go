//go:build !purego

package kernel

func attentionScores(queries []float32, n int, page, _ []uint16, out []float32) {
	if !useNEON {
		attentionScoresGeneric(queries, n, page, out)
		return
	}
	dim := len(queries) / n
	for i := range n {
		scoresNEON(&queries[i*dim], &page[0], &out[i*SegmentTokens : i*SegmentTokens+PageTokens][0], dim)
	}
}

func attentionValues(weights []float32, n, tokens int, values []uint16, sum []float32) {
	if !useNEON {
		attentionValuesGeneric(weights, n, tokens, values, sum)
		return
	}
	dim := len(sum) / n
	for i := range n {
		valuesNEON(&weights[i*SegmentTokens : i*SegmentTokens+tokens][0], &values[:tokens*dim][0], &sum[i*dim], dim, tokens)
	}
}
