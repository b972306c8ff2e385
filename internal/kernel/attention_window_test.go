package kernel

import (
	"math"
	"testing"
)

// attendWindow runs queries that see tokens [from, to) over all pages, segment
// by segment.
func attendWindow(queries []float32, pages [][]uint16, from, to []int, scale, softCap float32) [][]float32 {
	var sum, now Partial
	for at := 0; at < len(pages); at += SegmentPages {
		lo, hi := make([]int, len(to)), make([]int, len(to))
		for i := range to {
			lo[i], hi[i] = from[i]-at*PageTokens, to[i]-at*PageTokens
		}
		p := &now
		if at == 0 {
			p = &sum
		}
		p.AttendWindow(queries, pages[at:min(len(pages), at+SegmentPages)], lo, hi, scale, softCap)
		if at > 0 {
			sum.Add(&now)
		}
	}
	out := make([][]float32, len(to))
	for i := range out {
		out[i] = make([]float32, len(queries)/len(to))
		sum.Result(i, out[i])
	}
	return out
}

// exactWindow is attention of one query to tokens [from, to) in double
// precision over half-precision keys and values.
func exactWindow(query, keys, values []float32, from, to int, scale, softCap float64) []float64 {
	dim := len(query)
	out, weight := make([]float64, dim), 0.0
	for i := from; i < to; i++ {
		score := 0.0
		for d := range dim {
			score += float64(query[d]) * float64(Float16(ToFloat16(keys[i*dim+d])))
		}
		score *= scale
		if softCap > 0 {
			score = softCap * math.Tanh(score/softCap)
		}
		w := math.Exp(score)
		weight += w
		for d := range dim {
			out[d] += w * float64(Float16(ToFloat16(values[i*dim+d])))
		}
	}
	for d := range out {
		out[d] /= weight
	}
	return out
}

func TestWindowedAttentionIsCloseToExact(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 12)
		for _, dim := range []int{16, 64, 256} {
			for _, tokens := range []int{1, 33, 256, 300, 600} {
				for _, softCap := range []float32{0, 1.5} {
					n := 1 + r.IntN(MaxQueries)
					queries := guarded[float32](t, n*dim)
					copy(queries, normals(r, n*dim))
					keys, values := normals(r, tokens*dim), normals(r, tokens*dim)
					from, to := make([]int, n), make([]int, n)
					for i := range to {
						to[i] = 1 + r.IntN(tokens)
						from[i] = r.IntN(to[i])
					}
					scale := float32(1 / math.Sqrt(float64(dim)))
					got := attendWindow(queries, pages(t, dim, keys, values), from, to, scale, softCap)
					for i := range n {
						want := exactWindow(queries[i*dim:(i+1)*dim], keys, values, from[i], to[i], float64(scale), float64(softCap))
						for d := range want {
							if math.Abs(float64(got[i][d])-want[d]) > 3e-5 {
								t.Fatalf("heads of %d, tokens %d to %d of %d, cap %v: number %d is %v, want %v", dim, from[i], to[i], tokens, softCap, d, got[i][d], want[d])
							}
						}
					}
				}
			}
		}
	})
}

// A window that holds everything changes no bit, and a query gets the same bits
// in company as alone, at every level.
func TestWindowedAttentionIsInvariant(t *testing.T) {
	const dim, tokens, n = 32, 520, 7
	r := newRand(t, 13)
	queries := normals(r, n*dim)
	stored := pages(t, dim, normals(r, tokens*dim), normals(r, tokens*dim))
	from, to, none := make([]int, n), make([]int, n), make([]int, n)
	for i := range to {
		to[i] = 1 + r.IntN(tokens)
		from[i] = max(0, to[i]-1-r.IntN(300))
	}
	var first [][]float32
	atEachLevel(t, func(t *testing.T) {
		equal := func(what string, got, want []float32) {
			t.Helper()
			for d := range want {
				if math.Float32bits(got[d]) != math.Float32bits(want[d]) {
					t.Fatalf("%s: number %d is %v, want the same bits as %v", what, d, got[d], want[d])
				}
			}
		}
		whole, plain := attendWindow(queries, stored, none, to, 0.2, 0), attend(queries, stored, to, 0.2)
		got := attendWindow(queries, stored, from, to, 0.2, 3)
		if first == nil {
			first = got
		}
		for i := range n {
			equal("a window of everything", whole[i], plain[i])
			equal("at another level", got[i], first[i])
			alone := attendWindow(queries[i*dim:(i+1)*dim], stored, from[i:i+1], to[i:i+1], 0.2, 3)
			equal("alone", alone[0], got[i])
		}
	})
}

func TestSoftCapIsWithinItsBound(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 14)
		for _, limit := range []float32{1, 30, 50} {
			const scale = 0.75
			x := append(normals(r, 200), 0, 1e-6, -1e-6, 1e4, -1e4, inf, -inf)
			for i := range 200 {
				x[i] *= limit
			}
			got := guarded[float32](t, len(x))
			copy(got, x)
			SoftCap(got, scale, limit)
			for i, v := range x {
				want := float64(limit) * math.Tanh(scale*float64(v)/float64(limit))
				if math.Abs(float64(got[i])-want) > 0x1p-20*float64(limit) {
					t.Errorf("limit %v: %v becomes %v, want %v", limit, v, got[i], want)
				}
			}
		}
		x := []float32{1, nan}
		if SoftCap(x, 1, 30); x[1] == x[1] || x[0] != x[0] {
			t.Errorf("1 and NaN become %v", x)
		}
	})
}

func TestGELUTanhMulIsWithinItsBound(t *testing.T) {
	var first []float32
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 15)
		gate, up := guarded[float32](t, 700), guarded[float32](t, 700)
		for i := range gate {
			gate[i], up[i] = float32(4*r.NormFloat64()), float32(r.NormFloat64())
		}
		copy(gate, []float32{0, 1e-30, -1e-30, 9, -9, 200, -200, 1e18, -1e18})
		before := append([]float32(nil), gate...)
		GELUTanhMul(gate, up)
		for i, g := range before {
			x := float64(g)
			want := 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) * float64(up[i])
			if math.Abs(float64(gate[i])-want) > 0x1p-20*math.Abs(x*float64(up[i]))+1e-35 {
				t.Fatalf("gelu(%v)·%v is %v, want %v", g, up[i], gate[i], want)
			}
		}
		if first == nil {
			first = append(first, gate...)
		}
		for i := range first {
			if math.Float32bits(gate[i]) != math.Float32bits(first[i]) {
				t.Fatalf("gelu(%v)·%v is %v here and %v at another level", before[i], up[i], gate[i], first[i])
			}
		}
		extremes := []float32{nan, inf, 1}
		GELUTanhMul(extremes, []float32{1, 1, 1})
		if extremes[0] == extremes[0] || extremes[1] != inf || extremes[2]-extremes[2] != 0 {
			t.Errorf("gelu of NaN, infinity and 1: %v", extremes)
		}
	})
}
