//go:build !amd64 || purego

package kernel

func (c *Candidates) add(nodes *[BlockVectors]uint32, distances *[BlockVectors]float32, which uint32, seen []uint64) int {
	return c.addGeneric(nodes, distances, which, seen)
}
