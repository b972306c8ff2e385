package faiss

import (
	"fmt"

	"github.com/ragstone/ragstone/internal/quant"
)

// The kinds of scalar codes in files.
const (
	scalar8 = iota
	scalar4
	scalar8Uniform
	scalar4Uniform
	scalarHalf
	scalarDirect
)

// scalarNames are the kinds that are known and not supported.
var scalarNames = map[int]string{6: "QT_6bit", 7: "QT_bf16", 8: "QT_8bit_direct_signed"}

// scalarCodec reads a scalar quantiser.
func (r *reader) scalarCodec(dimensions int) quant.Codec {
	kind := r.i32()
	r.i32() // how the range was found
	r.f32()
	d, size := r.number("the dimensions of scalar codes", maxDimensions), r.number("the size of scalar codes", 8*maxDimensions)
	trained := r.floats("the ranges of scalar codes", -1)
	if r.err == nil && d != dimensions {
		r.fail("scalar codes of %d dimensions for vectors of %d", d, dimensions)
	}
	if r.err != nil {
		return nil
	}
	codec, err := scalarOf(kind, d, trained)
	if err == nil && codec.CodeSize() != size {
		err = fmt.Errorf("scalar codes have %d bytes; want %d", size, codec.CodeSize())
	}
	if err != nil {
		r.fail("%v", err)
	}
	return codec
}

// scalarOf makes a codec of what a file says was learned: the least number and the
// width, of all dimensions or of each. A code stands for the middle of its step.
func scalarOf(kind, d int, trained []float32) (quant.Codec, error) {
	width, each := 8, true
	switch kind {
	case scalarHalf:
		return quant.NewF16(d), nil
	case scalar4, scalar4Uniform:
		width, each = 4, kind == scalar4
	case scalar8, scalar8Uniform:
		each = kind == scalar8
	case scalarDirect:
		trained, each = []float32{-0.5, 255}, false
	default:
		if name := scalarNames[kind]; name != "" {
			return nil, fmt.Errorf("scalar codes of kind %s are not supported", name)
		}
		return nil, fmt.Errorf("scalar codes of kind %d are not known", kind)
	}
	if want := 2; !each && len(trained) != want || each && len(trained) != 2*d {
		return nil, fmt.Errorf("%d numbers are the ranges of scalar codes of %d dimensions", len(trained), d)
	}
	low, step := make([]float32, d), make([]float32, d)
	for i := range d {
		least, span := trained[0], trained[len(trained)-1]
		if each {
			least, span = trained[i], trained[d+i]
		}
		step[i] = span / float32(int(1)<<width-1)
		low[i] = least + step[i]/2
	}
	return quant.NewScalar(width, low, step)
}

func (w *writer) scalarCodec(c quant.Codec) {
	kind, trained := scalarHalf, []float32(nil)
	if s, ok := c.(*quant.Scalar); ok {
		kind = scalar8
		if s.Bits() == 4 {
			kind = scalar4
		}
		low, step := s.Ranges()
		for i, v := range low {
			trained = append(trained, v-step[i]/2)
		}
		for _, v := range step {
			trained = append(trained, v*float32(int(1)<<s.Bits()-1))
		}
	}
	w.i32(kind)
	w.i32(0)
	w.f32(0)
	w.u64(c.Dimensions())
	w.u64(c.CodeSize())
	w.floats(trained)
}

func (r *reader) scalar() node {
	h := r.header()
	r.floatMetric(h)
	codec := r.scalarCodec(h.dimensions)
	if r.err != nil {
		return failed{}
	}
	data := r.codeBytes(h, codec.CodeSize())
	if r.err != nil {
		return failed{}
	}
	return newCodes(h.metric, codec, data, false)
}
