package quant

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/ragstone/ragstone/internal/kernel"
)

// F32 keeps vectors as they are, little-endian.
type F32 struct{ dimensions int }

// NewF32 returns the codec of vectors of d dimensions.
func NewF32(d int) *F32 { return &F32{d} }

// Name returns "f32".
func (c *F32) Name() string { return "f32" }

// Dimensions implements Codec.
func (c *F32) Dimensions() int { return c.dimensions }

// CodeSize implements Codec.
func (c *F32) CodeSize() int { return 4 * c.dimensions }

// Encode implements Codec.
func (c *F32) Encode(x []float32, code []byte) {
	checkVector(c, x)
	for i, v := range x {
		binary.LittleEndian.PutUint32(code[4*i:], math.Float32bits(v))
	}
}

// Decode implements Codec.
func (c *F32) Decode(code []byte, x []float32) {
	checkCode(c, code)
	for i := range x[:c.dimensions] {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(code[4*i:]))
	}
}

// Scorer implements Codec.
func (c *F32) Scorer(query []float32, by Similarity) Scorer { return newDecodeScorer(c, query, by) }

// F16 keeps vectors in half precision: eleven bits of every number. Numbers
// beyond 65,504 are kept as that.
type F16 struct{ dimensions int }

// NewF16 returns the codec of vectors of d dimensions.
func NewF16(d int) *F16 { return &F16{d} }

// Name returns "f16".
func (c *F16) Name() string { return "f16" }

// Dimensions implements Codec.
func (c *F16) Dimensions() int { return c.dimensions }

// CodeSize implements Codec.
func (c *F16) CodeSize() int { return 2 * c.dimensions }

// Encode implements Codec.
func (c *F16) Encode(x []float32, code []byte) {
	checkVector(c, x)
	const most = 65504
	for i, v := range x {
		binary.LittleEndian.PutUint16(code[2*i:], kernel.ToFloat16(max(-most, min(most, v))))
	}
}

// Decode implements Codec.
func (c *F16) Decode(code []byte, x []float32) {
	checkCode(c, code)
	if uintptr(unsafe.Pointer(unsafe.SliceData(code)))%2 == 0 {
		kernel.GetHalves(x[:c.dimensions], unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(code))), c.dimensions))
		return
	}
	for i := range x[:c.dimensions] {
		x[i] = kernel.Float16(binary.LittleEndian.Uint16(code[2*i:]))
	}
}

// Scorer implements Codec.
func (c *F16) Scorer(query []float32, by Similarity) Scorer { return newDecodeScorer(c, query, by) }

// Int8 keeps every number as one of 255 steps between ± the vector's largest
// magnitude, which it keeps as well. It needs no training.
type Int8 struct{ dimensions int }

// NewInt8 returns the codec of vectors of d dimensions.
func NewInt8(d int) *Int8 { return &Int8{d} }

// Name returns "int8".
func (c *Int8) Name() string { return "int8" }

// Dimensions implements Codec.
func (c *Int8) Dimensions() int { return c.dimensions }

// CodeSize implements Codec: the step, then a byte a number.
func (c *Int8) CodeSize() int { return 4 + c.dimensions }

// Encode implements Codec.
func (c *Int8) Encode(x []float32, code []byte) {
	checkVector(c, x)
	largest := float32(0)
	for _, v := range x {
		largest = max(largest, v, -v)
	}
	step := largest / 127
	binary.LittleEndian.PutUint32(code, math.Float32bits(step))
	for i, v := range x {
		code[4+i] = 0
		if step > 0 {
			code[4+i] = byte(int8(max(-127, min(127, math.RoundToEven(float64(v)/float64(step))))))
		}
	}
}

// Decode implements Codec.
func (c *Int8) Decode(code []byte, x []float32) {
	checkCode(c, code)
	step := math.Float32frombits(binary.LittleEndian.Uint32(code))
	for i, b := range code[4:] {
		x[i] = step * float32(int8(b))
	}
}

// Scorer implements Codec.
func (c *Int8) Scorer(query []float32, by Similarity) Scorer { return newDecodeScorer(c, query, by) }
