package model

import (
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/testenv"
)

// gemma loads Gemma 3 270M as it is downloaded: Q4_K, Q5_0, Q6_K and Q8_0
// weights.
func gemma(t testing.TB, threads int) *Decoder {
	t.Helper()
	f, err := gguf.Open(testenv.OptionalModel(t, "gemma-3-270m", "gemma-3-270m-q4_k_m.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pool := kernel.NewPool(threads)
	t.Cleanup(pool.Close)
	d, err := LoadDecoder(f, DecoderOptions{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Fed llama.cpp's own continuation, our best token is the same; at most 1 % of
// the positions are excused, each so close that either may win: below 0.1 in
// both. Prompts are of up to 1,300 tokens, most layers' windows of 512.
func TestGemmaFollowsLlamaCpp(t *testing.T) {
	d := gemma(t, 2)
	positions := 0
	var misses []miss
	for i, g := range readGreedy(t, "gemma3_greedy.json") {
		if len(g.Prompt) > 200 && i%3 != 0 {
			continue // for the time it takes
		}
		positions += len(g.Continuation)
		misses = append(misses, follow(t, d, g)...)
	}
	t.Logf("%d positions, %d differ", positions, len(misses))
	if positions < 500 || 100*len(misses) > positions {
		t.Errorf("%d of %d positions differ, at most 1 %% of at least 500 may", len(misses), positions)
	}
	for _, m := range misses {
		if m.ours >= 0.1 || m.theirs >= 0.1 {
			t.Errorf("%s, step %d: no close call: our gap %.4f, llama.cpp's %.4f", m.name, m.step, m.ours, m.theirs)
		}
	}
}
