//go:build !purego

package kernel

// widenRowsAVX2 and widenUnitsAVX2 take 32 rows of 32 bytes.
//
//go:noescape
func widenRowsAVX2(dst *uint16, src *int8, scales *float32)

//go:noescape
func widenUnitsAVX2(dst *uint16, src *int8, scales *float32)

func widenRows(dst []uint16, src []int8, scales *[PageTokens]float32) {
	if useAVX2 {
		widenRowsAVX2(&dst[0], &src[0], &scales[0])
		return
	}
	widenRowsGeneric(dst, src, scales)
}

func widenUnits(dst []uint16, src []int8, scales *[PageTokens]float32) {
	if useAVX2 {
		widenUnitsAVX2(&dst[0], &src[0], &scales[0])
		return
	}
	widenUnitsGeneric(dst, src, scales)
}
