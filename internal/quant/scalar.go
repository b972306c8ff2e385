package quant

import (
	"fmt"
	"math"
)

// Scalar keeps every number as one of 256 or 16 steps of its dimension's range:
// SQ8 and SQ4. Numbers outside the range that it was trained on are kept as its
// ends.
type Scalar struct {
	bits int
	low  []float32 // of every dimension: what code 0 stands for
	step []float32 // between codes
}

// NewScalar returns a codec of 8 or 4 bits for dimensions that begin at low and
// have steps of that size. It keeps the slices.
func NewScalar(bits int, low, step []float32) (*Scalar, error) {
	if bits != 4 && bits != 8 || len(low) == 0 || len(low) != len(step) {
		return nil, fmt.Errorf("scalar quantisation: %d bits, %d and %d dimensions", bits, len(low), len(step))
	}
	for i := range low {
		if v := low[i] + step[i]; v-v != 0 || step[i] < 0 {
			return nil, fmt.Errorf("scalar quantisation: dimension %d begins at %v with steps of %v", i, low[i], step[i])
		}
	}
	return &Scalar{bits, low, step}, nil
}

// TrainScalar learns the range of every dimension.
func TrainScalar(bits, dimensions int, slab []float32) (*Scalar, error) {
	if dimensions < 1 || len(slab)%dimensions != 0 {
		return nil, fmt.Errorf("scalar quantisation: %d numbers are not vectors of %d dimensions", len(slab), dimensions)
	}
	low, step := make([]float32, dimensions), make([]float32, dimensions)
	for i := range low {
		least, most := float32(math.Inf(1)), float32(math.Inf(-1))
		for at := i; at < len(slab); at += dimensions {
			least, most = min(least, slab[at]), max(most, slab[at])
		}
		if least <= most {
			low[i], step[i] = least, (most-least)/float32(int(1)<<bits-1)
		}
	}
	return NewScalar(bits, low, step)
}

// Name returns "sq8" or "sq4".
func (c *Scalar) Name() string { return fmt.Sprintf("sq%d", c.bits) }

// Dimensions implements Codec.
func (c *Scalar) Dimensions() int { return len(c.low) }

// CodeSize implements Codec.
func (c *Scalar) CodeSize() int { return (len(c.low)*c.bits + 7) / 8 }

// Bits returns 8 or 4.
func (c *Scalar) Bits() int { return c.bits }

// Ranges returns what code 0 of every dimension stands for and the steps; they
// must not be changed.
func (c *Scalar) Ranges() (low, step []float32) { return c.low, c.step }

// Encode implements Codec. Of two numbers of four bits the first is in the low
// half of a byte.
func (c *Scalar) Encode(x []float32, code []byte) {
	checkVector(c, x)
	checkCode(c, code)
	clear(code)
	most := float64(int(1)<<c.bits - 1)
	for i, v := range x {
		n := byte(0)
		if c.step[i] > 0 {
			n = byte(max(0, min(most, math.RoundToEven(float64(v-c.low[i])/float64(c.step[i])))))
		}
		if c.bits == 8 {
			code[i] = n
		} else {
			code[i/2] |= n << (i % 2 * 4)
		}
	}
}

// Decode implements Codec.
func (c *Scalar) Decode(code []byte, x []float32) {
	checkCode(c, code)
	low, step := c.low, c.step[:len(c.low)]
	x = x[:len(low)]
	if c.bits == 8 {
		code = code[:len(low)]
		for i, base := range low {
			x[i] = base + step[i]*float32(code[i])
		}
		return
	}
	for i, base := range low {
		x[i] = base + step[i]*float32(code[i/2]>>(i%2*4)&15)
	}
}
