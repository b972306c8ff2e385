package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
)

// QuantizeRow writes numbers as a GGUF file holds them: exactly as the functions
// of ggml and of its Python package do. It knows F32, F16, BF16, Q8_0 and Q4_0;
// another format, or a dst that is not the bytes of len(src) numbers, panics.
func QuantizeRow(f Format, src []float32, dst []byte) {
	if n, ok := f.RowBytes(len(src)); !ok || len(dst) != n {
		panic(fmt.Sprintf("kernel.QuantizeRow: %d numbers into %d bytes of %v", len(src), len(dst), f))
	}
	l := f.layout()
	for ; len(src) > 0; src, dst = src[l.values:], dst[l.bytes:] {
		switch f {
		case F32:
			binary.LittleEndian.PutUint32(dst, math.Float32bits(src[0]))
		case F16:
			binary.LittleEndian.PutUint16(dst, ToFloat16(src[0]))
		case BF16:
			binary.LittleEndian.PutUint16(dst, toBFloat16(src[0]))
		case Q8_0:
			quantizeQ8_0(src[:BlockLen], dst)
		case Q4_0:
			quantizeQ4_0(src[:BlockLen], dst)
		default:
			panic("kernel.QuantizeRow: nothing quantises to " + f.String())
		}
	}
}

// quantizeQ8_0 chooses the scale that takes the largest magnitude to 127.
func quantizeQ8_0(src []float32, dst []byte) {
	peak := src[largestMagnitude(src)]
	scale, inverse := scaleTo(float32(math.Abs(float64(peak))), 127)
	binary.LittleEndian.PutUint16(dst, ToFloat16(scale))
	for i, v := range src {
		dst[2+i] = byte(int8(math.Round(float64(v * inverse))))
	}
}

// quantizeQ4_0 chooses the scale that takes the number of largest magnitude to
// −8; quants are stored plus 8.
func quantizeQ4_0(src []float32, dst []byte) {
	scale, inverse := scaleTo(src[largestMagnitude(src)], -8)
	binary.LittleEndian.PutUint16(dst, ToFloat16(scale))
	quant := func(v float32) byte { return byte(min(15, int(float32(v*inverse)+8.5))) }
	for i := range BlockLen / 2 {
		dst[2+i] = quant(src[i]) | quant(src[i+BlockLen/2])<<4
	}
}

// scaleTo returns what takes a quant to the numbers that have v at a level, and
// its inverse, which is zero where that is.
func scaleTo(v, level float32) (scale, inverse float32) {
	scale = v / level
	if scale != 0 {
		inverse = 1 / scale
	}
	return scale, inverse
}

// largestMagnitude returns where the first number of largest magnitude is.
func largestMagnitude(x []float32) int {
	at := 0
	for i, v := range x {
		if math.Abs(float64(v)) > math.Abs(float64(x[at])) {
			at = i
		}
	}
	return at
}

// toBFloat16 rounds to the upper half of a float32, to nearest, ties to even.
func toBFloat16(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40 // quiet, whatever the lower half held
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
