package index_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/quant"
)

func TestLSHRecallGrowsWithProbes(t *testing.T) {
	const rows, dimensions, k, queries = 3000, 24, 10, 30
	slab, asked := clustered(1, rows, dimensions), clustered(2, queries, dimensions)
	for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
		x, err := index.BuildLSH(m, dimensions, slab, index.LSHOptions{Tables: 10, Numbers: 8})
		if err != nil {
			t.Fatal(err)
		}
		before := 0.0
		for _, probes := range []int{1, 8, 60} {
			sum, compared := 0.0, 0
			for i := range queries {
				query := asked[i*dimensions : (i+1)*dimensions]
				hits, stats := x.Search(query, k, index.Params{NProbe: probes})
				sum += recall(hits, reference(m, dimensions, slab, query, nil), k)
				compared += stats.Visited
			}
			got := sum / queries
			if got < before {
				t.Errorf("%v: recall fell from %.3f to %.3f with %d probes", m, before, got, probes)
			}
			if compared > rows*queries*9/10 {
				t.Errorf("%v, %d probes: compared %d rows of %d", m, probes, compared/queries, rows)
			}
			before = got
		}
		if before < 0.9 {
			t.Errorf("%v: recall %.3f with 60 probes", m, before)
		}
		for _, filter := range []*index.Filter{someRows(3, rows, 0.5), someRows(3, rows, 0.002)} {
			query := asked[:dimensions]
			all := reference(m, dimensions, slab, query, filter)
			if hits, _ := x.Search(query, k, index.Params{Filter: filter}); len(hits) != min(k, len(all)) {
				t.Errorf("%v: %d hits of %d rows", m, len(hits), len(all))
			}
			exact, _ := x.Search(query, k, index.Params{Filter: filter, Exact: true})
			checkExact(t, fmt.Sprint(m), m, exact, all, k)
		}
	}
}

func TestCodesRecall(t *testing.T) {
	const rows, dimensions, k, queries = 1000, 32, 10, 20
	slab, asked := clustered(1, rows, dimensions), clustered(2, queries, dimensions)
	for _, bits := range []int{1, 4} {
		for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
			codec, err := quant.NewRaBitQ(dimensions, bits, nil, 1)
			if err != nil {
				t.Fatal(err)
			}
			x, err := index.EncodeCodes(m, codec, slab)
			if err != nil {
				t.Fatal(err)
			}
			estimated, rescored := 0.0, 0.0
			for i := range queries {
				query := asked[i*dimensions : (i+1)*dimensions]
				all := reference(m, dimensions, slab, query, nil)
				hits, _ := x.Search(query, k, index.Params{Rescore: -1})
				estimated += recall(hits, all, k) / queries
				hits, _ = x.Search(query, k, index.Params{})
				rescored += recall(hits, all, k) / queries
				exact, _ := x.Search(query, k, index.Params{Exact: true})
				checkExact(t, fmt.Sprint(m), m, exact, all, k)
			}
			if least := map[int]float64{1: 0.25, 4: 0.75}[bits]; estimated < least {
				t.Errorf("%v, %d bits: recall %.3f by codes", m, bits, estimated)
			}
			if least := map[int]float64{1: 0.8, 4: 0.99}[bits]; rescored < least {
				t.Errorf("%v, %d bits: recall %.3f with rescoring", m, bits, rescored)
			}
		}
	}
}

func TestBinary(t *testing.T) {
	const rows, k = 500, 7
	random := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{1, 8, 13} {
		slab, query := make([]byte, rows*size), make([]byte, size)
		for i := range slab {
			slab[i] = byte(random.Uint32() & random.Uint32())
		}
		for i := range query {
			query[i] = byte(random.Uint32())
		}
		clear(slab[:size])
		for _, m := range []index.Metric{index.Hamming, index.Jaccard} {
			filter := someRows(2, rows, 0.5)
			for _, f := range []*index.Filter{nil, filter} {
				var all []index.Hit
				for row := range rows {
					differ, common, either := 0, 0, 0
					for i, q := range query {
						v := slab[row*size+i]
						differ += bits.OnesCount8(q ^ v)
						common += bits.OnesCount8(q & v)
						either += bits.OnesCount8(q | v)
					}
					score := float32(-differ)
					if m == index.Jaccard {
						score = float32(common) / float32(max(1, either))
					}
					if f.Has(row) {
						all = append(all, index.Hit{Row: row, Score: score})
					}
				}
				sortHits(all)
				x := index.NewBinary(m, size, slab)
				got, _ := x.Search(query, k, index.Params{Filter: f})
				checkExact(t, m.String(), m, got, all, k)
				within, _ := x.Range(query, all[20].Score, index.Params{Filter: f})
				if len(within) < 21 || within[len(within)-1].Score < all[20].Score {
					t.Errorf("%v: %d rows within the score of the 21st", m, len(within))
				}
			}
		}
	}
	if got := index.CompareBits(index.Jaccard, []byte{0}, []byte{0}); got != 1 {
		t.Errorf("two empty sets score %v, want 1", got)
	}
}
