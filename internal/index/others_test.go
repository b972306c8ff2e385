package index_test

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
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

// TestCodesScans holds scans of every codec, alone and in batches, to scores of decoded vectors.
func TestCodesScans(t *testing.T) {
	const rows, dimensions, k, queries = 400, 30, 12, 6
	slab, asked := clustered(1, rows, dimensions), clustered(2, queries, dimensions)
	for _, codec := range codecs(t, dimensions, slab) {
		for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
			x, err := index.EncodeCodes(m, codec, slab)
			if err != nil {
				t.Fatal(err)
			}
			decoded := index.NewCodes(m, codec, encoded(m, codec, slab), nil)
			batch := decoded.SearchBatch(asked, k, index.Params{})
			rescored := x.SearchBatch(asked, k, index.Params{})
			for i := range queries {
				query := asked[i*dimensions : (i+1)*dimensions]
				for _, filter := range []*index.Filter{nil, someRows(4, rows, 0.3)} {
					hits, _ := decoded.Search(query, k, index.Params{Filter: filter})
					checkCodes(t, m, codec, slab, query, filter, hits, k)
				}
				checkCodes(t, m, codec, slab, query, nil, batch[i], k)
				alone, _ := x.Search(query, k, index.Params{})
				if got := recall(rescored[i], alone, k); got < 0.99 {
					t.Errorf("%v, %s, query %d: a batch finds %.2f of what a search does", m, codec.Name(), i, got)
				}
			}
		}
	}
}

// codecs returns one of each kind.
func codecs(t *testing.T, dimensions int, slab []float32) []quant.Codec {
	t.Helper()
	var all []quant.Codec
	for _, bits := range []int{4, 8} {
		scalar, err := quant.TrainScalar(bits, dimensions, slab)
		if err != nil {
			t.Fatal(err)
		}
		product, err := quant.TrainProduct(10, bits, dimensions, slab, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, scalar, product)
	}
	return append(all, quant.NewF16(dimensions))
}

// encoded returns codes as NewCodes wants them.
func encoded(m index.Metric, codec quant.Codec, slab []float32) []byte {
	d := codec.Dimensions()
	if m == index.Cosine {
		slab = slices.Clone(slab)
		for at := 0; at < len(slab); at += d {
			v := slab[at : at+d]
			length := math.Sqrt(-float64(exactScore(index.L2, v, make([]float32, d))))
			for i := range v {
				v[i] = float32(float64(v[i]) / length)
			}
		}
	}
	return quant.EncodeAll(codec, slab)
}

// checkCodes compares hits with the scores of all decoded vectors.
func checkCodes(t *testing.T, m index.Metric, codec quant.Codec, slab, query []float32, filter *index.Filter, hits []index.Hit, k int) {
	t.Helper()
	d, codes := codec.Dimensions(), encoded(m, codec, slab)
	vectors := make([]float32, len(slab))
	for i := range len(slab) / d {
		codec.Decode(codes[i*codec.CodeSize():(i+1)*codec.CodeSize()], vectors[i*d:(i+1)*d])
	}
	if m == index.Cosine { // of vectors whose codes are not quite of norm 1
		m = index.Dot
		query = slices.Clone(query)
		length := math.Sqrt(-float64(exactScore(index.L2, query, make([]float32, d))))
		for i := range query {
			query[i] = float32(float64(query[i]) / length)
		}
	}
	all := reference(m, d, vectors, query, filter)
	if len(hits) != k {
		t.Fatalf("%s: %d hits, want %d", codec.Name(), len(hits), k)
	}
	for i, h := range hits {
		tolerance := 1e-4 * (1 + math.Abs(float64(all[i].Score)))
		if want := exactScore(m, query, vectors[h.Row*d:(h.Row+1)*d]); math.Abs(float64(h.Score-want)) > tolerance {
			t.Errorf("%v, %s: row %d scores %v, want %v", m, codec.Name(), h.Row, h.Score, want)
		}
		if math.Abs(float64(h.Score-all[i].Score)) > tolerance {
			t.Errorf("%v, %s: hit %d scores %v, want %v", m, codec.Name(), i, h.Score, all[i].Score)
		}
	}
}

func TestBinaryBatchesOfRows(t *testing.T) {
	const rows, size = 700, 16 // more rows than are compared at a time
	random := rand.New(rand.NewPCG(8, 8))
	slab, query := make([]byte, rows*size), make([]byte, size)
	for _, x := range [2][]byte{slab, query} {
		for i := range x {
			x[i] = byte(random.Uint32())
		}
	}
	x := index.NewBinary(index.Hamming, size, slab)
	for _, k := range []int{1, 10, 300, rows} {
		hits, _ := x.Search(query, k, index.Params{})
		want := make([]index.Hit, rows)
		for row := range want {
			want[row] = index.Hit{Row: row, Score: index.CompareBits(index.Hamming, query, slab[row*size:(row+1)*size])}
		}
		sortHits(want)
		if !slices.Equal(hits, want[:k]) {
			t.Errorf("the best %d are %v, want %v", k, hits, want[:k])
		}
	}
}
