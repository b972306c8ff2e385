//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// hasVBMI says whether VPERMB is there, which looks up four tables at once. CPUs
// of level AVX512 have it from Ice Lake and Zen 4 on; Cascade Lake scans with the
// AVX2 kernel. Measured with BenchmarkScanBlock on a Zen 4 core, 128 and 768
// dimensions: 17 and 59 ns against 47 and 156 at AVX2.
var hasVBMI = cpu.X86.HasAVX512VBMI

//go:noescape
func groupMaxAVX2(q []float32) float32

//go:noescape
func signTablesAVX2(q []float32, tables []byte, inverse float32) int

// scanSumsAVX2 takes at most maxGroupsAVX2 groups, and at least eight. It adds
// to sums.
//
//go:noescape
func scanSumsAVX2(codes, tables []byte, sums *[BlockVectors]uint32, ahead int)

//go:noescape
func finishScanAVX2(factors []byte, t *ScanTerms, sums *[BlockVectors]uint32, out *[BlockVectors]float32) uint32

//go:noescape
func scanSumsVBMI(codes, tables []byte, sums *[BlockVectors]uint32)

//go:noescape
func scanBlockVBMI(block, tables []byte, t *ScanTerms, out *[BlockVectors]float32, ahead int) uint32

// maxGroupsAVX2 keeps the 16-bit sums of scanSumsAVX2 from overflowing: each
// takes an entry of at most 255 for every second group.
const maxGroupsAVX2 = 512

func groupMax(q []float32) float32 {
	if useAVX2 {
		return groupMaxAVX2(q)
	}
	return groupMaxGeneric(q)
}

func signTables(q []float32, tables []byte, inverse float32) int {
	if useAVX2 {
		return signTablesAVX2(q, tables, inverse)
	}
	return signTablesGeneric(q, tables, inverse)
}

func scanSums(codes, tables []byte, sums *[BlockVectors]uint32) {
	switch {
	case useAVX512 && hasVBMI:
		scanSumsVBMI(codes, tables, sums)
	case useAVX2:
		scanPieces(codes, tables, sums, 0)
	default:
		scanSumsGeneric(codes, tables, sums)
	}
}

// scanPieces lets the AVX2 kernel add up as many groups at a time as it can.
func scanPieces(codes, tables []byte, sums *[BlockVectors]uint32, ahead int) {
	clear(sums[:])
	const most = maxGroupsAVX2 * TableSize // a group's codes take 16 bytes as well
	for len(tables) > most {
		scanSumsAVX2(codes[:most], tables[:most], sums, ahead)
		codes, tables = codes[most:], tables[most:]
	}
	scanSumsAVX2(codes, tables, sums, ahead)
}

func scanBlock(block, tables []byte, t *ScanTerms, out *[BlockVectors]float32, ahead int) uint32 {
	if useAVX512 && hasVBMI {
		return scanBlockVBMI(block, tables, t, out, ahead)
	}
	var sums [BlockVectors]uint32
	if !useAVX2 {
		scanSumsGeneric(block, tables, &sums)
		return finishScanGeneric(block[len(tables):], t, &sums, out)
	}
	scanPieces(block, tables, &sums, ahead)
	return finishScanAVX2(block[len(tables):], t, &sums, out)
}
