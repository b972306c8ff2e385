package index

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// nodeCodes are the codes of the sweep once more, node by node: where a filter
// admits one node in many blocks, most of what a block's estimates say is not
// wanted. A query's numbers are rounded to four bits, and ⟨s, q⟩ is a sum of
// counts of bits (Gao and Long 2024, "RaBitQ", section 3.3.1).
type nodeCodes struct {
	stride int      // words a node
	words  []uint64 // of every node: its two factors, then its signs
}

// askedCodes is a query as nodeCodes compares it.
type askedCodes struct {
	planes []kernel.Planes // a word of signs each
	terms  kernel.ScanTerms
}

// newNodeCodes takes codes and factors out of a sweep of so many nodes.
func newNodeCodes(l layout, sweep []byte, nodes int) nodeCodes {
	c := nodeCodes{stride: 1 + (l.padded+63)/64}
	c.words = make([]uint64, nodes*c.stride)
	nibbles := make([]byte, l.padded/4)
	for node := range nodes {
		block := sweep[node/kernel.BlockVectors*l.sweepSize():][:l.sweepSize()]
		factors := halves(block[l.codesSize():])
		at := node % kernel.BlockVectors
		out := c.words[node*c.stride : (node+1)*c.stride]
		a, b := kernel.Float16(factors[at]), kernel.Float16(factors[kernel.BlockVectors+at])
		out[0] = uint64(math.Float32bits(a)) | uint64(math.Float32bits(b))<<32
		kernel.GetCode(block[:l.codesSize()], at, nibbles)
		for g, nibble := range nibbles {
			out[1+g/16] |= uint64(nibble) << (g % 16 * 4)
		}
	}
	return c
}

// ask rounds a query, which has as many numbers as codes have bits or fewer.
func (c *nodeCodes) ask(query []float32, q *askedCodes) {
	q.planes = append(q.planes[:0], make([]kernel.Planes, c.stride-1)...)
	most, total := float32(0), float32(0)
	for _, x := range query {
		most = max(most, x, -x)
		total += x
	}
	const largest = 7 // of four signed bits
	unit := most / largest
	q.terms = kernel.ScanTerms{Base: kernel.Dot(query, query), Step: 2 * unit, Low: -total}
	if unit == 0 {
		return
	}
	inverse := 1 / unit
	for i, x := range query {
		// Added to 1.5·2²³, what is left of a number in the lowest bits is itself, rounded.
		v := uint64(math.Float32bits(x*inverse + 3<<22))
		word := &q.planes[i/64]
		for p := range word {
			word[p] |= v >> p & 1 << (i % 64)
		}
	}
}
