package faiss

import (
	"github.com/ragstone/ragstone/internal/index"
)

// binaryFlat keeps bits: IndexBinaryFlat.
type binaryFlat struct {
	header
	codes *index.Binary
	data  []byte
}

func (r *reader) binaryHeader() header {
	h := header{dimensions: r.i32(), metric: index.Hamming}
	size := r.i32()
	h.n = r.number("the number of vectors", 1<<31-1)
	if !r.boolean() {
		r.fail("the index is not trained")
	}
	r.i32() // a metric, which does not matter: bits are compared by Hamming
	if r.err == nil && (h.dimensions < 8 || h.dimensions > maxDimensions || h.dimensions != 8*size) {
		r.fail("binary vectors of %d bits in %d bytes", h.dimensions, size)
		h.dimensions = 8
	}
	return h
}

func (w *writer) binaryHeader(h header) {
	w.i32(h.dimensions)
	w.i32(h.dimensions / 8)
	w.u64(h.n)
	w.boolean(true)
	w.i32(1)
}

func (r *reader) binaryFlat() node {
	h := r.binaryHeader()
	data := r.codeBytes(h, h.dimensions/8)
	if r.err != nil {
		return failed{}
	}
	return &binaryFlat{h, index.NewBinary(index.Hamming, h.dimensions/8, data), data}
}

func (x *binaryFlat) write(w *writer) {
	w.fourcc("IBxF")
	w.binaryHeader(x.header)
	w.bytes(x.data)
}

// packBits turns numbers above zero into ones, the first into the lowest bit.
func packBits(v []float32) []byte {
	code := make([]byte, (len(v)+7)/8)
	for i, n := range v {
		if n > 0 {
			code[i/8] |= 1 << (i % 8)
		}
	}
	return code
}

// unpackBits does the opposite, with ones and zeros.
func unpackBits(code []byte, v []float32) {
	for i := range v {
		v[i] = float32(code[i/8] >> (i % 8) & 1)
	}
}

// Search implements index.Index.
func (x *binaryFlat) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	return x.codes.Search(packBits(query), k, p)
}

// Range implements index.Index.
func (x *binaryFlat) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	return x.codes.Range(packBits(query), threshold, p)
}

func (x *binaryFlat) each(show func(int, []float32)) error {
	v, size := make([]float32, x.dimensions), x.dimensions/8
	for row := range x.n {
		unpackBits(x.data[row*size:(row+1)*size], v)
		show(row, v)
	}
	return nil
}

func (x *binaryFlat) Bytes() int64     { return int64(len(x.data)) }
func (x *binaryFlat) describe() string { return "BFlat" }

func isBinary(x node) bool {
	switch x := x.(type) {
	case *binaryFlat:
		return true
	case *hnsw:
		return isBinary(x.storage)
	}
	return false
}
