//go:build !amd64 || purego

package kernel

func scorePlanes(codes []uint64, nodes []uint32, planes []Planes, t *ScanTerms, out *[BlockVectors]float32) uint32 {
	return scorePlanesGeneric(codes, nodes, planes, t, out)
}
