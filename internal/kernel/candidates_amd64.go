//go:build !purego

package kernel

// addCandidatesAVX512 trusts that nodes are within seen, where that is not empty.
//
//go:noescape
func addCandidatesAVX512(c *Candidates, nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) int

// addFewCandidatesAVX512 is the same for at most fewCandidates places.
//
//go:noescape
func addFewCandidatesAVX512(c *Candidates, nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) int

// addCandidatesAVX2 is the same for every capacity.
//
//go:noescape
func addCandidatesAVX2(c *Candidates, nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) int

// fewCandidates is how many entries the registers hold.
const fewCandidates = 128

func (c *Candidates) add(nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) int {
	switch {
	case useAVX512 && c.padded <= fewCandidates:
		return addFewCandidatesAVX512(c, nodes, distances, which, seen)
	case useAVX512:
		return addCandidatesAVX512(c, nodes, distances, which, seen)
	case useAVX2:
		return addCandidatesAVX2(c, nodes, distances, which, seen)
	}
	return c.addGeneric(nodes, distances, which, seen)
}
