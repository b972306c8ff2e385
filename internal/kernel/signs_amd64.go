//go:build !purego

package kernel

// signSumsAVX2 wants at least 32 numbers.
//
//go:noescape
func signSumsAVX2(v, centre []float32, signs []uint16) (square, absolute, along float32)

func signSums(v, centre []float32, signs []uint16) SignSums {
	if useAVX2 {
		square, absolute, along := signSumsAVX2(v, centre, signs)
		return SignSums{square, absolute, along}
	}
	return signSumsGeneric(v, centre, signs)
}
