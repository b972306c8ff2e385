package chunk

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/document"
	"github.com/ragstone/ragstone/internal/testenv"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// corpora are the texts of Chroma's chunking evaluation (Smith and
// Troynikov, "Evaluating chunking strategies for retrieval", 2024).
var corpora = []string{"chatlogs", "finance", "pubmed", "state_of_the_union", "wikitexts"}

// TestSplitKeepsReferencesWhole counts the questions all of whose golden spans
// lie in one passage each. What is cut is out of reach for search, however
// good.
func TestSplitKeepsReferencesWhole(t *testing.T) {
	o := Options{MaxTokens: 254, Count: miniLM(t).Count}
	docs, passages := map[string]*document.Document{}, map[string][]Span{}
	for _, name := range corpora {
		doc := corpus(t, name)
		split := Split(doc, o)
		check(t, doc, split, o)
		docs[name] = doc
		for _, p := range split {
			passages[name] = append(passages[name], Span{p.Start, p.End})
		}
	}
	whole, questions := 0, 0
	for _, q := range chunkingQuestions(t) {
		questions++
		if holdsAll(passages[q.corpus], docs[q.corpus].Text, q.references) {
			whole++
		}
	}
	t.Logf("%d of %d questions have their references whole", whole, questions)
	if share := float64(whole) / float64(questions); share < 0.97 {
		t.Errorf("%.3f of the questions have their references whole, want at least 0.97", share)
	}
}

func holdsAll(passages []Span, text string, references []string) bool {
	for _, r := range references {
		start := strings.Index(text, r)
		if start < 0 || !holds(passages, Span{start, start + len(r)}) {
			return false
		}
	}
	return true
}

// miniLM is the tokenizer of the default embedding model.
func miniLM(tb testing.TB) *tokenizer.Tokenizer {
	tb.Helper()
	data, err := os.ReadFile(testenv.Model(tb, testenv.EmbedModel, "tokenizer.json"))
	if err != nil {
		tb.Fatal(err)
	}
	tok, err := tokenizer.FromJSON(data)
	if err != nil {
		tb.Fatal(err)
	}
	return tok
}

func corpus(tb testing.TB, name string) *document.Document {
	tb.Helper()
	data, err := os.ReadFile(testenv.Shared(tb, "data", "chunking", "corpora", name+".md"))
	if err != nil {
		tb.Fatal(err)
	}
	return parse(tb, name+".md", string(data))
}

type chunkingQuestion struct {
	corpus     string
	references []string // verbatim
}

func chunkingQuestions(tb testing.TB) []chunkingQuestion {
	tb.Helper()
	f, err := os.Open(testenv.Shared(tb, "data", "chunking", "questions_df.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	var questions []chunkingQuestion
	for _, row := range rows[1:] {
		var references []struct {
			Content string `json:"content"`
		}
		if err := json.Unmarshal([]byte(row[1]), &references); err != nil {
			tb.Fatal(err)
		}
		q := chunkingQuestion{corpus: row[2]}
		for _, r := range references {
			q.references = append(q.references, strings.TrimSpace(r.Content))
		}
		questions = append(questions, q)
	}
	return questions
}

// BenchmarkSplit counts bytes in place of tokens, so that it measures the
// splitter alone.
func BenchmarkSplit(b *testing.B) {
	doc := corpus(b, "wikitexts")
	b.SetBytes(int64(len(doc.Text)))
	for b.Loop() {
		Split(doc, Options{MaxTokens: 256, Count: func(s string) int { return len(s) / 4 }})
	}
}

// BenchmarkSplitMiniLM counts as the default model does.
func BenchmarkSplitMiniLM(b *testing.B) {
	doc, tok := corpus(b, "wikitexts"), miniLM(b)
	b.SetBytes(int64(len(doc.Text)))
	for b.Loop() {
		Split(doc, Options{MaxTokens: 254, Count: tok.Count})
	}
}
