package faiss

import (
	"errors"

	"github.com/ragstone/ragstone/internal/index"
)

// lsh keeps a vector's signs and compares bits: IndexLSH. Its scores are negated
// numbers of bits that differ.
type lsh struct {
	header
	given      index.Metric // what the file says, which does not matter
	turn       *linear      // nil: the first numbers are taken as they are
	thresholds []float32    // nil: signs around zero
	bits       int
	codes      *index.Binary
	data       []byte
}

func (r *reader) lsh() node {
	x := &lsh{header: r.header()}
	x.given, x.metric = x.metric, index.Hamming
	x.bits = r.i32()
	rotated, trained := r.boolean(), r.boolean()
	thresholds := r.floats("thresholds", -1)
	size := r.i32()
	turn, _ := r.transform().(*linear)
	if r.err != nil {
		return failed{}
	}
	switch {
	case x.bits < 1 || x.bits > maxDimensions || size != (x.bits+7)/8:
		r.fail("codes of %d bits in %d bytes", x.bits, size)
	case !rotated && x.bits > x.dimensions:
		r.fail("%d signs of %d numbers", x.bits, x.dimensions)
	case trained && len(thresholds) != x.bits:
		r.fail("%d thresholds for %d bits", len(thresholds), x.bits)
	case rotated && (turn == nil || turn.in != x.dimensions || turn.out != x.bits):
		r.fail("the rotation does not go from %d dimensions to %d bits", x.dimensions, x.bits)
	}
	if r.err != nil {
		return failed{}
	}
	if rotated {
		x.turn = turn
	}
	if trained {
		x.thresholds = thresholds
	}
	x.data = r.codeBytes(x.header, size)
	if r.err != nil {
		return failed{}
	}
	x.codes = index.NewBinary(index.Hamming, size, x.data)
	return x
}

func (x *lsh) write(w *writer) {
	w.fourcc("IxHe")
	h := x.header
	h.metric = x.given
	w.header(h)
	w.i32(x.bits)
	w.boolean(x.turn != nil)
	w.boolean(x.thresholds != nil)
	w.floats(x.thresholds)
	w.i32((x.bits + 7) / 8)
	if x.turn != nil {
		x.turn.write(w)
	} else {
		(&linear{kind: "rrot", in: x.dimensions, out: x.bits}).write(w)
	}
	w.bytes(x.data)
}

// signs returns the code of a vector.
func (x *lsh) signs(v []float32) []byte {
	if x.turn != nil {
		v = x.turn.apply(v)
	}
	code := make([]byte, (x.bits+7)/8)
	for i, n := range v[:x.bits] {
		if x.thresholds != nil {
			n -= x.thresholds[i]
		}
		if n >= 0 {
			code[i/8] |= 1 << (i % 8)
		}
	}
	return code
}

// Search implements index.Index.
func (x *lsh) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	return x.codes.Search(x.signs(query), k, p)
}

// Range implements index.Index.
func (x *lsh) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	return x.codes.Range(x.signs(query), threshold, p)
}

func (x *lsh) each(func(int, []float32)) error {
	return errors.New("an LSH index keeps signs only, not the vectors")
}

func (x *lsh) Bytes() int64 { return int64(len(x.data)) }

func (x *lsh) describe() string {
	c := CodecSpec{Kind: SignCodec, Bits: x.bits, Rotated: x.turn != nil, Thresholds: x.thresholds != nil}
	if x.bits == x.dimensions {
		c.Bits = 0
	}
	return c.String()
}
