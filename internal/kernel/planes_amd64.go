//go:build !purego

package kernel

//go:noescape
func planeSumsPOPCNT(codes []uint64, stride int, rows []uint32, planes []Planes, sums *[BlockVectors]int32)

// planeSums uses POPCNT, which every processor with AVX2 has: codes are a few words long,
// too short for wide registers.
func planeSums(codes []uint64, stride int, rows []uint32, planes []Planes, sums *[BlockVectors]int32) {
	if useAVX2 {
		planeSumsPOPCNT(codes, stride, rows, planes, sums)
		return
	}
	planeSumsGeneric(codes, stride, rows, planes, sums)
}
