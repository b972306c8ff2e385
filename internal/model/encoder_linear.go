package model

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// linear is a linear layer: a matrix and perhaps a bias.
type linear struct {
	exact  bool // in float32, whatever the encoder's precision
	panels kernel.Panels

	// In Int8, instead of panels. What the layer reads is multiplied by balance,
	// column by column, if it is not nil; the matrix makes up for it.
	bytes   kernel.BytePanels
	balance []float32

	// The columns from fine on, a multiple of a panel, have a second matrix of what
	// rounding took from the first; zero: none has.
	fine int
	rest kernel.BytePanels
}

// pack stores the layer: out rows of in weights, and the bias if there is one.
// gain is that of the normalisation whose results the layer reads, or nil.
func (l *linear) pack(weights, bias []float32, in, out int, p Precision, gain []float32) {
	if p != Int8 || l.exact {
		l.exact = true
		l.panels.PackColumns(weights, in, in, out)
		if bias != nil {
			l.panels.SetBias(bias)
		}
		return
	}
	if l.balance = balance(gain); l.balance != nil {
		for i := range weights {
			weights[i] /= l.balance[i%in]
		}
	}
	l.bytes.PackColumns(weights, in, in, out)
	if l.fine > 0 {
		l.fine -= l.fine % kernel.PanelWidth
		l.rest.PackRest(weights[l.fine*in:], in, in, out-l.fine)
	}
	if bias != nil {
		l.bytes.SetBias(bias)
	}
}

// multiplyBytes multiplies rows of a by panels from ≤ p < to, as
// kernel.BytePanels.Multiply does.
func (l *linear) multiplyBytes(dst []float32, stride int, a *kernel.ByteRows, first, last, from, to int) {
	l.bytes.Multiply(dst, stride, a, first, last, from, to)
	if fine := l.fine / kernel.PanelWidth; l.fine > 0 && to > fine {
		l.rest.MultiplyAdd(dst[l.fine:], stride, a, first, last, max(0, from-fine), to-fine)
	}
}

// balance returns what to multiply the columns of a normalisation's results by so
// that they and the weights they meet share the range of their sizes: a column is
// about as large as its gain, and gives half of that, as an exponent, to the
// weights (Xiao et al. 2023, "SmoothQuant", equation 4, with the gain in place of
// measured maxima).
func balance(gain []float32) []float32 {
	const least = 0.05 // of the mean: a column that is nearly off is not blown up
	mean := 0.0
	for _, g := range gain {
		mean += math.Abs(float64(g)) / float64(len(gain))
	}
	if !(mean > 0) {
		return nil
	}
	out := make([]float32, len(gain))
	for i, g := range gain {
		out[i] = float32(1 / math.Sqrt(max(least, math.Abs(float64(g))/mean)))
	}
	return out
}

// count returns the number of panels.
func (l *linear) count() int { return max(l.panels.Count(), l.bytes.Count()) }

// columns returns the length of a result.
func (l *linear) columns() int { return max(l.panels.Columns(), l.bytes.Columns()) }
