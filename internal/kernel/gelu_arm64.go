//go:build !purego

package kernel

func gelu(x []float32) {
	if !useNEON {
		geluGeneric(x)
		return
	}
	const block = 4
	n := len(x) &^ (block - 1)
	if n > 0 {
		geluNEON(&x[0], n/block)
	}
	if rest := x[n:]; len(rest) > 0 { // the same bits wherever a number stands
		var padded [block]float32
		copy(padded[:], rest)
		geluNEON(&padded[0], 1)
		copy(rest, padded[:])
	}
}
