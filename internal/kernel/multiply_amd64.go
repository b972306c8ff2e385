//go:build !purego

package kernel

func scaleBy(out, x, weight []float32, s float32) { scaleByGeneric(out, x, weight, s) }

func siluMul(gate, up []float32) { siluMulGeneric(gate, up) }

func quantize(x []float32, out []block) { quantizeGeneric(x, out) }

func quantTile(f Format, weights []byte, a []block, n int, out []float32, stride int) {
	quantTileGeneric(f, weights, a, n, out, stride)
}

func floatTile(f Format, weights []byte, a []float32, n int, out []float32, stride int) {
	floatTileGeneric(f, weights, a, n, out, stride)
}

func attentionScores(queries []float32, n int, page []uint16, out []float32) {
	attentionScoresGeneric(queries, n, page, out)
}

func attentionWeights(x []float32, scale float32) (peak, sum float32) {
	return attentionWeightsGeneric(x, scale)
}

func attentionValues(weights []float32, n, tokens int, values []uint16, sum []float32) {
	attentionValuesGeneric(weights, n, tokens, values, sum)
}
