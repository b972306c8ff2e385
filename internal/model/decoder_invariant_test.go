package model

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
)

// sentence is random tokens.
func sentence(r *rand.Rand, n, vocab int) []int32 {
	tokens := make([]int32, n)
	for i := range tokens {
		tokens[i] = int32(r.IntN(vocab))
	}
	return tokens
}

func equalLogits(t *testing.T, what string, got, want [][]float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows of logits, want %d", what, len(got), len(want))
	}
	for i := range want {
		for j := range want[i] {
			if math.Float32bits(got[i][j]) != math.Float32bits(want[i][j]) {
				t.Fatalf("%s: row %d, token %d: logit %v, want the same bits as %v", what, i, j, got[i][j], want[i][j])
			}
		}
	}
}

// The same sequence gets the same bits: at every level, on any number of
// threads, in any chunks, beside any other sequences. 600 tokens are more than
// two segments of attention, and more than a chunk.
func TestTinyDecoderIsInvariant(t *testing.T) {
	for _, weights := range []gguf.Type{gguf.F32, gguf.F16, gguf.Q8_0, gguf.Q4_0, gguf.Q4_1} {
		t.Run(weights.String(), func(t *testing.T) {
			m := newMade(weights)
			var want [][]float32 // by the plain level on one thread, in one go
			r := rand.New(rand.NewPCG(7, uint64(weights)))
			length := 90
			if weights == gguf.Q4_1 {
				length = 600
			}
			tokens := sentence(r, length, madeVocab)
			atEachLevel(t, func(t *testing.T) {
				for threads := 1; threads <= 3; threads++ {
					d := m.load(t, threads)
					whole := forward(t, d, d.NewCache(), tokens)
					if want == nil {
						want = whole
					}
					equalLogits(t, fmt.Sprintf("whole on %d threads", threads), whole, want)
					equalLogits(t, fmt.Sprintf("in pieces on %d threads", threads), inPieces(t, d, r, tokens), want)
				}
			})
		})
	}
}

// inPieces runs tokens through in random pieces, each in a batch with random
// other sequences.
func inPieces(t *testing.T, d *Decoder, r *rand.Rand, tokens []int32) [][]float32 {
	t.Helper()
	var logits [][]float32
	c := d.NewCache()
	defer c.Free()
	others := []*Cache{d.NewCache(), d.NewCache(), d.NewCache()}
	for len(tokens) > 0 {
		n := min(len(tokens), 1+r.IntN(1+r.IntN(200)))
		in := &Input{Cache: c, Tokens: tokens[:n], Rows: upTo(n)}
		batch := []*Input{in}
		for _, o := range others {
			if r.IntN(2) == 0 {
				continue
			}
			if most := min(400, d.config.Context/2); o.Len() > most {
				o.Truncate(r.IntN(most))
			}
			other := sentence(r, 1+r.IntN(min(60, d.config.Context/2)), d.config.Vocab)
			batch = append(batch, &Input{Cache: o, Tokens: other, Rows: []int{len(other) - 1}})
		}
		r.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		run(t, d, batch...)
		logits, tokens = append(logits, in.Logits...), tokens[n:]
	}
	for _, o := range others {
		o.Free()
	}
	return logits
}

// The same on the real model, where rounding to 15 bits would magnify a
// difference in one bit to tenths of a logit.
func TestChatModelIsInvariant(t *testing.T) {
	d := smol(t, 2)
	r := rand.New(rand.NewPCG(3, 0))
	tokens := sentence(r, 90, d.config.Vocab)
	want := forward(t, d, d.NewCache(), tokens)
	equalLogits(t, "in pieces", inPieces(t, d, r, tokens), want)
	for _, l := range kernel.Levels() {
		restore := kernel.Use(l)
		n := len(tokens)
		if l == kernel.Plain {
			n = 6 // it is slow
		}
		got := forward(t, d, d.NewCache(), tokens[:n])
		restore()
		equalLogits(t, "at level "+l.String(), got, want[:n])
	}
}

// Caches are forked, truncated, freed and appended to at random; every one
// must keep giving what its tokens give from scratch, and no block may be lost
// or held twice.
func TestTinyCachesAgainstRecomputation(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	d := newMade(gguf.Q4_1).load(t, 2)
	type sequence struct {
		cache  *Cache
		tokens []int32
	}
	sequences := []*sequence{{cache: d.NewCache()}}
	for step := range 300 {
		s := sequences[r.IntN(len(sequences))]
		switch op := r.IntN(10); {
		case op < 2 && len(sequences) < 8:
			sequences = append(sequences, &sequence{s.cache.Fork(), append([]int32(nil), s.tokens...)})
		case op < 4:
			n := r.IntN(s.cache.Len() + 1)
			s.cache.Truncate(n)
			s.tokens = s.tokens[:n]
		case op == 4 && len(sequences) > 1:
			i := r.IntN(len(sequences))
			sequences[i].cache.Free()
			sequences = append(sequences[:i], sequences[i+1:]...)
		default:
			more := sentence(r, 1+r.IntN(50), madeVocab)
			if s.cache.Len()+len(more) > madeContext {
				continue
			}
			in := &Input{Cache: s.cache, Tokens: more, Rows: []int{len(more) - 1}}
			run(t, d, in)
			s.tokens = append(s.tokens, more...)
			fresh := d.NewCache()
			again := &Input{Cache: fresh, Tokens: s.tokens, Rows: []int{len(s.tokens) - 1}}
			run(t, d, again)
			equalLogits(t, fmt.Sprintf("step %d, %d tokens", step, len(s.tokens)), in.Logits, again.Logits)
			fresh.Free()
		}
		checkBlocks(t, d, sequences, func(s *sequence) *Cache { return s.cache })
	}
}

// checkBlocks counts who holds which block.
func checkBlocks[S any](t *testing.T, d *Decoder, sequences []S, cache func(S) *Cache) {
	t.Helper()
	held := map[*cacheBlock]int{}
	for _, s := range sequences {
		c := cache(s)
		if want := (c.length + kernel.PageTokens - 1) / kernel.PageTokens; len(c.blocks) != want {
			t.Fatalf("%d tokens lie in %d blocks, want %d", c.length, len(c.blocks), want)
		}
		for _, b := range c.blocks {
			held[b]++
		}
	}
	for b, n := range held {
		if b.refs != n {
			t.Fatalf("a block counts %d holders and has %d", b.refs, n)
		}
	}
	for _, b := range d.free {
		if held[b] != 0 || b.refs != 0 {
			t.Fatalf("a free block counts %d holders and has %d", b.refs, held[b])
		}
		held[b]--
	}
}

func TestTinyForwardRefusesBeforeItChangesAnything(t *testing.T) {
	d := newMade(gguf.F32).load(t, 1)
	other := newMade(gguf.F32).load(t, 1)
	good := func() *Input { return &Input{Cache: d.NewCache(), Tokens: []int32{1, 2}} }
	full := good()
	run(t, d, &Input{Cache: full.Cache, Tokens: sentence(rand.New(rand.NewPCG(1, 1)), madeContext-1, madeVocab)})
	twice := good()
	freed := good()
	for name, in := range map[string]struct {
		batch []*Input
		want  string
	}{
		"too long":         {[]*Input{good(), full}, "model forward: input 1: the sequence would have 701 tokens, the model's context is 700"},
		"same cache":       {[]*Input{twice, twice}, "model forward: input 1: its cache is in the batch already"},
		"no tokens":        {[]*Input{good(), {Cache: d.NewCache()}}, "model forward: input 1 has no tokens"},
		"no cache":         {[]*Input{good(), {Tokens: []int32{1}}}, "model forward: input 1: the cache is not of this model"},
		"foreign cache":    {[]*Input{good(), {Cache: other.NewCache(), Tokens: []int32{1}}}, "model forward: input 1: the cache is not of this model"},
		"token beyond":     {[]*Input{good(), {Cache: d.NewCache(), Tokens: []int32{madeVocab}}}, "model forward: input 1: token 80 is not in the vocabulary of 80"},
		"negative token":   {[]*Input{{Cache: d.NewCache(), Tokens: []int32{-1}}}, "model forward: input 0: token -1 is not in the vocabulary of 80"},
		"row beyond":       {[]*Input{{Cache: freed.Cache, Tokens: []int32{1}, Rows: []int{1}}}, "model forward: input 0: row 1 of 1 tokens is wanted"},
		"space for a part": {[]*Input{{Cache: freed.Cache, Tokens: []int32{1}, Rows: []int{0}, Logits: [][]float32{make([]float32, 3)}}}, "model forward: input 0: space for 3 logits, the vocabulary is 80"},
		"space for others": {[]*Input{{Cache: freed.Cache, Tokens: []int32{1}, Rows: []int{0}, Logits: make([][]float32, 2)}}, "model forward: input 0: space for 2 rows of logits, 1 are wanted"},
	} {
		err := d.Forward(context.Background(), in.batch)
		if err == nil || err.Error() != in.want {
			t.Errorf("%s: got %v, want %s", name, err, in.want)
		}
		for i, b := range in.batch {
			if b.Cache != nil && b != full && b.Cache.Len() != 0 {
				t.Errorf("%s: input %d was run", name, i)
			}
		}
	}
	if full.Cache.Len() != madeContext-1 {
		t.Errorf("the full cache has %d tokens, want %d", full.Cache.Len(), madeContext-1)
	}
}

func TestTinyForwardStopsWithItsContext(t *testing.T) {
	d := newMade(gguf.F32).load(t, 1)
	c := d.NewCache()
	run(t, d, &Input{Cache: c, Tokens: []int32{1, 2, 3}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := d.Forward(ctx, []*Input{{Cache: c, Tokens: []int32{4}}}); err == nil {
		t.Error("no error from a context that has ended")
	}
	if c.Len() != 3 {
		t.Errorf("the cache has %d tokens, want the 3 from before", c.Len())
	}
}

func TestTinyNotFiniteWeightsAreAnError(t *testing.T) {
	m := newMade(gguf.F32)
	for i := range m.tensors {
		if m.tensors[i].Name == "blk.0.ffn_down.weight" {
			copy(m.tensors[i].Data, []byte{0, 0, 0xc0, 0x7f})
		}
	}
	d := m.load(t, 1)
	c := d.NewCache()
	err := d.Forward(context.Background(), []*Input{{Cache: c, Tokens: []int32{1}, Rows: []int{0}}})
	const want = "model forward: a number of layer 0 of 2 is not finite: the weights are damaged or do not suit this model"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if c.Len() != 0 {
		t.Errorf("the cache has %d tokens, want none", c.Len())
	}
}
