package faiss

import (
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/kernel"
)

// transform is done to vectors before they reach a node.
type transform interface {
	dimensions() (in, out int)
	apply(x []float32) []float32
	// invert returns a vector that apply maps to y, or nearly so.
	invert(y []float32) []float32
	write(w *writer)
	describe() string
}

// linear multiplies by a matrix and adds: LinearTransform and what FAISS derives from
// it. The rows are orthogonal where it is to be inverted.
type linear struct {
	kind    string // the fourcc
	extra   []byte // what a kind has besides, as in the file
	in, out int
	matrix  []float32 // rows; nil if it was never learned
	bias    []float32
	name    string // in factory strings; "" if a file does not say
}

func (t *linear) dimensions() (in, out int) { return t.in, t.out }

func (t *linear) apply(x []float32) []float32 {
	y := make([]float32, t.out)
	kernel.DotRows(x, t.matrix, y)
	if len(t.bias) > 0 {
		kernel.Axpy(1, t.bias, y)
	}
	return y
}

// invert multiplies by the transposed matrix, each row divided by its squared norm.
func (t *linear) invert(y []float32) []float32 {
	x := make([]float32, t.in)
	for i, v := range y {
		row := t.matrix[i*t.in : (i+1)*t.in]
		if len(t.bias) > 0 {
			v -= t.bias[i]
		}
		if square := kernel.Dot(row, row); square > 0 {
			kernel.Axpy(v/square, row, x)
		}
	}
	return x
}

func (t *linear) write(w *writer) {
	w.fourcc(t.kind)
	w.raw(t.extra)
	w.boolean(len(t.bias) > 0)
	w.floats(t.matrix)
	w.floats(t.bias)
	w.transformEnd(t)
}

func (w *writer) transformEnd(t transform) {
	in, out := t.dimensions()
	w.i32(in)
	w.i32(out)
	w.boolean(true)
}

func (t *linear) describe() string {
	switch {
	case t.name != "":
		return t.name
	case t.kind == "Pcam":
		return fmt.Sprintf("PCA%d", t.out)
	case t.kind == "rrot":
		return fmt.Sprintf("RR%d", t.out)
	}
	return fmt.Sprintf("Linear%d", t.out)
}

// normalise divides by the norm; the zero vector stays.
type normalise struct{ d int }

func (t normalise) dimensions() (in, out int) { return t.d, t.d }

func (t normalise) apply(x []float32) []float32 {
	y := append([]float32(nil), x...)
	square := 0.0
	for _, v := range x {
		square += float64(v) * float64(v)
	}
	if square > 0 {
		scale := float32(1 / math.Sqrt(square))
		for i := range y {
			y[i] *= scale
		}
	}
	return y
}

func (t normalise) invert(y []float32) []float32 { return y }
func (t normalise) describe() string             { return "L2norm" }

func (t normalise) write(w *writer) {
	w.fourcc("VNrm")
	w.f32(2)
	w.transformEnd(t)
}

// centre subtracts a vector.
type centre struct{ mean []float32 }

func (t *centre) dimensions() (in, out int) { return len(t.mean), len(t.mean) }

func (t *centre) apply(x []float32) []float32 {
	y := append([]float32(nil), x...)
	kernel.Axpy(-1, t.mean, y)
	return y
}

func (t *centre) invert(y []float32) []float32 {
	x := append([]float32(nil), y...)
	kernel.Axpy(1, t.mean, x)
	return x
}

func (t *centre) describe() string { return "Center" }

func (t *centre) write(w *writer) {
	w.fourcc("VCnt")
	w.floats(t.mean)
	w.transformEnd(t)
}

// transform reads one; nil after a problem.
func (r *reader) transform() transform {
	code := r.fourcc()
	var t transform
	switch code {
	case "rrot", "LTra", "Pcam":
		t = r.linear(code)
	case "VNrm":
		if norm := r.f32(); r.err == nil && norm != 2 {
			r.fail("a transform that divides by the %v-norm is not supported", norm)
		}
		t = normalise{}
	case "VCnt":
		t = &centre{r.floats("a mean", -1)}
	case "Viqt", "Viqm", "RmDT":
		r.fail("transform %s is not supported", map[string]string{"Viqt": "ITQTransform", "Viqm": "ITQMatrix", "RmDT": "RemapDimensionsTransform"}[code])
	default:
		r.fail("%q begins no transform that is known", code)
	}
	in, out := r.i32(), r.i32()
	trained := r.boolean()
	if l, ok := t.(*linear); r.err == nil && !trained && !(ok && len(l.matrix) == 0) { // LSH has one that it does not use
		r.fail("a transform is not trained")
	}
	if r.err == nil && (in < 1 || out < 1 || in > maxDimensions || out > maxDimensions) {
		r.fail("a transform of %d to %d dimensions", in, out)
	}
	if r.err != nil {
		return nil
	}
	return r.fitted(t, in, out)
}

// fitted checks a transform against its dimensions, which stand last in a file.
func (r *reader) fitted(t transform, in, out int) transform {
	switch t := t.(type) {
	case normalise:
		if in == out {
			return normalise{in}
		}
	case *centre:
		if in == out && len(t.mean) == in {
			return t
		}
	case *linear:
		t.in, t.out = in, out
		if (len(t.matrix) == in*out || len(t.matrix) == 0) && (len(t.bias) == 0 || len(t.bias) == out) {
			return t
		}
	}
	r.fail("a transform of %d to %d dimensions has another size", in, out)
	return nil
}

func (r *reader) linear(code string) *linear {
	t := &linear{kind: code}
	start := r.at
	if code == "Pcam" {
		r.fixed(4 + 4 + 1 + 4) // power, epsilon, random rotation, bins
		r.floats("a mean", -1)
		r.floats("eigenvalues", -1)
		r.floats("eigenvectors", -1)
	}
	t.extra = r.data[start:r.at]
	biased := r.boolean()
	t.matrix = r.floats("a matrix", -1)
	t.bias = r.floats("a bias", -1)
	if r.err == nil && !biased {
		t.bias = nil
	}
	return t
}

// preTransform puts transforms in front of a node.
type preTransform struct {
	header
	chain []transform
	inner node
}

func (r *reader) preTransform() node {
	x := &preTransform{header: r.header()}
	count := r.i32()
	if r.err == nil && (count < 0 || count > 2*maxPrefixes) {
		r.fail("%d transforms", count)
	}
	d := x.dimensions
	for range count {
		t := r.transform()
		if r.err != nil {
			return failed{}
		}
		in, out := t.dimensions()
		l, isLinear := t.(*linear)
		if in != d || isLinear && l.matrix == nil {
			r.fail("a transform of %d dimensions for vectors of %d, or without a matrix", in, d)
			return failed{}
		}
		d = out
		x.chain = append(x.chain, t)
	}
	x.inner = r.node()
	if r.err == nil && (x.inner.Dimensions() != d || x.inner.Len() != x.n) {
		r.fail("transforms to %d dimensions before an index of %d", d, x.inner.Dimensions())
	}
	if r.err == nil {
		x.metric = x.inner.Metric()
	}
	return x
}

func (x *preTransform) write(w *writer) {
	w.fourcc("IxPT")
	h := x.header
	if h.metric == index.Hamming {
		h.metric = index.L2
	}
	w.header(h)
	w.i32(len(x.chain))
	for _, t := range x.chain {
		t.write(w)
	}
	x.inner.write(w)
}

func (x *preTransform) applied(v []float32) []float32 {
	for _, t := range x.chain {
		v = t.apply(v)
	}
	return v
}

// Search implements index.Index.
func (x *preTransform) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	return x.inner.Search(x.applied(query), k, p)
}

// SearchBatch implements batcher.
func (x *preTransform) SearchBatch(queries []float32, k int, p index.Params) [][]index.Hit {
	applied := make([]float32, 0, len(queries)/x.dimensions*x.inner.Dimensions())
	for at := 0; at < len(queries); at += x.dimensions {
		applied = append(applied, x.applied(queries[at:at+x.dimensions])...)
	}
	return searchBatch(x.inner, applied, k, p)
}

// Range implements index.Index.
func (x *preTransform) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	return x.inner.Range(x.applied(query), threshold, p)
}

func (x *preTransform) each(show func(int, []float32)) error {
	return x.inner.each(func(label int, v []float32) {
		for i := range x.chain {
			v = x.chain[len(x.chain)-1-i].invert(v)
		}
		show(label, v)
	})
}

func (x *preTransform) Bytes() int64 {
	sum := x.inner.Bytes()
	for _, t := range x.chain {
		if l, ok := t.(*linear); ok {
			sum += 4 * int64(len(l.matrix))
		}
	}
	return sum
}

func (x *preTransform) describe() string {
	text := ""
	for _, t := range x.chain {
		text += t.describe() + ","
	}
	return text + x.inner.describe()
}
