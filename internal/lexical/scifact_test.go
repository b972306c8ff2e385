package lexical_test

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/lexical"
	"github.com/ragstone/ragstone/internal/testenv"
)

// The figures of Anserini's BM25 with its flat index of SciFact (title and
// text as one field, k1 0.9, b 0.4): 0.6789 and 0.9253. We get 0.6777 and
// 0.9253, and exactly theirs when lengths are rounded to one byte as Lucene
// does, which is therefore the whole difference. This package may not import
// eval, so the two measures are written out here.
func TestLuceneParityOnSciFact(t *testing.T) {
	index, names := indexSciFact(t, lexical.Lucene())
	if err := index.Verify(); err != nil {
		t.Fatal(err)
	}
	questions := readQuestions(t)
	relevant := readQrels(t)
	var ndcg, recall float64
	for id, docs := range relevant {
		var gain, ideal, found float64
		for rank, hit := range index.Search(index.Query(questions[id]), 100) {
			if docs[names[hit.Doc]] {
				found++
				if rank < 10 {
					gain += 1 / math.Log2(float64(rank)+2)
				}
			}
		}
		for rank := range min(10, len(docs)) {
			ideal += 1 / math.Log2(float64(rank)+2)
		}
		ndcg += gain / ideal / float64(len(relevant))
		recall += found / float64(len(docs)) / float64(len(relevant))
	}
	t.Logf("%d queries: nDCG@10 %.4f, R@100 %.4f", len(relevant), ndcg, recall)
	if math.Abs(ndcg-0.679) > 0.003 {
		t.Errorf("nDCG@10 is %.4f, want 0.679 ± 0.003", ndcg)
	}
	if math.Abs(recall-0.925) > 0.001 {
		t.Errorf("R@100 is %.4f, want 0.925", recall)
	}
}

func indexSciFact(tb testing.TB, analyzer *lexical.Analyzer) (index *lexical.Index, names []string) {
	b := lexical.NewBuilder(analyzer, lexical.Params{K1: 0.9, B: 0.4})
	eachLine(tb, func(line []byte) {
		var doc struct {
			ID          string `json:"_id"`
			Title, Text string
		}
		if err := json.Unmarshal(line, &doc); err != nil {
			tb.Fatal(err)
		}
		b.Add(doc.Title, doc.Text)
		names = append(names, doc.ID)
	}, "corpus.jsonl")
	return b.Build(), names
}

func readQuestions(tb testing.TB) map[string]string {
	questions := map[string]string{}
	eachLine(tb, func(line []byte) {
		var q struct {
			ID   string `json:"_id"`
			Text string
		}
		if err := json.Unmarshal(line, &q); err != nil {
			tb.Fatal(err)
		}
		questions[q.ID] = q.Text
	}, "queries.jsonl")
	return questions
}

func eachLine(tb testing.TB, fn func(line []byte), elem ...string) {
	tb.Helper()
	file, err := os.Open(testenv.Shared(tb, append([]string{"data", "scifact"}, elem...)...))
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fn(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
}

func readQrels(tb testing.TB) map[string]map[string]bool {
	relevant := map[string]map[string]bool{}
	eachLine(tb, func(line []byte) {
		query, doc, grade := split3(line)
		if grade != "1" {
			return // the header
		}
		if relevant[query] == nil {
			relevant[query] = map[string]bool{}
		}
		relevant[query][doc] = true
	}, "qrels", "test.tsv")
	return relevant
}

func split3(line []byte) (a, b, c string) {
	fields := strings.Fields(string(line))
	return fields[0], fields[1], fields[2]
}
