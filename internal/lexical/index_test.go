package lexical_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/lexical"
)

var usual = lexical.Params{K1: 0.9, B: 0.4}

func build(t testing.TB, texts ...string) *lexical.Index {
	t.Helper()
	b := lexical.NewBuilder(lexical.Default(), usual)
	for _, text := range texts {
		b.Add(text)
	}
	index := b.Build()
	if err := index.Verify(); err != nil {
		t.Fatal(err)
	}
	return index
}

func TestScoresByHand(t *testing.T) {
	index := build(t, "red red stone", "red brick", "blue stone wall tall")
	got := index.Search(index.Query("red stone"), 10)
	idf := math.Log(1 + 1.5/2.5) // both words are in two of three documents
	score := func(tf, length float64) float64 {
		return idf * tf / (tf + 0.9*(1-0.4+0.4*length/3))
	}
	want := []lexical.Hit{
		{Doc: 0, Score: score(2, 3) + score(1, 3)},
		{Doc: 1, Score: score(1, 2)},
		{Doc: 2, Score: score(1, 4)},
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEqualScoresKeepTheOrderOfDocuments(t *testing.T) {
	index := build(t, "one", "two", "one", "one")
	got := index.Search(index.Query("one"), 2)
	if len(got) != 2 || got[0].Doc != 0 || got[1].Doc != 2 {
		t.Errorf("got %v, want documents 0 and 2", got)
	}
}

func TestARepeatedQuestionWordCountsTwice(t *testing.T) {
	index := build(t, "stone", "brick", "wall")
	once, twice := index.Search(index.Query("stone"), 1), index.Search(index.Query("stone stones"), 1)
	if twice[0].Score != 2*once[0].Score {
		t.Errorf("twice scores %v, once %v", twice[0].Score, once[0].Score)
	}
}

func TestNothingIsFoundWhereNothingIs(t *testing.T) {
	for name, index := range map[string]*lexical.Index{
		"no documents":    build(t),
		"empty documents": build(t, "", "the", "…"),
		"other words":     build(t, "brick"),
	} {
		if got := index.Search(index.Query("stone and the"), 5); len(got) != 0 {
			t.Errorf("%s: got %v", name, got)
		}
	}
	index := build(t, "stone")
	if got := index.Search(index.Query("stone"), 0); got != nil {
		t.Errorf("k 0: got %v", got)
	}
}

// randomTexts makes documents whose words follow Zipf's law, so that some
// postings fill many blocks and others one.
func randomTexts(random *rand.Rand, n int) []string {
	zipf := rand.NewZipf(random, 1.1, 3, 3000)
	texts := make([]string, n)
	for i := range texts {
		var text strings.Builder
		for range random.IntN(40) {
			fmt.Fprintf(&text, "w%d ", zipf.Uint64())
		}
		texts[i] = text.String()
	}
	return texts
}

// exhaustive scores every document, and keeps the k best.
func exhaustive(index *lexical.Index, q lexical.Query, k int) []lexical.Hit {
	docs := make([]int, index.Len())
	for i := range docs {
		docs[i] = i
	}
	var hits []lexical.Hit
	for doc, score := range index.Scores(q, docs) {
		if score > 0 {
			hits = append(hits, lexical.Hit{Doc: doc, Score: score})
		}
	}
	slices.SortStableFunc(hits, func(a, b lexical.Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return hits[:min(k, len(hits))]
}

func TestPruningChangesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	index := build(t, randomTexts(random, 5000)...)
	zipf := rand.NewZipf(random, 1.05, 2, 3200)
	for range 400 {
		var words []string
		for range 1 + random.IntN(9) {
			words = append(words, fmt.Sprintf("w%d", zipf.Uint64()))
		}
		question := strings.Join(words, " ")
		q := index.Query(question)
		for _, k := range []int{1, 7, 100, 6000} {
			if diff := cmp.Diff(exhaustive(index, q, k), index.Search(q, k), cmp.Comparer(sameHits)); diff != "" {
				t.Fatalf("%q, k %d: pruned search differs from exhaustive (-want +got):\n%s", question, k, diff)
			}
		}
	}
}

func sameHits(a, b []lexical.Hit) bool { return slices.Equal(a, b) }

func TestDocumentsAreTakenOver(t *testing.T) {
	texts := randomTexts(rand.New(rand.NewPCG(3, 4)), 700)
	old := build(t, texts...)

	// Some leave, the others change places, and new ones come in between.
	b := lexical.NewBuilder(lexical.Default(), usual)
	keep := []int{650, 3, 4, 90, 400, 0}
	b.Add("a new first document")
	if err := b.AddFrom(old, keep); err != nil {
		t.Fatal(err)
	}
	b.Add("w1 and a new last one")
	got := b.Build()

	want := []string{"a new first document"}
	for _, doc := range keep {
		want = append(want, texts[doc])
	}
	if !slices.Equal(got.Bytes(), build(t, append(want, "w1 and a new last one")...).Bytes()) {
		t.Error("an index with documents taken over differs from one built from their texts")
	}

	// The same documents, the new ones added last and then put in place.
	b = lexical.NewBuilder(lexical.Default(), usual)
	if err := b.AddFrom(old, keep); err != nil {
		t.Fatal(err)
	}
	b.Add("w1 and a new last one")
	b.Add("a new first document")
	b.Renumber([]int{1, 2, 3, 4, 5, 6, 7, 0})
	if !slices.Equal(b.Build().Bytes(), got.Bytes()) {
		t.Error("renumbered documents give another index than documents added in order")
	}

	other := lexical.NewBuilder(lexical.Lucene(), usual)
	if err := other.AddFrom(old, keep); err == nil {
		t.Error("documents of another analyser were taken over")
	}
}

func BenchmarkSearch(b *testing.B) {
	index, _ := indexSciFact(b, lexical.Default())
	var queries []lexical.Query
	for _, question := range readQuestions(b) {
		queries = append(queries, index.Query(question))
	}
	i := 0
	for b.Loop() {
		index.Search(queries[i%len(queries)], 10)
		i++
	}
}
