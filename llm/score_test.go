package llm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/tokenizer"
)

// checkScores compares results with the definition: a log-softmax of the
// script after every prefix.
func checkScores(t *testing.T, req ScoreRequest, got []Scored) {
	t.Helper()
	if len(got) != len(req.Items) {
		t.Fatalf("got %d results for %d items", len(got), len(req.Items))
	}
	v := byteVocabulary{addsBegin: true}
	for i, item := range req.Items {
		before := v.Encode(item.Prompt, tokenizer.Options{AddSpecial: true})
		pieces := v.EncodeOffsets(item.Continuation, tokenizer.Options{})
		if req.MaxTokens > 0 {
			pieces = pieces[:min(len(pieces), req.MaxTokens)]
		}
		if len(got[i].Tokens) != len(pieces) {
			t.Errorf("item %d %q: got %d tokens, want %d", i, item, len(got[i].Tokens), len(pieces))
			continue
		}
		for k, p := range pieces {
			scored := got[i].Tokens[k]
			want := ScoredToken{Start: p.Start, End: p.End, LogProb: logSoftmax(arbitrary(before), p.ID)}
			before = append(before, p.ID)
			if req.End != "" {
				want.EndLogProb = endDefinition(v, arbitrary(before), req.End)
			}
			near := math.Abs(scored.LogProb-want.LogProb) < 1e-6 && math.Abs(scored.EndLogProb-want.EndLogProb) < 1e-6
			if scored.Start != want.Start || scored.End != want.End || !near {
				t.Errorf("item %d %q, token %d: got %+v, want %+v", i, item, k, scored, want)
			}
		}
	}
}

// endDefinition adds up the probabilities of all tokens that begin with end.
func endDefinition(v byteVocabulary, logits []float32, end string) float64 {
	sum := 0.0
	for id := range int32(v.Size()) {
		if strings.HasPrefix(string(v.TokenBytes(id)), end) {
			sum += math.Exp(logSoftmax(logits, id))
		}
	}
	return math.Log(sum)
}

func TestScoreEqualsTheDefinition(t *testing.T) {
	const seed = 3
	rng := rand.New(rand.NewPCG(seed, 0))
	shots := strings.Repeat("Q: a question? A: an answer.\n", 6)
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	for round := range 12 {
		req := ScoreRequest{MaxTokens: rng.IntN(5), End: []string{"", "\n"}[rng.IntN(2)]}
		for range 1 + rng.IntN(12) {
			req.Items = append(req.Items, randomItem(rng, shots))
		}
		got, err := l.Score(t.Context(), req)
		if err != nil {
			t.Fatalf("seed %d, round %d: %v", seed, round, err)
		}
		checkScores(t, req, got)
	}
}

// randomItem shares beginnings with others of its kind, in all the ways that
// make trees: equal prompts, prompts that begin another, equal items.
func randomItem(rng *rand.Rand, shots string) ScoreItem {
	item := ScoreItem{Prompt: shots[:10*rng.IntN(len(shots)/10)], Continuation: "word"[:rng.IntN(5)]}
	if rng.IntN(2) == 0 {
		item.Prompt = shots + fmt.Sprintf("Passage: the %d. ", rng.IntN(3))
		item.Continuation = fmt.Sprintf("What is number %d?", rng.IntN(4))
	}
	return item
}

// A tree that memory does not hold at once is scored in parts.
func TestScoreWithinLittleMemory(t *testing.T) {
	d := &scriptedDecoder{script: arbitrary}
	l := openScripted(t, d, func(e *engineLimits) { e.cacheBytes = 500 * cacheBytesPerToken })
	req := ScoreRequest{End: "\n"}
	for i := range 30 {
		req.Items = append(req.Items, ScoreItem{
			Prompt:       strings.Repeat("common ", 20) + fmt.Sprint("and its own ", i%10),
			Continuation: fmt.Sprint(" then ", i),
		})
	}
	got, err := l.Score(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	checkScores(t, req, got)
}

func TestScoreRunsCommonBeginningsOnce(t *testing.T) {
	d := &scriptedDecoder{script: arbitrary}
	l := openScripted(t, d, func(e *engineLimits) { e.cacheBytes = 1 << 20; e.keepBytes = 1 << 19; e.stepRows = 256 })
	shots := strings.Repeat("x", 299) // 300 tokens with the one before every text
	ask := func(question byte) ScoreRequest {
		var req ScoreRequest
		for i := range 8 {
			req.Items = append(req.Items, ScoreItem{
				Prompt:       shots + fmt.Sprintf("Passage %c%c:", question, 'a'+i) + strings.Repeat("y", 40),
				Continuation: strings.Repeat("z", 12),
			})
		}
		return req
	}
	steps := []struct {
		req  ScoreRequest
		most int64 // tokens run
	}{
		{ask('A'), 300 + 8*(51+11)},
		{ask('B'), 9 + 8*(51+11)}, // the shots are kept
		{ScoreRequest{MaxTokens: 1, Items: []ScoreItem{{shots, "a"}, {shots, "b"}, {shots, "c"}}}, 1},
	}
	for i, s := range steps {
		before := d.ran.Load()
		if _, err := l.Score(t.Context(), s.req); err != nil {
			t.Fatal(err)
		}
		if ran := d.ran.Load() - before; ran > s.most {
			t.Errorf("request %d: %d tokens have been run, want at most %d", i, ran, s.most)
		}
	}
}

// Where a token spans the end of the prompt, prompt and continuation are
// tokenised apart.
func TestScoreTokensAtTheBoundary(t *testing.T) {
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	got, err := l.Score(t.Context(), ScoreRequest{Items: []ScoreItem{
		{"Answer:\n", "\nyes"},   // not the token of two newlines
		{"Answer:", "\n\nyes"},   // that token
		{"", "\n\n\n"},           // after the token before every text
		{"<|end|>", "<|turn|>x"}, // no control tokens in what is scored
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]int{{0, 1, 2, 3}, {0, 2, 3, 4}, {0, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8}} {
		var starts []int
		for _, token := range got[i].Tokens {
			starts = append(starts, token.Start)
		}
		if fmt.Sprint(starts) != fmt.Sprint(want) {
			t.Errorf("item %d: tokens start at %v, want %v", i, starts, want)
		}
	}
}

func TestScoreTree(t *testing.T) {
	sequence := func(item int, text string) *scoreSequence {
		tokens := byteVocabulary{}.Encode(text, tokenizer.Options{})
		return &scoreSequence{item: item, tokens: tokens, prompt: 1, run: len(tokens)}
	}
	nodes := scoreTree([]*scoreSequence{
		sequence(0, "common beginning, first way"),
		sequence(1, "abroad"),
		sequence(2, "common beginning"),
		sequence(3, "common beginning, first turn"),
		sequence(4, "common beginning, second"),
		sequence(5, "abroad"),
	})
	var draw func(n *scoreNode, start int) string
	draw = func(n *scoreNode, start int) string {
		s := byteVocabulary{}.Decode(n.path()[start:])
		for _, child := range n.children {
			s += "[" + draw(child, n.end) + "]"
		}
		return s
	}
	got := ""
	for _, n := range nodes {
		got += "[" + draw(n, 0) + "]"
	}
	// The two tokens of ", " are cheaper run twice than in a step of their own.
	want := "[abroad][common beginning[, first [turn][way]][, second]]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
