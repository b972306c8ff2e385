package model

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/ragstone/ragstone/internal/kernel"
)

var wholeGolden = flag.Bool("golden.whole", false, "follow every prompt of llama.cpp's with all kernels, which takes an hour in plain Go")

// greedy is one prompt of a golden file, which test/oracle/smollm2_greedy.py or
// gemma3_greedy.py makes with llama.cpp.
type greedy struct {
	Name         string     `json:"name"`
	Prompt       []int32    `json:"prompt"`
	Continuation []int32    `json:"continuation"` // the likeliest token after each
	Gaps         []*float64 `json:"gaps"`         // by how much it was likelier than the next, where reported
}

func readGreedy(t testing.TB, file string) []greedy {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var golden []greedy
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

// miss is a position at which our best token is not llama.cpp's, with the gaps
// in logits of both.
type miss struct {
	name         string
	step         int
	ours, theirs float64
}

// follow feeds a prompt and llama.cpp's own continuation and lists the misses.
func follow(t *testing.T, d *Decoder, g greedy) (misses []miss) {
	t.Helper()
	tokens := append(append([]int32(nil), g.Prompt...), g.Continuation[:len(g.Continuation)-1]...)
	in := &Input{Cache: d.NewCache(), Tokens: tokens, Rows: upTo(len(tokens))[len(g.Prompt)-1:]}
	run(t, d, in)
	in.Cache.Free()
	for i, logits := range in.Logits {
		got, want := argmax(logits), g.Continuation[i]
		if got == want {
			continue
		}
		m := miss{g.Name, i, float64(logits[got] - logits[want]), math.Inf(1)}
		if g.Gaps[i] != nil {
			m.theirs = *g.Gaps[i]
		}
		t.Logf("%s, step %d: token %d, llama.cpp's is %d; gaps %.4f and %.4f", g.Name, i, got, want, m.ours, m.theirs)
		misses = append(misses, m)
	}
	return misses
}

// Fed llama.cpp's own continuation, our best token is the same; at most 1 % of
// the positions are excused, each so close that either may win: below 0.1 in
// both. See the script for which llama.cpp that is.
//
// All levels give the same bits, which TestChatModelIsInvariant holds on its
// own; so lower levels, which are slower, follow only shorter prompts: up to 60
// tokens on AVX2, and 8 steps after up to 16 tokens in plain Go. With
// -golden.whole they follow all.
func TestGreedyEqualsLlamaCpp(t *testing.T) {
	golden := readGreedy(t, "smollm2_greedy.json")
	atEachLevel(t, func(t *testing.T) {
		d := smol(t, 2)
		best, longest := kernel.Current() == kernel.Best(), map[kernel.Level]int{kernel.AVX2: 60, kernel.Plain: 16}
		prompts, positions := 0, 0
		var misses []miss
		for _, g := range golden {
			if !best && !*wholeGolden && len(g.Prompt) > longest[kernel.Current()] {
				continue
			}
			if kernel.Current() == kernel.Plain && !best && !*wholeGolden {
				g.Continuation = g.Continuation[:min(8, len(g.Continuation))]
			}
			prompts++
			positions += len(g.Continuation)
			misses = append(misses, follow(t, d, g)...)
		}
		t.Logf("%d prompts, %d positions, %d differ", prompts, positions, len(misses))
		if best && prompts < 40 {
			t.Errorf("the golden file has %d prompts, want 40 and more", prompts)
		}
		if 100*len(misses) > positions {
			t.Errorf("%d of %d positions differ, at most 1 %% may", len(misses), positions)
		}
		for _, m := range misses {
			if m.ours >= 0.1 || m.theirs >= 0.1 {
				t.Errorf("%s, step %d: no close call: our gap %.4f, llama.cpp's %.4f", m.name, m.step, m.ours, m.theirs)
			}
		}
	})
}
