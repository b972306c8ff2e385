package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DType is the type of a tensor's numbers, spelled as in the header.
type DType string

// The types of the format. Float32s decodes the floating-point ones.
const (
	Bool   DType = "BOOL"
	U8     DType = "U8"
	I8     DType = "I8"
	F8E4M3 DType = "F8_E4M3"
	F8E5M2 DType = "F8_E5M2"
	U16    DType = "U16"
	I16    DType = "I16"
	F16    DType = "F16"
	BF16   DType = "BF16"
	U32    DType = "U32"
	I32    DType = "I32"
	F32    DType = "F32"
	U64    DType = "U64"
	I64    DType = "I64"
	F64    DType = "F64"
)

// Size returns the bytes of one number, zero for a type the format lacks.
func (d DType) Size() int {
	switch d {
	case Bool, U8, I8, F8E4M3, F8E5M2:
		return 1
	case U16, I16, F16, BF16:
		return 2
	case U32, I32, F32:
		return 4
	case U64, I64, F64:
		return 8
	}
	return 0
}

// Tensor is one named array of numbers.
type Tensor struct {
	Name  string
	DType DType

	// Shape has the slowest dimension first; none means a single number. Its
	// product times DType.Size() is len(Data).
	Shape []int

	// Data is the stored form, little-endian, at any alignment. It belongs to
	// the file.
	Data []byte
}

// Float32s decodes a tensor of F32, F16, BF16 or F64 into a new slice, the
// last rounded to float32. Other types are an error.
func (t Tensor) Float32s() ([]float32, error) {
	n := len(t.Data)
	if size := t.DType.Size(); size > 0 {
		n /= size
	}
	out := make([]float32, n)
	if err := t.DType.Decode(t.Data, out); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	return out, nil
}

// Decode decodes stored numbers of F32, F16, BF16 or F64 into dst, which must
// be as many; see Float32s.
func (d DType) Decode(src []byte, dst []float32) error {
	decode := decoders[d]
	if decode == nil {
		return fmt.Errorf("it holds %s: want F32, F16, BF16 or F64", d)
	}
	if len(src) != len(dst)*d.Size() {
		return fmt.Errorf("%d numbers of %s take %d bytes, not %d", len(dst), d, len(dst)*d.Size(), len(src))
	}
	decode(dst, src)
	return nil
}

// decoders fill a slice from as many stored numbers.
var decoders = map[DType]func(dst []float32, src []byte){
	F32: func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	},
	F16: func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
		}
	},
	BF16: func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	},
	F64: func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	},
}

// halfToFloat widens an IEEE 754 binary16 number: exact, subnormal numbers,
// infinities and NaN included.
func halfToFloat(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent, fraction := uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero or subnormal: fraction units of 2⁻²⁴
		f := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
