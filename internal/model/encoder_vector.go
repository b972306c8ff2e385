package model

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// vectorStep is a step from the pooled vector to the final one: a linear layer
// and an activation, or without a layer a normalisation.
type vectorStep struct {
	dense      *linear
	activation Activation
}

// vector makes a sequence's vector of its rows in x.
func (e *Encoder) vector(x []float32, stride int, s rowSpan) []float32 {
	v := make([]float32, e.config.Width)
	switch e.config.Pooling {
	case CLSPooling:
		copy(v, x[s.first*stride:])
	case LastPooling:
		copy(v, x[(s.first+s.count-1)*stride:])
	default:
		meanRow(v, x, stride, s)
	}
	for _, step := range e.steps {
		if step.dense == nil {
			length := math.Sqrt(float64(kernel.Dot(v, v)))
			scaleVector(v, float32(1/max(length, 1e-12))) // a zero vector stays zero
			continue
		}
		v = step.dense.apply(v)
		step.activation.apply(v)
	}
	return v
}

// meanRow sets v to the mean of a sequence's rows.
func meanRow(v, x []float32, stride int, s rowSpan) {
	for i := range s.count {
		kernel.Axpy(1, x[(s.first+i)*stride:][:len(v)], v)
	}
	scaleVector(v, 1/float32(s.count))
}

func scaleVector(v []float32, s float32) {
	for i := range v {
		v[i] *= s
	}
}
