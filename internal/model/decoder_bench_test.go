package model

import (
	"context"
	"fmt"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/testenv"
)

// smol loads the default chat model.
func smol(t testing.TB, threads int) *Decoder { return smolWith(t, threads, DecoderOptions{}) }

// smolWith is smol with other options than the threads.
func smolWith(t testing.TB, threads int, o DecoderOptions) *Decoder {
	t.Helper()
	f, err := gguf.Open(testenv.Model(t, testenv.ChatModel, testenv.ChatModelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o.Pool = kernel.NewPool(threads)
	t.Cleanup(o.Pool.Close)
	d, err := LoadDecoder(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// arbitrary returns n tokens without meaning.
func arbitrary(d *Decoder, n int) []int32 {
	tokens := make([]int32, n)
	for i := range tokens {
		tokens[i] = int32((i*37 + 259) % d.config.Vocab)
	}
	return tokens
}

func run(b testing.TB, d *Decoder, inputs ...*Input) {
	b.Helper()
	if err := d.Forward(context.Background(), inputs); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkPrefill(b *testing.B) {
	for _, threads := range []int{1, 2} {
		d := smol(b, threads)
		for _, n := range []int{40, 512, 2048} {
			b.Run(fmt.Sprintf("threads=%d/tokens=%d", threads, n), func(b *testing.B) {
				tokens := arbitrary(d, n)
				for b.Loop() {
					c := d.NewCache()
					run(b, d, &Input{Cache: c, Tokens: tokens, Rows: []int{n - 1}})
					c.Free()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, threads := range []int{1, 2} {
		d := smol(b, threads)
		for _, context := range []int{1, 1500} {
			b.Run(fmt.Sprintf("threads=%d/context=%d", threads, context), func(b *testing.B) {
				c := d.NewCache()
				run(b, d, &Input{Cache: c, Tokens: arbitrary(d, context)})
				logits := [][]float32{make([]float32, d.config.Vocab)}
				for b.Loop() {
					if c.Len() > context+200 {
						c.Truncate(context)
					}
					run(b, d, &Input{Cache: c, Tokens: []int32{259}, Rows: []int{0}, Logits: logits})
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
			})
		}
	}
}

// Scoring runs short continuations of one prefix together.
func BenchmarkScore(b *testing.B) {
	d := smol(b, 1)
	prefix := d.NewCache()
	run(b, d, &Input{Cache: prefix, Tokens: arbitrary(d, 150)})
	const continuations, length = 14, 10
	for b.Loop() {
		inputs := make([]*Input, continuations)
		for i := range inputs {
			inputs[i] = &Input{Cache: prefix.Fork(), Tokens: arbitrary(d, length+i)[i:], Rows: upTo(length)}
		}
		run(b, d, inputs...)
		for _, in := range inputs {
			in.Cache.Free()
		}
	}
	b.ReportMetric(float64(continuations*length)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}
