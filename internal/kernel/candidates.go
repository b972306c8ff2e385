package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// Candidates keeps the nearest entries that a search of a graph has met, sorted
// by distance, and remembers which of them were taken. An entry is a distance and
// a node's number below 2³¹. Reset it before use. Not safe for concurrent use.
//
// The arrays lie on cache lines and are shifted in whole registers, highest
// first, without a branch on a distance: a store is read again by the next
// insertion as it was written, which the processor can forward.
type Candidates struct {
	distances []float32 // a line of −∞, then padded distances, +∞ where empty
	nodes     []uint32  // beside them; the top bit says taken
	capacity  int
	padded    int // capacity rounded up to whole lines
	next      int // no entry before it can be taken
}

const (
	candidateLine  = 16
	candidateTaken = 1 << 31
	candidateNone  = ^uint32(0)
)

// Reset empties c and lets it keep that many entries, at least one.
func (c *Candidates) Reset(capacity int) {
	if capacity < 1 {
		panic(fmt.Sprintf("kernel.Candidates.Reset: capacity %d", capacity))
	}
	c.capacity, c.next = capacity, 0
	c.padded = (capacity + candidateLine - 1) / candidateLine * candidateLine
	size := candidateLine + c.padded
	if len(c.distances) < size {
		c.distances = alignedFloats(size)
		numbers := alignedFloats(size)
		c.nodes = unsafe.Slice((*uint32)(unsafe.Pointer(&numbers[0])), size)
	}
	for i := range candidateLine {
		c.distances[i] = float32(math.Inf(-1))
	}
	for i := candidateLine; i < size; i++ {
		c.distances[i], c.nodes[i] = float32(math.Inf(1)), candidateNone
	}
}

// Limit returns the distance below which an entry is let in: +∞ until c is full.
func (c *Candidates) Limit() float32 { return c.distances[candidateLine+c.capacity-1] }

// Add lets in those entries i whose bit in which is set, whose distance is below
// Limit as it is before, and whose node's bit in seen is not set; seen may be nil. It is the
// same at every Level: entries are added in the order of i, one goes behind
// those of equal distance, and the last falls out. The same node may be let in twice.
func (c *Candidates) Add(nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) {
	if which != 0 {
		c.next = min(c.next, c.add(nodes, distances, which, seen))
	}
}

// Take returns the nearest node that was not taken yet, and takes it.
func (c *Candidates) Take() (node uint32, ok bool) {
	entries := c.nodes[candidateLine : candidateLine+c.capacity]
	for i := c.next; i < len(entries); i++ {
		node := entries[i]
		if node&candidateTaken == 0 {
			entries[i] |= candidateTaken
			c.next = i + 1
			return node, true
		}
		if node == candidateNone {
			break
		}
	}
	c.next = min(c.next, len(entries))
	return 0, false
}

// At returns the entry with the i-th smallest distance, and whether there is one.
func (c *Candidates) At(i int) (node uint32, distance float32, ok bool) {
	if i >= c.capacity || c.nodes[candidateLine+i] == candidateNone {
		return 0, 0, false
	}
	return c.nodes[candidateLine+i] &^ candidateTaken, c.distances[candidateLine+i], true
}

// addGeneric is the plain definition of Add. It returns the lowest place filled.
func (c *Candidates) addGeneric(nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) int {
	lowest, limit := c.capacity, c.Limit()
	d, n := c.distances[candidateLine:candidateLine+c.capacity], c.nodes[candidateLine:candidateLine+c.capacity]
	for i, node := range nodes {
		distance := distances[i]
		if which>>i&1 == 0 || !(distance < limit) || distance >= d[len(d)-1] || seen != nil && seen[node>>6]>>(node&63)&1 != 0 {
			continue
		}
		at := len(d) - 1
		for ; at > 0 && d[at-1] > distance; at-- {
			d[at], n[at] = d[at-1], n[at-1]
		}
		d[at], n[at] = distance, node
		lowest = min(lowest, at)
	}
	return lowest
}
