package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/testenv"
)

var chatModel struct {
	once sync.Once
	*Local
	err error
}

// openChatModel returns the default chat model, which the tests share.
func openChatModel(tb testing.TB) *Local {
	tb.Helper()
	path := testenv.Model(tb, testenv.ChatModel, testenv.ChatModelFile)
	chatModel.once.Do(func() {
		chatModel.Local, chatModel.err = OpenLocal(tb.Context(), path, Options{})
	})
	if chatModel.err != nil {
		tb.Fatal(chatModel.err)
	}
	return chatModel.Local
}

func TestChatModelChats(t *testing.T) {
	l := openChatModel(t)
	if info := l.Info(); info.Name != "SmolLM2-135M-Instruct.Q4_1" || info.Context != 8192 || !info.Chat {
		t.Errorf("got %+v", info)
	}
	req := Request{
		Messages:    []Message{{Role: "user", Content: "Name a fruit."}},
		Temperature: new(0.0),
		MaxTokens:   24,
	}
	first, usage := collect(t, l, req)
	if !strings.Contains(first[0].Text, "fruit") || first[0].FinishReason != FinishStop {
		t.Errorf("got %q, ended by %s", first[0].Text, first[0].FinishReason)
	}
	if want := 34; usage.PromptTokens != want { // with the template's own system message
		t.Errorf("got %d prompt tokens, want %d", usage.PromptTokens, want)
	}
	again, usage := collect(t, l, req)
	if again[0].Text != first[0].Text || usage.CachedTokens != usage.PromptTokens-1 {
		t.Errorf("asked again: got %q with %d cached tokens, want %q with %d",
			again[0].Text, usage.CachedTokens, first[0].Text, usage.PromptTokens-1)
	}
}

// A sampled text does not change when other requests run beside it, and the
// choices of one request are those of the same seed.
func TestChatModelIsRepeatable(t *testing.T) {
	l := openChatModel(t)
	req := Request{Prompt: "The three little pigs", MaxTokens: 12, Seed: new(int64(5)), N: 2, TopP: new(0.9)}
	alone, _ := collect(t, l, req)
	if alone[0].Text == alone[1].Text {
		t.Errorf("both choices are %q", alone[0].Text)
	}
	var wait sync.WaitGroup
	for i := range 3 {
		wait.Go(func() {
			for range l.Generate(t.Context(), Request{Prompt: strings.Repeat("Once more. ", 20*i+1), MaxTokens: 12}) {
			}
		})
	}
	among, _ := collect(t, l, req)
	wait.Wait()
	if diff := cmp.Diff(alone, among); diff != "" {
		t.Errorf("alone and among others (-alone +among):\n%s", diff)
	}
}

// Scoring says what generating with log-probabilities says.
func TestChatModelScoresWhatItGenerates(t *testing.T) {
	l := openChatModel(t)
	prompt := "The capital of France is"
	choices, _ := collect(t, l, Request{Prompt: prompt, Temperature: new(0.0), MaxTokens: 6, LogProbs: true, IgnoreEnd: true})
	scored, err := l.Score(t.Context(), ScoreRequest{End: "\n", Items: []ScoreItem{
		{prompt, choices[0].Text}, {prompt, " a banana"}, {prompt, " 1987"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, token := range scored[0].Tokens {
		if want := choices[0].Tokens[i]; math.Abs(token.LogProb-want.LogProb) > 1e-9 {
			t.Errorf("token %d %q: got %v, want %v", i, want.Bytes, token.LogProb, want.LogProb)
		}
	}
	if first, other := scored[0].Tokens[0].LogProb, scored[1].Tokens[0].LogProb; first < other+2 {
		t.Errorf("log-probability %.2f for %q, %.2f for a banana", first, choices[0].Text, other)
	}
	var cuts []int
	for _, token := range scored[2].Tokens {
		cuts = append(cuts, token.Start)
		if token.EndLogProb >= 0 || math.IsInf(token.EndLogProb, 0) {
			t.Errorf("end after %q: got log-probability %v", " 1987"[:token.End], token.EndLogProb)
		}
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3, 4}, cuts); diff != "" {
		t.Errorf("a number is a space and digits (-want +got):\n%s", diff)
	}
}

// Scores are the same bits together, from kept prefixes, and one by one.
func TestChatModelScoresDoNotDependOnCompany(t *testing.T) {
	l := openChatModel(t)
	fresh, err := OpenLocal(t.Context(), testenv.Model(t, testenv.ChatModel), Options{Threads: 1, PrefixCache: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	req := ScoreRequest{End: "\n"}
	shots := "Passage: The harbour was dredged in 1884.\nQuestion: When was it dredged?\nAnswer: 1884\n\n"
	for _, own := range []string{"The mill was sold.", "The mill was sold in 1902 to the council.", "It rained."} {
		req.Items = append(req.Items, ScoreItem{shots + "Passage: " + own + "\nQuestion:", " Who bought the mill?"})
	}
	for range 2 { // the second time from what was kept of the first
		together, err := l.Score(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for i, item := range req.Items {
			alone, err := fresh.Score(t.Context(), ScoreRequest{End: req.End, Items: []ScoreItem{item}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(alone[0], together[i]); diff != "" {
				t.Errorf("item %d (-alone +together):\n%s", i, diff)
			}
		}
	}
}

func TestOpenLocalRefuses(t *testing.T) {
	path := testenv.Model(t, testenv.ChatModel, testenv.ChatModelFile)
	_, err := OpenLocal(t.Context(), path, Options{MaxMemory: 50e6})
	var tooLarge *MemoryError
	if !errors.As(err, &tooLarge) || tooLarge.Limit != 50e6 || tooLarge.Need < 90e6 {
		t.Errorf("in 50 MB: got %v, want a MemoryError with both numbers", err)
	}
	for name, path := range map[string]string{"nothing": t.TempDir() + "/none.gguf", "an empty folder": t.TempDir()} {
		if _, err := OpenLocal(t.Context(), path, Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A checkpoint in Hugging Face's layout continues as the independent
// implementation did that came with it. Its own tokenizer is of a kind that
// internal/tokenizer does not read, so the test puts another beside it.
func TestCheckpoint(t *testing.T) {
	shared := testenv.Shared(t, "data", "tinystories-656k")
	dir := t.TempDir()
	for _, name := range []string{configFile, weightsFile} {
		data, err := os.ReadFile(filepath.Join(shared, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, tokenizerFile), byteLevelJSON(t, 2048), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(shared, "golden_greedy.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ IDs []int32 }
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}

	l, err := OpenLocal(t.Context(), dir, Options{Threads: 1, MaxMemory: 64e6})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const end = 2
	req := Request{Tokens: golden.IDs[:1], EndTokens: []int32{end}, Temperature: new(0.0), LogProbs: true}
	choices, _ := collect(t, l, req)
	got := golden.IDs[:1:1]
	for _, token := range choices[0].Tokens {
		got = append(got, token.ID)
	}
	if diff := cmp.Diff(golden.IDs, append(got, end)); diff != "" {
		t.Errorf("greedy tokens (-want +got):\n%s", diff)
	}
	if _, _, err := Collect(l.Generate(t.Context(), Request{Messages: []Message{{Role: "user"}}})); !errors.Is(err, ErrNoTemplate) {
		t.Errorf("a model without a template was asked to chat: got %v, want ErrNoTemplate", err)
	}
	one, err := l.Fingerprint()
	other, _ := l.Fingerprint()
	if err != nil || len(one) != 64 || one != other {
		t.Errorf("fingerprints %q and %q, %v", one, other, err)
	}
}

// byteLevelJSON is a tokenizer.json with a token for each byte, and others
// that no text has.
func byteLevelJSON(t *testing.T, size int) []byte {
	t.Helper()
	vocabulary := map[string]int{}
	beyond := 0
	for b := range 256 {
		// GPT-2 spells a byte by its Latin-1 character if that can be seen, else
		// by the next character from U+0100.
		r := rune(b)
		if seen := r > ' ' && r < 0x7f || r > 0xa0 && r != 0xad; !seen {
			r = rune(0x100 + beyond)
			beyond++
		}
		vocabulary[string(r)] = b
	}
	for id := 256; id < size; id++ {
		vocabulary[fmt.Sprintf("unused-%d", id)] = id
	}
	data, err := json.Marshal(map[string]any{
		"model":         map[string]any{"type": "BPE", "vocab": vocabulary, "merges": []string{}},
		"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
		"decoder":       map[string]any{"type": "ByteLevel"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// BenchmarkExtract is the work of a typical question that is answered by
// extraction, after worked examples of some 250 tokens that were kept from the
// question before: the query likelihood of 8 sentences of 45 tokens, a question
// of 12 tokens each; then 14 spans of 10 tokens over one prompt of 350.
func BenchmarkExtract(b *testing.B) {
	l := openChatModel(b)
	for question := 0; b.Loop(); question++ {
		likelihood, spans := extraction(question)
		for _, req := range []ScoreRequest{likelihood, spans} {
			if _, err := l.Score(b.Context(), req); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// extraction returns the two requests of a question.
func extraction(question int) (likelihood, spans ScoreRequest) {
	shots := strings.Repeat("Passage: The harbour was dredged in 1884 and again after the great storm of 1902.\n"+
		"Question: When was the harbour first dredged?\nAnswer: 1884\n\n", 5)
	passage := func(i int) string {
		return fmt.Sprintf("Passage: In year %d of its rule the council bought old mill %d from the heirs of its last owner "+
			"and made of it, at the expense of the county, a school for the valley.\nQuestion:", question, i)
	}
	for i := range 8 {
		likelihood.Items = append(likelihood.Items, ScoreItem{
			Prompt:       shots + passage(i),
			Continuation: " Who bought the old mill and what became of it then?",
		})
	}
	for i := range 14 {
		spans.Items = append(spans.Items, ScoreItem{
			Prompt:       shots + passage(1) + " and" + passage(2) + " Who bought it?\nAnswer:",
			Continuation: fmt.Sprintf(" %c council of the town bought the old mill", 'a'+i),
		})
	}
	spans.End = "\n"
	return likelihood, spans
}

// BenchmarkStream is the speed of one stream, to compare with the model's own.
func BenchmarkStream(b *testing.B) {
	l := openChatModel(b)
	for b.Loop() {
		req := Request{Prompt: "Once upon a time", MaxTokens: 128, IgnoreEnd: true, Temperature: new(0.0)}
		if _, _, err := Collect(l.Generate(b.Context(), req)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(128*b.N)/b.Elapsed().Seconds(), "tok/s")
}
