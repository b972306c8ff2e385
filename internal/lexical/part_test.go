package lexical_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/lexical"
)

// A part of a collection, asked with what the whole knows, finds its documents
// in the whole's order with the whole's scores, to the last bit.
func TestAPartScoresAsTheWholeDoes(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 1))
	words := strings.Fields("stone brick wall lamp pier keeper gull harbour mast rope")
	text := func(most int) string {
		var b strings.Builder
		for range 1 + random.IntN(most) {
			b.WriteString(words[min(random.IntN(len(words)), random.IntN(len(words)))] + " ")
		}
		return b.String()
	}
	for _, most := range []int{8, 60} { // the part's texts are shorter than the others, or longer
		var part, all []string
		for range 300 {
			part = append(part, text(most))
		}
		all = slices.Clone(part)
		for range 500 {
			all = append(all, text(68-most))
		}
		small, whole := build(t, part...), build(t, all...)
		scaled := small.Scaled(float64(whole.Words()) / float64(whole.Len()))
		for _, question := range []string{"stone", "rope mast gull", "stone wall lamp rope rope"} {
			q, wq := scaled.Query(question), whole.Query(question)
			for i := range q {
				q[i].IDF = wq[i].IDF
			}
			var want []lexical.Hit
			for _, hit := range whole.Search(wq, whole.Len()) {
				if hit.Doc < small.Len() && len(want) < 10 {
					want = append(want, hit)
				}
			}
			if diff := cmp.Diff(want, scaled.Search(q, 10)); diff != "" {
				t.Errorf("texts up to %d words, %q (-whole +part):\n%s", most, question, diff)
			}
		}
	}
}

func TestHoldingCountsSomeDocuments(t *testing.T) {
	x := build(t, "stone", "brick stone", "brick", "stone stone")
	even := func(doc int) bool { return doc%2 == 0 }
	for question, want := range map[string]int{"stone": 1, "brick": 1, "glass": 0} {
		if got := x.Holding(x.Query(question)[0], even); got != want {
			t.Errorf("%s: %d even documents, want %d", question, got, want)
		}
	}
	if x.Words() != 6 || x.WordsOf(1) != 2 {
		t.Errorf("%d words, %d in document 1; want 6 and 2", x.Words(), x.WordsOf(1))
	}
}
