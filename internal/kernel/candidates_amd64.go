//go:build !purego

package kernel

// addCandidatesAVX512 trusts that nodes are within seen, where that is not empty.
//
//go:noescape
func addCandidatesAVX512(c *Candidates, nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) int

func (c *Candidates) add(nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) int {
	if useAVX512 {
		return addCandidatesAVX512(c, nodes, distances, which, seen)
	}
	return c.addGeneric(nodes, distances, which, seen)
}
