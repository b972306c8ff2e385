package index

import (
	"math"
	"math/bits"

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

// planes are the bits of a rounded query, of signed numbers: the last counts −8.
const planes = 4

// askedCodes is a query as nodeCodes compares it.
type askedCodes struct {
	planes [][planes]uint64 // a word of signs each
	base   float32          // |q|²
	step   float32          // twice the unit of the sum of counts
	total  float32          // Σqᵢ
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
	q.planes = append(q.planes[:0], make([][planes]uint64, c.stride-1)...)
	q.base, q.total = 0, 0
	most := float32(0)
	for _, x := range query {
		most = max(most, x, -x)
		q.base += x * x
		q.total += x
	}
	const largest = 1<<(planes-1) - 1
	unit := most / largest
	q.step = 2 * unit
	if unit == 0 {
		return
	}
	inverse := 1 / unit
	for i, x := range query {
		v := uint64(int(math.RoundToEven(float64(x * inverse))))
		word := &q.planes[i/64]
		for p := range word {
			word[p] |= v >> p & 1 << (i % 64)
		}
	}
}

// estimate returns about the squared distance of the query and a node.
func (c *nodeCodes) estimate(q *askedCodes, node uint32) float32 {
	code := c.words[int(node)*c.stride:][:len(q.planes)+1]
	sum := 0
	for i, signs := range code[1:] {
		p := &q.planes[i]
		sum += bits.OnesCount64(signs&p[0]) + 2*bits.OnesCount64(signs&p[1]) +
			4*bits.OnesCount64(signs&p[2]) - 8*bits.OnesCount64(signs&p[3])
	}
	a, b := math.Float32frombits(uint32(code[0])), math.Float32frombits(uint32(code[0]>>32))
	return q.base + a + b*(q.step*float32(sum)-q.total)
}
