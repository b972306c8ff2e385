package llm

import (
	"fmt"
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// argmax returns the index of the largest logit, the lowest of equals. Logits
// that hold a NaN, or no finite largest, are an error that names the first.
func argmax(logits []float32) (int, error) {
	best := -1
	largest := float32(math.Inf(-1))
	for i, x := range logits {
		if x <= largest {
			continue
		}
		if x != x || x > math.MaxFloat32 {
			return 0, fmt.Errorf("the model's logits are broken: token %d has %v", i, x)
		}
		best, largest = i, x
	}
	if best < 0 {
		return 0, fmt.Errorf("the model's logits are broken: all %d are minus infinity", len(logits))
	}
	return best, nil
}

// logSumExp returns log Σ exp(x), the constant that log-softmax subtracts.
func logSumExp(logits []float32) (float64, error) {
	norm := kernel.LogSumExp(logits)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		_, err := argmax(logits) // says which token is to blame
		return 0, err
	}
	return norm, nil
}

// likeliest returns the k likeliest tokens, best first, equals by id.
func likeliest(logits []float32, k int) []int32 {
	top := make([]int32, 0, k+1)
	for i, x := range logits {
		if len(top) == k && (k == 0 || x <= logits[top[k-1]]) {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, x, func(id int32, x float32) int {
			if logits[id] >= x {
				return -1
			}
			return 1
		})
		top = slices.Insert(top, at, int32(i))
		top = top[:min(len(top), k)]
	}
	return top
}

// tokenLogProb reports the log-probability of a token and of the top likeliest
// in its place.
func tokenLogProb(v vocabulary, logits []float32, id int32, top int) (TokenLogProb, error) {
	norm, err := logSumExp(logits)
	if err != nil {
		return TokenLogProb{}, err
	}
	describe := func(id int32) TokenLogProb {
		return TokenLogProb{ID: id, Bytes: v.TokenBytes(id), LogProb: float64(logits[id]) - norm}
	}
	t := describe(id)
	for _, other := range likeliest(logits, top) {
		t.Top = append(t.Top, describe(other))
	}
	return t, nil
}
