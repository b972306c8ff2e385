package vector

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// size is the bytes that a vector of so many dimensions takes.
func (s Storage) size(dimensions int) int {
	switch s {
	case Float16:
		return 2 * dimensions
	case Int8:
		return 4 + dimensions
	case Binary:
		return binaryWords(dimensions) * 8
	}
	return 4 * dimensions
}

// binaryWords is how many uint64 the bits of a vector fill.
func binaryWords(dimensions int) int { return (dimensions + 63) / 64 }

// append adds the stored form of a finite vector to dst.
func (s Storage) append(dst []byte, x []float32) ([]byte, error) {
	le := binary.LittleEndian
	switch s {
	case Float16:
		for i, v := range x {
			h := kernel.ToFloat16(v)
			if h&0x7c00 == 0x7c00 {
				return nil, fmt.Errorf("number %d is %v, beyond the range of float16 (±65504)", i, v)
			}
			dst = le.AppendUint16(dst, h)
		}
	case Int8:
		scale := int8Scale(x)
		dst = le.AppendUint32(dst, math.Float32bits(scale))
		for _, v := range x {
			dst = append(dst, byte(int8(math.RoundToEven(float64(v)/float64(scale)))))
		}
	case Binary:
		words := make([]uint64, binaryWords(len(x)))
		for i, v := range x {
			if v > 0 {
				words[i>>6] |= 1 << (i & 63)
			}
		}
		for _, w := range words {
			dst = le.AppendUint64(dst, w)
		}
	default:
		for _, v := range x {
			dst = le.AppendUint32(dst, math.Float32bits(v))
		}
	}
	return dst, nil
}

// int8Scale is the size of one step: 1 for vectors of whole numbers that fit.
func int8Scale(x []float32) float32 {
	greatest, whole := float32(0), true
	for _, v := range x {
		greatest = max(greatest, max(v, -v))
		whole = whole && v == float32(math.Trunc(float64(v)))
	}
	if whole && greatest <= 127 {
		return 1
	}
	return max(greatest/127, math.SmallestNonzeroFloat32)
}

// read fills dst from the stored form of one vector.
func (s Storage) read(dst []float32, data []byte) {
	le := binary.LittleEndian
	switch s {
	case Float16:
		for i := range dst {
			dst[i] = kernel.Float16(le.Uint16(data[2*i:]))
		}
	case Int8:
		scale := math.Float32frombits(le.Uint32(data))
		for i := range dst {
			dst[i] = scale * float32(int8(data[4+i]))
		}
	case Binary:
		for i := range dst {
			dst[i] = float32(data[i>>3] >> (i & 7) & 1)
		}
	default:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(data[4*i:]))
		}
	}
}
