package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/lexical"
	"github.com/ragstone/ragstone/internal/testenv"
)

// The keyword rows of the golden file, which need no model. The others are
// held by `make quality`.
func TestKeywordFiguresAreThoseInTheTree(t *testing.T) {
	scifact, err := loadSciFact(testenv.Shared(t, "data", "scifact"), "test")
	if err != nil {
		t.Fatal(err)
	}
	articles, questions, err := loadXQuAD(testenv.Shared(t, "data", "xquad", "xquad.en.json"))
	if err != nil {
		t.Fatal(err)
	}
	xquad := xquadParagraphs(articles, questions, "XQuAD en, even half", func(q question) bool { return !q.odd() })
	var rows bytes.Buffer
	printRow(&rows, scifact, "BM25, Lucene's analyser", keywordRanking(scifact, lexical.Lucene()))
	printRow(&rows, scifact, "BM25", keywordRanking(scifact, lexical.Default()))
	printRow(&rows, xquad, "BM25", keywordRanking(xquad, lexical.Default()))

	golden, err := os.ReadFile("testdata/retrieval.txt")
	if err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(rows.String()) {
		if !strings.Contains(string(golden), row) {
			t.Errorf("testdata/retrieval.txt lacks the row\n%sof `go run ./test/quality retrieval`", row)
		}
	}
}

func TestReciprocalRankFusionByHand(t *testing.T) {
	candidates := []candidate{
		{doc: 1, keywordRank: 1},                // ½·1/11
		{doc: 2, keywordRank: 2, vectorRank: 1}, // ½·(1/12 + 1/11)
		{doc: 3, vectorRank: 2},                 // ½·1/12
	}
	got := reciprocal(candidates, 0.5, 10)
	if got[0].doc != 2 || got[1].doc != 1 || got[2].doc != 3 {
		t.Errorf("got %v, want documents 2, 1, 3", got)
	}
}
