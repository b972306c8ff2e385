//go:build !purego

package kernel

// putHalvesAVX2 and getHalvesAVX2 want a length that is a multiple of 8.
//
//go:noescape
func putHalvesAVX2(dst []uint16, src []float32)

//go:noescape
func getHalvesAVX2(dst []float32, src []uint16)

// l2HalvesAVX512 and l2HalvesAVX2 want a multiple of HalvesUnit, not zero.
//
//go:noescape
func l2HalvesAVX512(q []float32, v []uint16, ahead int) float32

//go:noescape
func l2HalvesAVX2(q []float32, v []uint16, ahead int) float32

// prefetchLines asks for the lines of memory, which is not empty, in the
// second-level cache.
//
//go:noescape
func prefetchLines(memory []byte)

func putHalves(dst []uint16, src []float32) {
	whole := 0
	if useAVX2 {
		whole = len(src) &^ 7
		putHalvesAVX2(dst[:whole], src[:whole])
	}
	putHalvesGeneric(dst[whole:], src[whole:])
}

func getHalves(dst []float32, src []uint16) {
	whole := 0
	if useAVX2 {
		whole = len(src) &^ 7
		getHalvesAVX2(dst[:whole], src[:whole])
	}
	getHalvesGeneric(dst[whole:], src[whole:])
}

func l2Halves(q []float32, v []uint16, ahead int) float32 {
	switch {
	case useAVX512:
		return l2HalvesAVX512(q, v, ahead)
	case useAVX2:
		return l2HalvesAVX2(q, v, ahead)
	}
	return l2HalvesGeneric(q, v)
}

func prefetch(memory []byte) { prefetchLines(memory) }
