//go:build !purego

package kernel

func attentionScores(queries []float32, n int, page, next []uint16, out []float32) {
	dim := len(queries) / n
	if !useAVX2 {
		attentionScoresGeneric(queries, n, page, out)
		return
	}
	_ = out[(n-1)*SegmentTokens+PageTokens-1]
	for t := 0; t < n; {
		rows := attentionRows(n - t)
		scores(rows, &queries[t*dim], &page[0], &out[t*SegmentTokens], dim, &next[0])
		t += rows
	}
}

func attentionValues(weights []float32, n, tokens int, values []uint16, sum []float32) {
	dim := len(sum) / n
	if !useAVX2 {
		attentionValuesGeneric(weights, n, tokens, values, sum)
		return
	}
	_, _ = weights[(n-1)*SegmentTokens+tokens-1], values[tokens*dim-1]
	for t := 0; t < n; {
		rows := attentionRows(n - t)
		addValues(rows, &weights[t*SegmentTokens], &values[0], &sum[t*dim], dim, tokens)
		t += rows
	}
}

// attentionRows is how many of n queries the next kernel takes.
func attentionRows(n int) int {
	if n >= 8 && useAVX512 {
		return 8
	}
	return min(4, n)
}

func scores(n int, q *float32, keys *uint16, out *float32, dim int, next *uint16) {
	switch {
	case n == 8:
		scoresx8AVX512(q, keys, out, dim, next)
	case n == 4 && useAVX512:
		scoresx4AVX512(q, keys, out, dim, next)
	case n == 3 && useAVX512:
		scoresx3AVX512(q, keys, out, dim, next)
	case n == 2 && useAVX512:
		scoresx2AVX512(q, keys, out, dim, next)
	case useAVX512:
		scoresx1AVX512(q, keys, out, dim, next)
	case n == 4:
		scoresx4AVX2(q, keys, out, dim, next)
	case n == 3:
		scoresx3AVX2(q, keys, out, dim, next)
	case n == 2:
		scoresx2AVX2(q, keys, out, dim, next)
	default:
		scoresx1AVX2(q, keys, out, dim, next)
	}
}

func addValues(n int, w *float32, values *uint16, sum *float32, dim, tokens int) {
	switch {
	case n == 8:
		valuesx8AVX512(w, values, sum, dim, tokens)
	case n == 4 && useAVX512:
		valuesx4AVX512(w, values, sum, dim, tokens)
	case n == 3 && useAVX512:
		valuesx3AVX512(w, values, sum, dim, tokens)
	case n == 2 && useAVX512:
		valuesx2AVX512(w, values, sum, dim, tokens)
	case useAVX512:
		valuesx1AVX512(w, values, sum, dim, tokens)
	case n == 4:
		valuesx4AVX2(w, values, sum, dim, tokens)
	case n == 3:
		valuesx3AVX2(w, values, sum, dim, tokens)
	case n == 2:
		valuesx2AVX2(w, values, sum, dim, tokens)
	default:
		valuesx1AVX2(w, values, sum, dim, tokens)
	}
}
