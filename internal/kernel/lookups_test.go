package kernel

import (
	"math"
	"testing"
)

func TestLookups(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 73)
		for _, size := range []int{1, 2, 7, 8, 9, 16, 31, 32, 64, 100} {
			for _, count := range []int{0, 1, 2, 33} {
				tables := guarded[float32](t, size*LookupSize)
				copy(tables, normals(r, len(tables)))
				codes := guarded[byte](t, size*count)
				for i := range codes {
					codes[i] = byte(r.Uint32())
				}
				if count > 0 {
					codes[len(codes)-1] = 255 // the last entry of the last table
				}
				got := guarded[float32](t, count)
				Lookups(tables, codes, size, got)
				for i := range count {
					var want exactSum
					for j, c := range codes[i*size : (i+1)*size] {
						want.product(tables[j*LookupSize+int(c)], 1)
					}
					want.check(t, "Lookups", size, got[i])
				}
			}
		}
		tables, out := make([]float32, 8*LookupSize), make([]float32, 1)
		tables[3*LookupSize] = nan
		if Lookups(tables, make([]byte, 8), 8, out); !math.IsNaN(float64(out[0])) {
			t.Errorf("a sum with NaN is %v", out[0])
		}
	})
	panics(t, "a table too few", func() { Lookups(make([]float32, 256), make([]byte, 2), 2, make([]float32, 1)) })
	panics(t, "a byte too few", func() { Lookups(make([]float32, 512), make([]byte, 3), 2, make([]float32, 2)) })
}

func BenchmarkLookups(b *testing.B) {
	const size, count = 32, 256
	r := newRand(b, 74)
	tables, codes, out := normals(r, size*LookupSize), make([]byte, size*count), make([]float32, count)
	for i := range codes {
		codes[i] = byte(r.Uint32())
	}
	benchEachLevel(b, func(b *testing.B) {
		for b.Loop() {
			Lookups(tables, codes, size, out)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/code")
	})
}
