//go:build !amd64 || purego

package kernel

func scoreNibbles(q []int8, codes []byte, factors []float32, nodes []uint32, t *NibbleTerms, out *[BlockVectors]float32) uint32 {
	return scoreNibblesGeneric(q, codes, factors, nodes, t, out)
}

func unseen(nodes []uint32, seen []uint64, codes []byte, size int, out *[BlockVectors]uint32) int {
	return unseenGeneric(nodes, seen, out)
}
