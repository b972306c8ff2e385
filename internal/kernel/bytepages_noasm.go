//go:build !amd64 || purego

package kernel

func widenRows(dst []uint16, src []int8, scales *[PageTokens]float32) {
	widenRowsGeneric(dst, src, scales)
}

func widenUnits(dst []uint16, src []int8, scales *[PageTokens]float32) {
	widenUnitsGeneric(dst, src, scales)
}
