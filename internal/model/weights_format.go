package model

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Quantization is what float weights become while they are loaded.
type Quantization string

// The quantizations. Weights that a file holds in blocks already stay as they
// are; embedding and output matrices get 8 bits at least, and the small matrices
// that choose experts stay floats.
const (
	AsStored   Quantization = ""
	QuantizeQ8 Quantization = "q8_0"
	QuantizeQ4 Quantization = "q4_0"
)

// ParseQuantization reads the name of a quantization: q8_0, q4_0, or none.
func ParseQuantization(name string) (Quantization, error) {
	switch q := Quantization(name); q {
	case AsStored, QuantizeQ8, QuantizeQ4:
		return q, nil
	case "none":
		return AsStored, nil
	}
	return AsStored, fmt.Errorf("the quantization %q is not known: want q8_0, q4_0 or none", name)
}

// isFloat reports whether numbers are stored plainly, each on its own.
func isFloat(kind string) bool {
	return kind == "F32" || kind == "F16" || kind == "BF16"
}

// format is how a matrix will be held.
func (s *slot) format(kind string, q Quantization) (kernel.Format, error) {
	if isFloat(kind) && q != AsStored && !s.precise && s.cols%kernel.BlockLen == 0 {
		if q == QuantizeQ4 && !s.outer {
			return kernel.Q4_0, nil
		}
		return kernel.Q8_0, nil
	}
	if f, ok := kernel.ParseFormat(kind); ok {
		return f, nil
	}
	return 0, fmt.Errorf("the type %s is not supported", kind)
}

// pack makes a matrix of a planned tensor.
func (p *planned) pack(slab *kernel.Slab) (*kernel.Matrix, error) {
	if f, ok := kernel.ParseFormat(p.tensor.kind); ok && f == p.format {
		return kernel.NewMatrix(slab, f, p.tensor.data, p.rows, p.cols), nil
	}
	x, err := p.tensor.float32s(p.tensor.data, p.rows*p.cols)
	if err != nil {
		return nil, err
	}
	data := appendFormat(nil, p.format, x)
	return kernel.NewMatrix(slab, p.format, data, p.rows, p.cols), nil
}

// appendFormat appends numbers as a GGUF file holds them in a format.
func appendFormat(data []byte, f kernel.Format, x []float32) []byte {
	switch f {
	case kernel.F32:
		for _, v := range x {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	case kernel.Q8_0:
		for ; len(x) > 0; x = x[kernel.BlockLen:] {
			data = appendQ8(data, x[:kernel.BlockLen])
		}
	case kernel.Q4_0:
		for ; len(x) > 0; x = x[kernel.BlockLen:] {
			data = appendQ4(data, x[:kernel.BlockLen])
		}
	default:
		panic("model: no quantiser for " + f.String())
	}
	return data
}

// appendQ8 appends a block of Q8_0: the scale that takes the largest magnitude
// to 127, and the quants.
func appendQ8(data []byte, x []float32) []byte {
	var peak float32
	for _, v := range x {
		peak = max(peak, float32(math.Abs(float64(v))))
	}
	scale := peak / 127
	inverse := float32(0)
	if scale > 0 {
		inverse = 1 / scale
	}
	data = binary.LittleEndian.AppendUint16(data, kernel.ToFloat16(scale))
	for _, v := range x {
		data = append(data, byte(int8(math.Round(float64(v*inverse)))))
	}
	return data
}

// appendQ4 appends a block of Q4_0: the scale that takes the number of largest
// magnitude to −8, and the quants plus 8, the second half of the block in the
// high halves of the bytes.
func appendQ4(data []byte, x []float32) []byte {
	var peak float32
	for _, v := range x {
		if math.Abs(float64(v)) > math.Abs(float64(peak)) {
			peak = v
		}
	}
	scale := peak / -8
	inverse := float32(0)
	if scale != 0 {
		inverse = 1 / scale
	}
	data = binary.LittleEndian.AppendUint16(data, kernel.ToFloat16(scale))
	quant := func(v float32) byte { return byte(min(15, int(v*inverse+8.5))) }
	for i := range 16 {
		data = append(data, quant(x[i])|quant(x[i+16])<<4)
	}
	return data
}
