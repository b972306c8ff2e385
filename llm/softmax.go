package llm

import (
	"fmt"
	"math"
	"slices"
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

// logSumExp returns log Σ exp(x), the constant that log-softmax subtracts. The
// terms have float32's precision; they are added in float64, in order.
func logSumExp(logits []float32) (float64, error) {
	best, err := argmax(logits)
	if err != nil {
		return 0, err
	}
	largest := logits[best]
	sum := 0.0
	for _, x := range logits {
		sum += float64(expNegative(x - largest))
	}
	return float64(largest) + math.Log(sum), nil
}

// expNegative returns e^x for x ≤ 0 within 2 units in the last place, and 0
// for x below -87, where float32 would leave its normal range.
//
// Cody and Waite 1980, chapter 6: x = n·ln 2 + r with |r| ≤ ln 2 / 2, the
// exponential of r by a polynomial, that of n·ln 2 by the exponent's bits.
func expNegative(x float32) float32 {
	const (
		log2e = 1.44269504
		ln2hi = 0.693359375 // few bits, so that n·ln2hi is exact
		ln2lo = -2.12194440e-4
		round = 3 << 22 // adding it leaves n in the low bits of the sum
	)
	if x < -87 {
		return 0
	}
	shifted := x*log2e + round
	n := shifted - round
	r := x - n*ln2hi - n*ln2lo
	p := float32(1.0 / 5040)
	p = p*r + 1.0/720
	p = p*r + 1.0/120
	p = p*r + 1.0/24
	p = p*r + 1.0/6
	p = p*r + 0.5
	p = p*r + 1
	p = p*r + 1
	return math.Float32frombits(math.Float32bits(p) + math.Float32bits(shifted)<<23)
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
