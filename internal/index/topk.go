package index

import (
	"math"
	"slices"
)

// topK collects the k best of the hits it is shown, in any order. Few are kept
// sorted; of many, twice as many as needed are kept and cut now and then.
type topK struct {
	k         int
	hits      []Hit
	threshold float32 // a lower score cannot enter
}

// insertionK is the largest k for which keeping the hits sorted is cheaper.
const insertionK = 128

func newTopK(k int) *topK {
	t := &topK{k: k, threshold: float32(math.Inf(-1))}
	if k <= insertionK {
		t.hits = make([]Hit, 0, k)
	}
	return t
}

// add shows a hit. What is no number comes last.
func (t *topK) add(row int, score float32) {
	score = numberOrLast(score)
	if score < t.threshold || t.k == 0 {
		return
	}
	hit := Hit{row, score}
	if t.k > insertionK {
		t.hits = append(t.hits, hit)
		if len(t.hits) >= 2*t.k {
			t.cut()
		}
		return
	}
	at := len(t.hits)
	for at > 0 && hit.before(t.hits[at-1]) {
		at--
	}
	if at == t.k {
		return
	}
	if len(t.hits) < t.k {
		t.hits = append(t.hits, hit)
	}
	copy(t.hits[at+1:], t.hits[at:])
	t.hits[at] = hit
	if len(t.hits) == t.k {
		t.threshold = t.hits[t.k-1].Score
	}
}

// addAll shows hits of rows that follow each other.
func (t *topK) addAll(start int, scores []float32) {
	for i, score := range scores {
		if !(score < t.threshold) {
			t.add(start+i, score)
		}
	}
}

func (t *topK) cut() {
	slices.SortFunc(t.hits, compareHits)
	t.hits = t.hits[:min(t.k, len(t.hits))]
	if len(t.hits) == t.k {
		t.threshold = t.hits[t.k-1].Score
	}
}

// sorted returns the best, best first.
func (t *topK) sorted() []Hit {
	if t.k > insertionK {
		t.cut()
	}
	return t.hits
}
