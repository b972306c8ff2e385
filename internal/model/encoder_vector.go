package model

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// vector makes a sequence's vector of its rows in x.
func (e *Encoder) vector(x []float32, stride int, s rowSpan) []float32 {
	v := make([]float32, e.config.Width)
	row := func(i int) []float32 { return x[(s.first+i)*stride:][:len(v)] }
	switch e.config.Pooling {
	case CLSPooling:
		copy(v, row(0))
	default:
		for i := range s.count {
			kernel.Axpy(1, row(i), v)
		}
		scaleVector(v, 1/float32(s.count))
	}
	if e.config.Normalize {
		length := math.Sqrt(float64(kernel.Dot(v, v)))
		scaleVector(v, float32(1/max(length, 1e-12))) // a zero vector stays zero
	}
	return v
}

func scaleVector(v []float32, s float32) {
	for i := range v {
		v[i] *= s
	}
}
