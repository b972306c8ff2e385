package rag

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/llm"
)

// wordScorer stands in for a language model: it finds continuations that
// begin with its answer likely, ends them there, and finds a question likely
// after a passage that holds the answer. A token is a word.
type wordScorer struct{ answer string }

func (w wordScorer) Score(_ context.Context, req llm.ScoreRequest) ([]llm.Scored, error) {
	results := make([]llm.Scored, len(req.Items))
	for i, item := range req.Items {
		asksBack := strings.HasSuffix(item.Prompt, "Question:")
		passage := item.Prompt[strings.LastIndex(item.Prompt, "Passage:"):]
		at := 0
		for n, word := range strings.SplitAfter(item.Continuation, " ") {
			if req.MaxTokens > 0 && n > req.MaxTokens {
				break
			}
			if n == 0 {
				at = len(word) // the leading space belongs to the first word
				continue
			}
			start := at
			at += len(word)
			token := llm.ScoredToken{Start: start, End: start + len(strings.TrimRight(word, " ")), LogProb: -4, EndLogProb: -6}
			text := strings.TrimSpace(item.Continuation[:token.End])
			switch {
			case asksBack && strings.Contains(passage, w.answer):
				token.LogProb = -1
			case strings.HasPrefix(w.answer, text):
				token.LogProb = -0.1
			}
			if strings.Trim(text, ".,") == w.answer {
				token.EndLogProb = -0.1
			}
			results[i].Tokens = append(results[i].Tokens, token)
		}
	}
	return results, nil
}

// twoPassages is a search's result on which the gate is sure.
func twoPassages() *Results {
	lamp := "The harbour is deep.\nThe Harrow lighthouse first shone on 3 March 1874, to the relief of sailors. Its lamp burned rape oil."
	cottage := "The keeper's cottage at Harrow was rebuilt in 1902."
	hit := func(rank int, path, text string, at int) Hit {
		return Hit{
			Passage: Passage{ID: rank, Path: path, Text: text, Start: at, End: at + len(text), Place: Place{Line: 10}, Headings: []string{"Harrow", "History"}},
			Rank:    rank, Score: 1 / float64(rank),
			Keyword: Standing{rank, 4 / float64(rank)}, Vector: Standing{rank, 0.8 / float64(rank)},
		}
	}
	return &Results{
		Question: "When did the Harrow lighthouse first shine?",
		Hits:     []Hit{hit(1, "/docs/harrow.md", lamp, 200), hit(2, "/docs/cottage.md", cottage, 0)},
		Terms: []QueryTerm{
			{"harrow", 2, 1.5}, {"lighthous", 1, 2.2}, {"first", 1, 2.2},
		},
		BestKeyword: 4, BestVector: 0.8,
	}
}

func TestExtractQuotesTheSpanTheModelFindsLikely(t *testing.T) {
	extract := &Extract{Scorer: wordScorer{"3 March 1874"}, Model: "words", Threshold: -1, Trace: true}
	answer, err := extract.Answer(context.Background(), twoPassages(), func(s string) { t.Errorf("said %q before it was checked", s) })
	if err != nil {
		t.Fatal(err)
	}
	if !answer.Answered || answer.Text != "3 March 1874" {
		t.Fatalf("answered %v with %q, want 3 March 1874", answer.Answered, answer.Text)
	}
	quote := "The Harrow lighthouse first shone on 3 March 1874, to the relief of sailors."
	want := []Citation{{
		N: 1, Path: "/docs/harrow.md", Place: Place{Line: 11}, Heading: []string{"Harrow", "History"},
		Start: 221, End: 221 + len(quote), Quote: quote, Mark: [2]int{37, 49}, Score: 1,
	}}
	if diff := cmp.Diff(want, answer.Citations); diff != "" {
		t.Errorf("citations (-want +got):\n%s", diff)
	}
	if len(answer.Trace.Spans) == 0 || answer.Trace.Spans[0].Text != answer.Text {
		t.Errorf("the trace's first span is not the answer: %+v", answer.Trace.Spans)
	}
}

func TestExtractSaysWhenTheDocumentsDoNotAnswer(t *testing.T) {
	results := twoPassages()
	results.Question = "Who won the chess tournament in Reykjavik?"
	results.Terms = []QueryTerm{{"won", 0, 3}, {"chess", 0, 3}, {"tournament", 0, 3}, {"reykjavik", 0, 3}}
	results.BestKeyword, results.BestVector = 0, 0.1
	for i := range results.Hits {
		results.Hits[i].Keyword, results.Hits[i].Vector = Standing{}, Standing{Rank: 1, Score: 0.1}
	}
	extract := &Extract{Scorer: wordScorer{"nothing"}, Model: "words"}
	answer, err := extract.Answer(context.Background(), results, func(s string) { t.Errorf("said %q", s) })
	if err != nil {
		t.Fatal(err)
	}
	if answer.Answered || answer.Text != "" {
		t.Errorf("answered %q with confidence %v", answer.Text, answer.Confidence)
	}
	if len(answer.Citations) != 0 {
		t.Errorf("%+v is shown, which has nothing to do with the question", answer.Citations)
	}
	results.Question += " Or in Harrow?"
	results.Terms = append(results.Terms, QueryTerm{"harrow", 2, 0.5})
	if answer, err = extract.Answer(context.Background(), results, nil); err != nil || answer.Answered || len(answer.Citations) == 0 {
		t.Errorf("got %+v, %v; want no answer, and the passages with one of the words", answer, err)
	}
}

// Of rows that are alike the number in the question tells which is meant, and a
// cell that only repeats the question is no answer.
func TestExtractAnswersFromTheRowThatIsAskedAbout(t *testing.T) {
	const table = "product;price\nWidget 7;93.50\nWidget 107;12.00\n"
	for _, tt := range []struct{ question, likely, want string }{
		{"What is the price of Widget 7?", "12.00", "93.50"},
		{"What is the price of Widget 7?", "Widget 7", "93.50"},
		{"What is the price of Widget 107?", "93.50", "12.00"},
		{"What is the price of Widget 8?", "93.50", ""},
	} {
		results := &Results{Question: tt.question, Hits: []Hit{{Passage: Passage{Path: "/stock.csv", Text: table, End: len(table)}, Score: 1}}}
		extract := &Extract{Scorer: wordScorer{tt.likely}, Threshold: -1}
		answer, err := extract.Answer(t.Context(), results, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		if answer.Text != tt.want || answer.Answered != (tt.want != "") {
			t.Errorf("%s is answered %v with %q by a model that likes %q, want %q", tt.question, answer.Answered, answer.Text, tt.likely, tt.want)
		}
	}
}

func TestAnswersOfNothing(t *testing.T) {
	empty := &Results{Question: "Why?"}
	for _, answerer := range []Answerer{&Extract{Scorer: wordScorer{}}, &Quote{}, &Write{Generator: script("never asked")}} {
		answer, err := answerer.Answer(context.Background(), empty, nil)
		if err != nil || answer.Answered || len(answer.Citations) != 0 {
			t.Errorf("%T: got %+v, %v; want an empty answer", answerer, answer, err)
		}
	}
}

// script is a Generator that writes the same text whatever it is asked.
type script string

func (s script) Generate(context.Context, llm.Request) iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		for _, r := range string(s) {
			if !yield(llm.Delta{Text: string(r)}, nil) {
				return
			}
		}
		yield(llm.Delta{FinishReason: llm.FinishStop, Usage: &llm.Usage{}}, nil)
	}
}

func TestWriteMarksWhatTheDocumentsDoNotSay(t *testing.T) {
	write := &Write{Generator: script("The lighthouse first shone on 3 March 1874 [1]. It was painted red and white [2]."), Model: "script"}
	var said strings.Builder
	answer, err := write.Answer(context.Background(), twoPassages(), func(s string) { said.WriteString(s) })
	if err != nil {
		t.Fatal(err)
	}
	want := "The lighthouse first shone on 3 March 1874. [1] It was painted red and white. (not from the documents)"
	if answer.Text != want || said.String() != want {
		t.Errorf("text %q, said %q, want %q", answer.Text, said.String(), want)
	}
	if !answer.Answered || len(answer.Citations) != 1 || answer.Confidence != 0.5 {
		t.Errorf("answered %v, %d citations, confidence %v; want true, 1, 0.5", answer.Answered, len(answer.Citations), answer.Confidence)
	}
}

func TestWriteTakesTheModelsNoForAnAnswer(t *testing.T) {
	write := &Write{Generator: script("NOT IN THE PASSAGES"), Model: "script"}
	answer, err := write.Answer(context.Background(), twoPassages(), func(s string) { t.Errorf("said %q", s) })
	if err != nil {
		t.Fatal(err)
	}
	if answer.Answered || len(answer.Citations) == 0 {
		t.Errorf("answered %v with %d nearest passages", answer.Answered, len(answer.Citations))
	}
}

func TestQuoteNeedsNoModel(t *testing.T) {
	answer, err := (&Quote{}).Answer(context.Background(), twoPassages(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !answer.Answered || !strings.Contains(answer.Text, "lighthouse") || answer.Text != answer.Citations[0].Quote {
		t.Errorf("got %+v, want the sentence on the lighthouse, quoted", answer)
	}
}

func TestQuoteLeavesHeadingsOut(t *testing.T) {
	results := twoPassages()
	first := &results.Hits[0]
	first.Text = "Harrow lighthouse\n\nIts lamp first burned rape oil."
	first.Headings = []string{"Harrow lighthouse"}
	results.Hits = results.Hits[:1]
	answer, err := (&Quote{}).Answer(context.Background(), results, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Citations) != 1 || answer.Text != "Its lamp first burned rape oil." {
		t.Errorf("got %+v, want the sentence on the lamp alone", answer.Citations)
	}
	first.Text = "Harrow lighthouse"
	if answer, err = (&Quote{}).Answer(context.Background(), results, nil); err != nil || answer.Text != first.Text {
		t.Errorf("got %+v, %v, want the heading, as there is nothing else", answer, err)
	}
}

func TestMisquotesAreCaught(t *testing.T) {
	source := sourceFunc("abc def ghi")
	good := Citation{N: 1, Path: "a", Start: 4, End: 7, Quote: "def"}
	for name, c := range map[string]Citation{
		"other bytes":   {N: 1, Path: "a", Start: 3, End: 6, Quote: "def"},
		"past the end":  {N: 1, Path: "a", Start: 8, End: 12, Quote: "ghij"},
		"negative":      {N: 1, Path: "a", Start: -1, End: 2, Quote: "abc"},
		"a mark beyond": {N: 1, Path: "a", Start: 4, End: 7, Quote: "def", Mark: [2]int{1, 9}},
	} {
		if err := (&Answer{Citations: []Citation{good, c}}).Verify(source); err == nil {
			t.Errorf("%s: the misquote passed", name)
		}
	}
	if err := (&Answer{Citations: []Citation{good}}).Verify(source); err != nil {
		t.Errorf("a true quote was refused: %v", err)
	}
}

type sourceFunc string

func (s sourceFunc) DocumentText(string) (string, error) { return string(s), nil }

func TestSelfTestJudgesByWhatTheModelWrites(t *testing.T) {
	// A model that copies everything with citations to all passages is right
	// where there is an answer, and wrong where there is none.
	test, err := RunSelfTest(context.Background(), parrot{})
	if err != nil {
		t.Fatal(err)
	}
	if test.Method != MethodWrite || test.Right < writesFrom {
		t.Errorf("a model that quotes well: %+v, want write", test)
	}
	test, err = RunSelfTest(context.Background(), script("I do not know what you mean."))
	if err != nil {
		t.Fatal(err)
	}
	if test.Method != MethodExtract || test.Asked == len(selfTestQuestions) {
		t.Errorf("a model that writes nonsense: %+v, want extract after an early stop", test)
	}
}

// parrot repeats the first sentence of each passage with its number.
type parrot struct{}

func (parrot) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Delta, error] {
	var b strings.Builder
	for _, line := range strings.Split(req.Messages[1].Content, "\n\n") {
		if number, text, ok := strings.Cut(line, "] "); ok && strings.HasPrefix(number, "[") {
			sentence, _, _ := strings.Cut(text, ". ")
			b.WriteString(strings.TrimSuffix(sentence, ".") + " " + number + "]. ")
		}
	}
	return script(b.String()).Generate(ctx, req)
}
