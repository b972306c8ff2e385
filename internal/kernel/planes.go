package kernel

import (
	"fmt"
	"math/bits"
)

// Planes are the numbers of 64 dimensions of a vector, rounded to four bits: bit i of
// Planes[p] is bit p of number i, which counts 1, 2, 4 and, in the last, −8 (Gao and Long
// 2024, "RaBitQ", section 3.3.1).
type Planes [4]uint64

// PlaneSums sets sums[i], for up to 32 rows, to the sum of the numbers whose bit is set in
// the row's code. Codes have a stride of words a row, of which the last len(planes) are the
// code. It is exact.
func PlaneSums(codes []uint64, stride int, rows []uint32, planes []Planes, sums *[BlockVectors]int32) {
	if len(rows) > BlockVectors || len(planes) > stride {
		panic(fmt.Sprintf("kernel.PlaneSums: %d rows and a code of %d words in %d", len(rows), len(planes), stride))
	}
	last := uint32(0)
	for _, row := range rows {
		last = max(last, row)
	}
	if len(rows) == 0 || len(planes) == 0 {
		clear(sums[:len(rows)])
		return
	}
	if (int(last)+1)*stride > len(codes) {
		panic(fmt.Sprintf("kernel.PlaneSums: row %d of %d words, and there are %d", last, stride, len(codes)))
	}
	planeSums(codes[stride-len(planes):], stride, rows, planes, sums)
}

// planeSumsGeneric is the plain definition of PlaneSums; codes begin with the first row's.
func planeSumsGeneric(codes []uint64, stride int, rows []uint32, planes []Planes, sums *[BlockVectors]int32) {
	for i, row := range rows {
		sum := 0
		for j, word := range codes[int(row)*stride:][:len(planes)] {
			p := &planes[j]
			sum += bits.OnesCount64(word&p[0]) + 2*bits.OnesCount64(word&p[1]) +
				4*bits.OnesCount64(word&p[2]) - 8*bits.OnesCount64(word&p[3])
		}
		sums[i] = int32(sum)
	}
}
