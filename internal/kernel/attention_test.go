package kernel

import (
	"fmt"
	"math"
	"testing"
)

// pages stores keys and values of so many tokens.
func pages(t testing.TB, dim int, keys, values []float32) [][]uint16 {
	var out [][]uint16
	for i := range len(keys) / dim {
		if i%PageTokens == 0 {
			out = append(out, guarded[uint16](t, PageSize(dim)))
		}
		StoreKV(out[i/PageTokens], i%PageTokens, keys[i*dim:(i+1)*dim], values[i*dim:(i+1)*dim])
	}
	return out
}

// attend runs queries over all pages, segment by segment.
func attend(queries []float32, pages [][]uint16, visible []int, scale float32) [][]float32 {
	var sum, now Partial
	for at := 0; at < len(pages); at += SegmentPages {
		left := make([]int, len(visible))
		for i, v := range visible {
			left[i] = v - at*PageTokens
		}
		p := &now
		if at == 0 {
			p = &sum
		}
		p.Attend(queries, pages[at:min(len(pages), at+SegmentPages)], left, scale)
		if at > 0 {
			sum.Add(&now)
		}
	}
	out := make([][]float32, len(visible))
	for i := range out {
		out[i] = make([]float32, len(queries)/len(visible))
		sum.Result(i, out[i])
	}
	return out
}

func TestAttentionIsCloseToExact(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 1)
		for _, dim := range []int{16, 48, 64, 128} {
			for _, tokens := range []int{1, 31, 32, 33, 256, 257, 600} {
				n := 1 + r.IntN(MaxQueries)
				queries := guarded[float32](t, n*dim)
				copy(queries, normals(r, n*dim))
				keys, values := normals(r, tokens*dim), normals(r, tokens*dim)
				visible := make([]int, n)
				for i := range visible {
					visible[i] = 1 + r.IntN(tokens)
				}
				scale := float32(1 / math.Sqrt(float64(dim)))
				got := attend(queries, pages(t, dim, keys, values), visible, scale)
				for i := range n {
					want := exactAttention(queries[i*dim:(i+1)*dim], keys, values, visible[i], scale)
					for d := range want {
						if math.Abs(float64(got[i][d])-want[d]) > 2e-5 {
							t.Fatalf("heads of %d, %d of %d tokens: number %d is %v, want %v", dim, visible[i], tokens, d, got[i][d], want[d])
						}
					}
				}
			}
		}
	})
}

// exactAttention is attention in double precision over half-precision keys and
// values.
func exactAttention(query, keys, values []float32, visible int, scale float32) []float64 {
	dim := len(query)
	stored := func(x []float32, i, d int) float64 { return float64(Float16(ToFloat16(x[i*dim+d]))) }
	out, weight := make([]float64, dim), 0.0
	for i := range visible {
		score := 0.0
		for d, q := range query {
			score += float64(q) * stored(keys, i, d)
		}
		w := math.Exp(score * float64(scale))
		weight += w
		for d := range out {
			out[d] += w * stored(values, i, d)
		}
	}
	for d := range out {
		out[d] /= weight
	}
	return out
}

// A query's numbers do not depend on the queries beside it, on the tokens that
// it may not look at, or on the level.
func TestAttentionIsInvariant(t *testing.T) {
	var plain [][]float32
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 2)
		const dim, tokens = 64, 700
		queries, keys, values := normals(r, MaxQueries*dim), normals(r, tokens*dim), normals(r, tokens*dim)
		visible := []int{1, 31, 256, 257, 290, 511, 512, 700}
		all := attend(queries, pages(t, dim, keys, values), visible, 0.125)
		if plain == nil {
			plain = all
		}
		for i, v := range visible {
			equalBits(t, fmt.Sprintf("query %d against the plain level", i), all[i], plain[i])
			q := queries[i*dim : (i+1)*dim]
			alone := attend(q, pages(t, dim, keys[:v*dim], values[:v*dim]), []int{v}, 0.125)
			equalBits(t, fmt.Sprintf("query %d of %d tokens alone", i, v), alone[0], all[i])
		}
	})
}

func TestAttentionKeepsNotFiniteNumbers(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 3)
		const dim, tokens = 16, 40
		for _, bad := range []float32{nan, inf} {
			keys, values, query := normals(r, tokens*dim), normals(r, tokens*dim), normals(r, dim)
			values[33*dim+5] = bad
			got := attend(query, pages(t, dim, keys, values), []int{tokens}, 1)
			if v := got[0][5]; v-v == 0 {
				t.Errorf("a value of %v: attention %v", bad, v)
			}
			got = attend(query, pages(t, dim, keys, values), []int{33}, 1)
			if v := got[0][5]; v-v != 0 {
				t.Errorf("an invisible value of %v: attention %v", bad, v)
			}
		}
	})
}

// A slot's key and value are the half-precision ones at every level, and no
// other slot's are touched.
func TestStoreKVAgreesAtEveryLevel(t *testing.T) {
	r := newRand(t, 4)
	for _, dim := range []int{16, 64} {
		key, value := normals(r, dim), normals(r, dim)
		copy(key, []float32{70000, -70000, 1e-8, inf, 0})
		for slot := range PageTokens {
			want := make([]uint16, PageSize(dim))
			for d := range dim {
				want[d*PageTokens+slot] = ToFloat16(key[d])
				want[(PageTokens+slot)*dim+d] = ToFloat16(value[d])
			}
			atEachLevel(t, func(t *testing.T) {
				got := guarded[uint16](t, PageSize(dim))
				StoreKV(got, slot, key, value)
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("heads of %d, slot %d: number %d is %04x, want %04x", dim, slot, i, got[i], want[i])
					}
				}
			})
		}
	}
}

func BenchmarkAttend(b *testing.B) {
	r := newRand(b, 5)
	const dim = 64
	for _, n := range []int{1, 3, 8} {
		b.Run(fmt.Sprintf("queries=%d", n), func(b *testing.B) {
			queries := normals(r, n*dim)
			segment := pages(b, dim, normals(r, SegmentTokens*dim), normals(r, SegmentTokens*dim))
			visible := make([]int, n)
			for i := range visible {
				visible[i] = SegmentTokens
			}
			var p Partial
			benchEachLevel(b, func(b *testing.B) {
				for b.Loop() {
					p.Attend(queries, segment, visible, 0.125)
				}
				b.ReportMetric(float64(n*dim*2*SegmentTokens)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
			})
		})
	}
}
