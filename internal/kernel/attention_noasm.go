//go:build !(amd64 || arm64) || purego

package kernel

func attentionScores(queries []float32, n int, page, _ []uint16, out []float32) {
	attentionScoresGeneric(queries, n, page, out)
}

func attentionValues(weights []float32, n, tokens int, values []uint16, sum []float32) {
	attentionValuesGeneric(weights, n, tokens, values, sum)
}
