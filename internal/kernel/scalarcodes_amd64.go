//go:build !purego

package kernel

// scalarStep is how many bytes of a code the assembly takes at a time; it leaves
// the rest of each code to plain Go.
const scalarStep = 16

// The assembly takes the first whole·16 bytes of codes of size bytes. whole is
// positive, and so is len(out).

//go:noescape
func l2BytesAVX512(q, step *float32, codes *byte, size, whole int, out []float32)

//go:noescape
func l2BytesAVX2(q, step *float32, codes *byte, size, whole int, out []float32)

//go:noescape
func dotBytesAVX512(w *float32, codes *byte, size, whole int, out []float32)

//go:noescape
func dotBytesAVX2(w *float32, codes *byte, size, whole int, out []float32)

//go:noescape
func l2NibblesAVX512(q, step *float32, codes *byte, size, whole int, out []float32)

//go:noescape
func l2NibblesAVX2(q, step *float32, codes *byte, size, whole int, out []float32)

//go:noescape
func dotNibblesAVX512(w *float32, codes *byte, size, whole int, out []float32)

//go:noescape
func dotNibblesAVX2(w *float32, codes *byte, size, whole int, out []float32)

func l2Bytes(q, step []float32, codes []byte, out []float32) int {
	whole := len(q) / scalarStep
	switch {
	case whole == 0 || len(out) == 0:
		return 0
	case useAVX512:
		l2BytesAVX512(&q[0], &step[0], &codes[0], len(q), whole, out)
	case useAVX2:
		l2BytesAVX2(&q[0], &step[0], &codes[0], len(q), whole, out)
	default:
		return 0
	}
	return whole * scalarStep
}

func dotBytes(w []float32, codes []byte, out []float32) int {
	whole := len(w) / scalarStep
	switch {
	case whole == 0 || len(out) == 0:
		return 0
	case useAVX512:
		dotBytesAVX512(&w[0], &codes[0], len(w), whole, out)
	case useAVX2:
		dotBytesAVX2(&w[0], &codes[0], len(w), whole, out)
	default:
		return 0
	}
	return whole * scalarStep
}

func l2Nibbles(q, step []float32, codes []byte, out []float32) int {
	size := len(q) / 2
	whole := size / scalarStep
	switch {
	case whole == 0 || len(out) == 0:
		return 0
	case useAVX512:
		l2NibblesAVX512(&q[0], &step[0], &codes[0], size, whole, out)
	case useAVX2:
		l2NibblesAVX2(&q[0], &step[0], &codes[0], size, whole, out)
	default:
		return 0
	}
	return whole * scalarStep
}

func dotNibbles(w []float32, codes []byte, out []float32) int {
	size := len(w) / 2
	whole := size / scalarStep
	switch {
	case whole == 0 || len(out) == 0:
		return 0
	case useAVX512:
		dotNibblesAVX512(&w[0], &codes[0], size, whole, out)
	case useAVX2:
		dotNibblesAVX2(&w[0], &codes[0], size, whole, out)
	default:
		return 0
	}
	return whole * scalarStep
}
