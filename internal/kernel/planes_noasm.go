//go:build !amd64 || purego

package kernel

func planeSums(codes []uint64, stride int, rows []uint32, planes []Planes, sums *[BlockVectors]int32) {
	planeSumsGeneric(codes, stride, rows, planes, sums)
}
