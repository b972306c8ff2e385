package llm

import (
	"hash/fnv"
	"slices"
	"strings"
	"testing"
)

// halting is a model whose text repeats itself for a while, then leaves its
// track: guesses come true, in part and not at all.
func halting(tokens []int32) []float32 {
	logits := make([]float32, vocabularyBytes)
	n := len(tokens)
	h := fnv.New32a()
	h.Write([]byte{byte(tokens[n-1]), byte(tokens[max(0, n-2)])})
	if n%7 == 0 {
		h.Write([]byte{byte(n % 5)})
	}
	logits['a'+h.Sum32()%20] = 9
	logits['a'+h.Sum32()/20%20] += 7
	return logits
}

func TestGuessesChangeNothingButTheSteps(t *testing.T) {
	guessing := &scriptedDecoder{script: halting}
	plain := &scriptedDecoder{script: halting}
	with := openScripted(t, guessing)
	without := openScripted(t, plain, func(e *engineLimits) { e.stepGuesses = 0 })
	var right, tokens int
	for seed := range int64(20) {
		req := Request{Prompt: "abcabcabc", MaxTokens: 60, Seed: &seed, N: 1 + int(seed%3), LogProbs: seed%2 == 0, IgnoreEnd: true}
		if seed%4 == 0 {
			req.Temperature = new(0.0)
		}
		if seed%5 == 0 {
			req.Stop = []string{"q", "fa"}
		}
		if seed%5 == 1 {
			req.FrequencyPenalty = 0.5
		}
		got, usage := collect(t, with, req)
		want, plainUsage := collect(t, without, req)
		for i := range want {
			if got[i].Text != want[i].Text || got[i].FinishReason != want[i].FinishReason || len(got[i].Tokens) != len(want[i].Tokens) {
				t.Errorf("seed %d, choice %d: got %q, %s; want %q, %s", seed, i, got[i].Text, got[i].FinishReason, want[i].Text, want[i].FinishReason)
			}
		}
		if plainUsage.GuessedTokens != 0 || usage.GuessedRight > usage.GuessedTokens || usage.CompletionTokens != plainUsage.CompletionTokens {
			t.Errorf("seed %d: usage %+v with guesses, %+v without", seed, usage, plainUsage)
		}
		right += usage.GuessedRight
		tokens += usage.GuessedTokens
	}
	if right == 0 || right == tokens {
		t.Errorf("%d of %d guessed tokens were right: the test wants some of both", right, tokens)
	}
	if len(guessing.steps) >= len(plain.steps) {
		t.Errorf("%d steps with guesses, %d without", len(guessing.steps), len(plain.steps))
	}
}

// A caller who knows what is coming saves most steps.
func TestExpectedTextIsGuessed(t *testing.T) {
	answer := strings.Repeat("The quick brown fox. ", 3)
	d := &scriptedDecoder{script: saying('>', answer)}
	l := openScripted(t, d, func(e *engineLimits) { e.stepGuesses = 16 })
	choices, usage := collect(t, l, Request{Prompt: "Say it:>", Expected: answer, Temperature: new(0.0)})
	if choices[0].Text != answer {
		t.Errorf("got %q, want %q", choices[0].Text, answer)
	}
	if steps := len(d.steps); steps > 12 || usage.GuessedRight < 50 {
		t.Errorf("%d tokens took %d steps, %d were guessed", usage.CompletionTokens, steps, usage.GuessedRight)
	}
}

func TestGuesserLearns(t *testing.T) {
	g := newGuesser(nil, []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2})
	if got := g.guess(100); len(got) != 1 || got[0] != 3 {
		t.Fatalf("after 1 2: got %v, want 3", got)
	}
	g.learn(1)
	for _, token := range []int32{3, 4, 5, 6, 7, 8, 9, 1, 2} {
		g.add(token)
	}
	if got := g.guess(100); len(got) < 8 || got[0] != 3 || got[7] != 1 {
		t.Errorf("after nine tokens that were alike: got %v, want many tokens from 3", got)
	}
	if got := g.guess(3); len(got) != 3 {
		t.Errorf("got %v, want 3 tokens at most", got)
	}
	for range 100 {
		g.learn(0)
	}
	g.add(3)
	if got := g.guess(100); got != nil {
		t.Errorf("after many misses: got %v, want none", got)
	}
	for i := range longestPause {
		g.add(int32(4 + i))
	}
	g.add(1)
	g.add(2)
	if got := g.guess(100); len(got) != 1 {
		t.Errorf("after a pause: got %v, want one token to be tried", got)
	}
}

func TestGuesserTakesTheSourceMostAlike(t *testing.T) {
	g := newGuesser([]int32{7, 8, 9, 1, 2, 50, 60, 1, 2, 99}, []int32{7, 8, 9, 1, 2})
	if got := g.guess(1); len(got) != 1 || got[0] != 50 {
		t.Errorf("after 7 8 9 1 2: got %v, want 50, not the 99 that stood behind 1 2 last", got)
	}
}

func TestGuesserGoesOnRepeating(t *testing.T) {
	g := newGuesser(nil, []int32{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3})
	want := []int32{1, 2, 3, 1, 2, 3, 1, 2}
	if got := g.guess(len(want)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Where a repetition has brought something new before, the guess ends.
func TestGuesserStopsBeforeWhatChanges(t *testing.T) {
	keys := []int32{1, 2, 3, 4, 5, 6}
	var tokens []int32
	for _, value := range []int32{20, 21, 22, 23} {
		tokens = append(append(tokens, keys...), value)
	}
	g := newGuesser(nil, append(tokens, keys[:4]...))
	if got, want := g.guess(longestGuess), keys[4:]; !slices.Equal(got, want) {
		t.Errorf("among keys and changing values: got %v, want %v", got, want)
	}
}

// Behind a value of its own an object goes on like the one before.
func TestGuesserGoesOnBehindWhatDiffers(t *testing.T) {
	g := newGuesser(nil, []int32{1, 2, 3, 4, 5, 20, 6, 7, 8, 1, 2, 3, 4, 5, 21})
	if got := g.guess(1); !slices.Equal(got, []int32{6}) {
		t.Errorf("behind 21 where 20 stood before: got %v, want 6", got)
	}
	for id := range int32(mostAstray) {
		g.add(30 + id)
	}
	if got := g.guess(1); got != nil {
		t.Errorf("behind %d tokens that differ: got %v, want no guess", mostAstray+1, got)
	}
}
