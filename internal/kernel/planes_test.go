package kernel

import "testing"

func TestPlaneSums(t *testing.T) {
	atEachLevel(t, func(t *testing.T) {
		r := newRand(t, 31)
		for words := range 14 {
			for _, front := range []int{0, 1, 3} {
				const rows = 40
				stride := front + words
				codes, planes := guarded[uint64](t, rows*stride), guarded[Planes](t, words)
				for i := range codes {
					codes[i] = r.Uint64()
				}
				for i := range planes {
					planes[i] = Planes{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()}
				}
				asked := guarded[uint32](t, r.IntN(BlockVectors+1))
				for i := range asked {
					asked[i] = uint32(r.IntN(rows))
				}
				var sums [BlockVectors]int32
				PlaneSums(codes, stride, asked, planes, &sums)
				for i, row := range asked {
					if want := planeSum(codes[int(row)*stride+front:], planes); sums[i] != want {
						t.Fatalf("%d words: row %d has the sum %d, want %d", words, row, sums[i], want)
					}
				}
			}
		}
	})
	panics(t, "a row beyond the end", func() { PlaneSums(make([]uint64, 6), 3, []uint32{2}, make([]Planes, 2), new([32]int32)) })
	panics(t, "too many rows", func() { PlaneSums(make([]uint64, 6), 3, make([]uint32, 33), make([]Planes, 2), new([32]int32)) })
	panics(t, "a code longer than a row", func() { PlaneSums(make([]uint64, 6), 3, []uint32{0}, make([]Planes, 4), new([32]int32)) })
}

// planeSum adds up a row's numbers one by one.
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
