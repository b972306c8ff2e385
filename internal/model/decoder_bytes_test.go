package model

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
)

// What TestTinyDecoderIsInvariant says of sequences holds for caches of bytes
// too, over more than a segment of attention.
func TestTinyByteCachesAreInvariant(t *testing.T) {
	m := newMadeOf(gguf.Q4_1, madeHeads*kernel.BytePageUnit, madeForward)
	r := rand.New(rand.NewPCG(8, 0))
	tokens := sentence(r, 330, madeVocab)
	var want [][]float32
	atEachLevel(t, func(t *testing.T) {
		for threads := 1; threads <= 3; threads += 2 {
			d := m.loadWith(t, threads, DecoderOptions{Cache: Bytes})
			whole := forward(t, d, d.NewCache(), tokens)
			if want == nil {
				want = whole
			}
			equalLogits(t, fmt.Sprintf("whole on %d threads", threads), whole, want)
			equalLogits(t, fmt.Sprintf("in pieces on %d threads", threads), inPieces(t, d, r, tokens), want)
		}
	})
}

// On real prompts the logits are nearly those of half-precision caches, and a
// sequence takes 17/32 of the memory. Texts that repeat one thing for long, which
// make attention sharp, are the few positions below 0.999.
func TestChatModelWithByteCache(t *testing.T) {
	d, bytes := smol(t, 2), smolWith(t, 2, DecoderOptions{Cache: Bytes})
	worst, same, positions, below, sum := 1.0, 0, 0, 0, 0.0
	for _, g := range readGreedy(t, "smollm2_greedy.json") {
		if len(g.Prompt) < 30 || len(g.Prompt) > 130 {
			continue
		}
		tokens := append(append([]int32(nil), g.Prompt...), g.Continuation...)
		logits := func(d *Decoder) [][]float32 {
			in := &Input{Cache: d.NewCache(), Tokens: tokens, Rows: upTo(len(tokens))[len(g.Prompt)-1:]}
			run(t, d, in)
			in.Cache.Free()
			return in.Logits
		}
		want, got := logits(d), logits(bytes)
		for i := range want {
			c := cosine(got[i], want[i])
			if worst = min(worst, c); c < 0.999 {
				below++
			}
			sum += c
			if argmax(got[i]) == argmax(want[i]) {
				same++
			}
		}
		positions += len(want)
	}
	t.Logf("%d positions: worst cosine %.6f, mean %.6f, %d below 0.999, %d with the same best token", positions, worst, sum/float64(positions), below, same)
	if worst < 0.998 || sum/float64(positions) < 0.9999 || below*100 > positions || positions < 500 {
		t.Error("want 500 positions or more, 0.998 at worst, 0.9999 in the mean and 0.999 at 99 of 100")
	}
	if half, byte := d.CacheBytes(2048), bytes.CacheBytes(2048); byte*32 != half*17 {
		t.Errorf("2,048 tokens take %d bytes, in half precision %d; want 17 of 32 parts", byte, half)
	}
}

func TestByteCachesRefuseHeadsWithoutWholeUnits(t *testing.T) {
	m := newMade(gguf.F32) // heads of 16
	_, err := LoadDecoder(m.file(t), DecoderOptions{Cache: Bytes})
	if err == nil || !strings.Contains(err.Error(), "keys and values of 16 numbers cannot be kept as q8") {
		t.Errorf("got %v", err)
	}
	if _, err = LoadDecoder(m.file(t), DecoderOptions{Cache: "q2"}); err == nil || !strings.Contains(err.Error(), `"q2"`) {
		t.Errorf("got %v", err)
	}
}
