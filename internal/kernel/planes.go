package kernel

import (
	"fmt"
	"math"
	"math/bits"
)

// Planes are the numbers of 64 dimensions of a vector, rounded to four bits: bit i of
// Planes[p] is bit p of number i, which counts 1, 2, 4 and, in the last, −8 (Gao and Long
// 2024, "RaBitQ", section 3.3.1).
type Planes [4]uint64

// ScorePlanes estimates up to 32 nodes by codes of one bit a dimension, wherever they lie. A
// node has a word with its two factors a and b, as float32, a in the lower half, then a word of its code for
// every one of planes. With sum the sum of the numbers whose bit is set in the i-th node's code, out[i] = (Base
// + a) + b·(Step·sum + Low). It returns the bits of those below Limit. Sums are exact, rounding differs
// between Levels. It panics if a node has no code.
func ScorePlanes(codes []uint64, nodes []uint32, planes []Planes, t *ScanTerms, out *[BlockVectors]float32) uint32 {
	if len(nodes) > BlockVectors {
		panic(fmt.Sprintf("kernel.ScorePlanes: %d nodes", len(nodes)))
	}
	last := uint32(0)
	for _, node := range nodes {
		last = max(last, node)
	}
	if len(nodes) == 0 {
		return 0
	}
	if stride := 1 + len(planes); (int(last)+1)*stride > len(codes) {
		panic(fmt.Sprintf("kernel.ScorePlanes: node %d of %d words, and there are %d", last, stride, len(codes)))
	}
	return scorePlanes(codes, nodes, planes, t, out)
}

// scorePlanesGeneric is the plain definition of ScorePlanes.
func scorePlanesGeneric(codes []uint64, nodes []uint32, planes []Planes, t *ScanTerms, out *[BlockVectors]float32) uint32 {
	stride := 1 + len(planes)
	for i, node := range nodes {
		code, sum := codes[int(node)*stride:][:stride], 0
		for j, word := range code[1:] {
			p := &planes[j]
			sum += bits.OnesCount64(word&p[0]) + 2*bits.OnesCount64(word&p[1]) +
				4*bits.OnesCount64(word&p[2]) - 8*bits.OnesCount64(word&p[3])
		}
		a, b := math.Float32frombits(uint32(code[0])), math.Float32frombits(uint32(code[0]>>32))
		out[i] = (t.Base + a) + b*(t.Step*float32(sum)+t.Low)
	}
	return below(out[:len(nodes)], t.Limit)
}
