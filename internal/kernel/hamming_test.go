package kernel

import (
	"math/bits"
	"testing"
)

func TestHamming(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 75)
		for _, size := range []int{1, 7, 8, 9, 15, 16, 17, 24, 48, 96, 100} {
			for _, count := range []int{0, 1, 2, 33} {
				query, codes := guarded[byte](t, size), guarded[byte](t, size*count)
				for _, x := range [2][]byte{query, codes} {
					for i := range x {
						x[i] = byte(r.Uint32())
					}
				}
				got := guarded[uint32](t, count)
				Hamming(query, codes, got)
				for i := range got {
					want := 0
					for j, b := range query {
						want += bits.OnesCount8(b ^ codes[i*size+j])
					}
					if int(got[i]) != want {
						t.Errorf("code %d of %d bytes: got %d, want %d", i, size, got[i], want)
					}
				}
			}
		}
	})
	panics(t, "a byte too few", func() { Hamming(make([]byte, 4), make([]byte, 7), make([]uint32, 2)) })
	panics(t, "no query", func() { Hamming(nil, nil, nil) })
}

func BenchmarkHamming(b *testing.B) {
	const count = 256
	for _, size := range []int{16, 96} {
		query, codes, out := make([]byte, size), make([]byte, size*count), make([]uint32, count)
		benchEachLevel(b, func(b *testing.B) {
			for b.Loop() {
				Hamming(query, codes, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/code")
		})
	}
}
