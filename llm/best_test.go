package llm

import (
	"slices"
	"testing"
)

// The winners are those choices of a request without BestOf whose tokens are
// likeliest in the mean.
func TestBestOfShowsTheLikeliest(t *testing.T) {
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	seed := int64(3)
	req := Request{Prompt: "Tell me", MaxTokens: 12, Seed: &seed, LogProbs: true, N: 6}
	all, _ := collect(t, l, req)
	mean := func(c Completion) float64 {
		sum := 0.0
		for _, token := range c.Tokens {
			sum += token.LogProb
		}
		return sum / float64(len(c.Tokens))
	}
	slices.SortFunc(all, func(a, b Completion) int {
		if mean(a) > mean(b) {
			return -1
		}
		return 1
	})
	req.N, req.BestOf = 2, 6
	best, usage := collect(t, l, req)
	if len(best) != 2 || best[0].Text != all[0].Text || best[1].Text != all[1].Text {
		t.Errorf("got %q and %q, want %q and %q", best[0].Text, best[1].Text, all[0].Text, all[1].Text)
	}
	if usage.CompletionTokens != 6*12 {
		t.Errorf("got %d completion tokens, want those of all %d choices", usage.CompletionTokens, 6)
	}
}

func TestSuffixAsksForTheMiddle(t *testing.T) {
	l := openScripted(t, &scriptedDecoder{script: arbitrary})
	if _, err := l.PromptTokens(Request{Prompt: "a", Suffix: "b"}); err == nil {
		t.Error("a vocabulary without marks took a suffix")
	}
	marks := gapMarks{tokenTurn, tokenBegin, tokenTwoLines}
	l.prompter.gap = &marks
	got, err := l.PromptTokens(Request{Prompt: "a<|turn|>", Suffix: "b"})
	want := []int32{tokenBegin, tokenTurn, 'a'}
	for _, b := range []byte("<|turn|>") {
		want = append(want, int32(b)) // a mark in the text is text
	}
	want = append(want, tokenBegin, 'b', tokenTwoLines)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}
