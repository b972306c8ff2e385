//go:build !purego

package kernel

// scoreNibblesAVX512 and scoreNibblesAVX2 want at least one node and trust that
// each has a code.
//
//go:noescape
func scoreNibblesAVX512(q []int8, codes *byte, factors *float32, nodes []uint32, t *NibbleTerms, out *[BlockVectors]float32) uint32

//go:noescape
func scoreNibblesAVX2(q []int8, codes *byte, factors *float32, nodes []uint32, t *NibbleTerms, out *[BlockVectors]float32) uint32

// unseenAVX2 wants at least one node and trusts that all are within seen.
//
//go:noescape
func unseenAVX2(nodes []uint32, seen *uint64, codes *byte, size int, out *[BlockVectors]uint32) int

func scoreNibbles(q []int8, codes []byte, factors []float32, nodes []uint32, t *NibbleTerms, out *[BlockVectors]float32) uint32 {
	switch {
	case useAVX512:
		return scoreNibblesAVX512(q, &codes[0], &factors[0], nodes, t, out)
	case useAVX2:
		return scoreNibblesAVX2(q, &codes[0], &factors[0], nodes, t, out)
	}
	return scoreNibblesGeneric(q, codes, factors, nodes, t, out)
}

func unseen(nodes []uint32, seen []uint64, codes []byte, size int, out *[BlockVectors]uint32) int {
	if useAVX2 && len(codes) > 0 {
		return unseenAVX2(nodes, &seen[0], &codes[0], size, out)
	}
	return unseenGeneric(nodes, seen, out)
}
