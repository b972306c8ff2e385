//go:build !amd64 || purego

package kernel

func groupMax(q []float32) float32 { return groupMaxGeneric(q) }

func signTables(q []float32, tables []byte, inverse float32) int {
	return signTablesGeneric(q, tables, inverse)
}

func scanSums(codes, tables []byte, sums *[BlockVectors]uint32) { scanSumsGeneric(codes, tables, sums) }

func scanBlock(block, tables []byte, t *ScanTerms, out *[BlockVectors]float32, _ int) uint32 {
	var sums [BlockVectors]uint32
	scanSumsGeneric(block, tables, &sums)
	return finishScanGeneric(block[len(tables):], t, &sums, out)
}
