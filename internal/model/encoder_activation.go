package model

import (
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Activation is a function between two products.
type Activation string

// The activations we know, by the shortest of their names in Hugging Face's
// files.
const (
	gelu     Activation = "gelu"     // x·Φ(x), exactly
	geluTanh Activation = "gelu_new" // its approximation by tanh
	silu     Activation = "silu"     // x/(1+e⁻ˣ)
	relu     Activation = "relu"
	tanh     Activation = "tanh"
	identity Activation = "identity"
)

// parseActivation finds an activation by any of its names.
func parseActivation(name string) (Activation, error) {
	switch name {
	case "gelu", "gelu_python":
		return gelu, nil
	case "gelu_new", "gelu_pytorch_tanh", "gelu_fast":
		return geluTanh, nil
	case "silu", "swish":
		return silu, nil
	case "relu":
		return relu, nil
	case "tanh":
		return tanh, nil
	}
	return "", fmt.Errorf("hidden_act is %q, which is not supported", name)
}

// apply replaces every x by the function's value.
func (a Activation) apply(x []float32) {
	switch a {
	case gelu:
		kernel.GELU(x)
	case geluTanh:
		for i, v := range x {
			u := float64(v)
			x[i] = float32(u / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(u+0.044715*u*u*u))))
		}
	case silu:
		for i, v := range x {
			x[i] = float32(float64(v) / (1 + math.Exp(-float64(v))))
		}
	case relu:
		for i, v := range x {
			x[i] = max(v, 0)
		}
	case tanh:
		for i, v := range x {
			x[i] = float32(math.Tanh(float64(v)))
		}
	}
}

// gate sets each x to the function's value times the number beside it in y.
func (a Activation) gate(x, y []float32) {
	if a == silu {
		kernel.SiLUMul(x, y)
		return
	}
	a.apply(x)
	for i, v := range y {
		x[i] *= v
	}
}
