//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// hasVPOPCNT says whether VPOPCNTQ is there, which counts the bits of eight words at once. Of
// the CPUs with AVX512, Cascade Lake lacks it.
var hasVPOPCNT = cpu.X86.HasAVX512VPOPCNTDQ

// scorePlanesAVX512 and scorePlanesAVX2 want at least one node and trust that each has a code.
//
//go:noescape
func scorePlanesAVX512(codes *uint64, nodes []uint32, planes []Planes, t *ScanTerms, out *[BlockVectors]float32) uint32

//go:noescape
func scorePlanesAVX2(codes *uint64, nodes []uint32, planes []Planes, t *ScanTerms, out *[BlockVectors]float32) uint32

func scorePlanes(codes []uint64, nodes []uint32, planes []Planes, t *ScanTerms, out *[BlockVectors]float32) uint32 {
	switch {
	case useAVX512 && hasVPOPCNT:
		return scorePlanesAVX512(&codes[0], nodes, planes, t, out)
	case useAVX2:
		return scorePlanesAVX2(&codes[0], nodes, planes, t, out)
	}
	return scorePlanesGeneric(codes, nodes, planes, t, out)
}
