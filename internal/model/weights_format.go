package model

import (
	"fmt"

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

// pack makes a matrix of a planned tensor, row by row, so that it is never in
// memory twice.
func (p *planned) pack(slab *kernel.Slab) (*kernel.Matrix, error) {
	if f, ok := kernel.ParseFormat(p.tensor.kind); ok && f == p.format {
		return kernel.NewMatrix(slab, f, p.tensor.data, p.rows, p.cols), nil
	}
	var failed error
	x, size := make([]float32, p.cols), len(p.tensor.data)/p.rows
	m := kernel.NewMatrixRows(slab, p.format, p.rows, p.cols, func(i int, dst []byte) {
		if err := p.tensor.decode(p.tensor.data[i*size:(i+1)*size], x); err != nil {
			failed = err
			return
		}
		kernel.QuantizeRow(p.format, x, dst)
	})
	return m, failed
}
