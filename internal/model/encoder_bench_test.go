package model

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkEncode(b *testing.B) {
	e := miniLM(b, 1)
	r := rand.New(rand.NewPCG(5, 6))
	for _, s := range []struct{ batch, tokens int }{{32, 128}, {32, 16}, {1, 128}, {1, 16}} {
		b.Run(fmt.Sprintf("%dx%d", s.batch, s.tokens), func(b *testing.B) {
			texts := make([][]int32, s.batch)
			for i := range texts {
				for range s.tokens {
					texts[i] = append(texts[i], r.Int32N(int32(e.config.Vocab)))
				}
			}
			for b.Loop() {
				if _, err := e.Encode(context.Background(), texts); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(s.batch*b.N)/b.Elapsed().Seconds(), "texts/s")
		})
	}
}
