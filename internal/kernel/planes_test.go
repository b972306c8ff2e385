package kernel

import (
	"math"
	"testing"
)

func TestScorePlanes(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 31)
		for words := range 14 {
			const nodes = 40
			stride := 1 + words
			codes, planes := guarded[uint64](t, nodes*stride), guarded[Planes](t, words)
			factors := normals(r, 2*nodes)
			for i := range codes {
				if codes[i] = r.Uint64(); i%stride == 0 {
					f := factors[i/stride*2:]
					codes[i] = uint64(math.Float32bits(f[0])) | uint64(math.Float32bits(f[1]))<<32
				}
			}
			for i := range planes {
				planes[i] = Planes{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()}
			}
			asked := guarded[uint32](t, r.IntN(BlockVectors+1))
			for i := range asked {
				asked[i] = uint32(r.IntN(nodes))
			}
			terms := ScanTerms{Base: 3, Step: 0.01, Low: -1, Limit: 3}
			var got [BlockVectors]float32
			bits := ScorePlanes(codes, asked, planes, &terms, &got)
			for i, node := range asked {
				sum := planeSum(codes[int(node)*stride+1:], planes)
				product := float64(factors[2*node+1]) * (float64(terms.Step)*float64(sum) - 1)
				want := 3 + float64(factors[2*node]) + product
				if math.Abs(float64(got[i])-want) > 1e-6*(4+math.Abs(float64(factors[2*node]))+math.Abs(product)) {
					t.Errorf("%d words, node %d: got %v, want %v", words, node, got[i], want)
				}
				if bits>>i&1 == 1 != (got[i] < terms.Limit) {
					t.Errorf("%d words, node %d: %v, bit %d", words, node, got[i], bits>>i&1)
				}
			}
			if len(asked) < BlockVectors && bits>>len(asked) != 0 {
				t.Errorf("%d nodes: bits %b", len(asked), bits)
			}
		}
	})
	score := func(words int, nodes []uint32) func() {
		return func() { ScorePlanes(make([]uint64, 6), nodes, make([]Planes, words), &ScanTerms{}, new([32]float32)) }
	}
	panics(t, "a node beyond the end", score(2, []uint32{2}))
	panics(t, "too many nodes", score(2, make([]uint32, 33)))
	panics(t, "a code longer than all", score(6, []uint32{0}))
}

// planeSum adds up a node's numbers one by one.
func planeSum(code []uint64, planes []Planes) (sum int32) {
	for i := range 64 * len(planes) {
		if code[i/64]>>(i%64)&1 == 0 {
			continue
		}
		for p, weight := range [4]int32{1, 2, 4, -8} {
			sum += weight * int32(planes[i/64][p]>>(i%64)&1)
		}
	}
	return sum
}
