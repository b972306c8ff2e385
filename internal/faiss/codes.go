package faiss

import (
	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/quant"
)

// codes compares with every code: IndexPQ, IndexPQFastScan and IndexScalarQuantizer.
type codes struct {
	*index.Codes
	codec quant.Codec
	data  []byte
	fast  bool // of IndexPQFastScan
}

func newCodes(metric index.Metric, codec quant.Codec, data []byte, fast bool) *codes {
	return &codes{index.NewCodes(metric, codec, data, nil), codec, data, fast}
}

// floatMetric refuses the metrics that codes are not compared by.
func (r *reader) floatMetric(h header) {
	if h.metric == index.L1 {
		r.fail("codes under metric L1 are not supported")
	}
}

// codeBytes reads the codes of n vectors.
func (r *reader) codeBytes(h header, size int) []byte {
	if r.err == nil && int64(h.n)*int64(size) > r.remaining() {
		r.fail("it ends within %d codes of %d bytes", h.n, size)
	}
	return r.bytes("codes", h.n*size)
}

func (r *reader) product() node {
	h := r.header()
	r.floatMetric(h)
	codec := r.productCodec(h.dimensions)
	if r.err != nil {
		return failed{}
	}
	data := r.codeBytes(h, codec.CodeSize())
	searchType, signs := r.i32(), r.boolean()
	r.i32() // the threshold of polysemous search
	if r.err == nil && (searchType != 0 || signs) {
		r.fail("IndexPQ with polysemous or symmetric search (search_type %d) is not supported", searchType)
	}
	if r.err != nil {
		return failed{}
	}
	return newCodes(h.metric, codec, data, false)
}

// productCodec reads a product quantiser of so many dimensions.
func (r *reader) productCodec(dimensions int) *quant.Product {
	d := r.number("the dimensions of product codes", maxDimensions)
	parts := r.number("the parts of product codes", maxDimensions)
	width := r.number("the bits of product codes", 64)
	if r.err == nil && d != dimensions {
		r.fail("product codes of %d dimensions for vectors of %d", d, dimensions)
	}
	if r.err == nil && width != 8 && width != 4 {
		r.fail("product codes of %d bits are not supported; 4 and 8 are", width)
	}
	if r.err != nil {
		return nil
	}
	centroids := r.floats("the centroids of product codes", d<<width)
	if r.err != nil {
		return nil
	}
	codec, err := quant.NewProduct(d, parts, width, centroids)
	if err != nil {
		r.fail("%v", err)
	}
	return codec
}

func (w *writer) productCodec(c *quant.Product) {
	w.u64(c.Dimensions())
	w.u64(c.Parts())
	w.u64(c.Bits())
	w.floats(c.Centroids())
}

// fastProduct reads IndexPQFastScan.
func (r *reader) fastProduct() node {
	h := r.header()
	r.floatMetric(h)
	codec := r.productCodec(h.dimensions)
	r.i32() // which implementation searches
	block := r.i32()
	r.i32() // of how many queries at once
	padded, groups := r.number("the padded number of vectors", 1<<40), r.number("the groups of a code", 2*maxDimensions)
	if r.err != nil {
		return failed{}
	}
	if codec.Bits() != 4 || block != fastBlock || groups != fastGroups(codec.Parts()) || padded != (h.n+block-1)/block*block {
		r.fail("IndexPQFastScan with blocks of %d vectors, %d groups for %d parts of %d bits and room for %d of %d vectors is not supported", block, groups, codec.Parts(), codec.Bits(), padded, h.n)
		return failed{}
	}
	raw := r.take(r.count("codes", 1))
	if r.err == nil && len(raw) < padded*groups/2 {
		r.fail("%d bytes of codes; want %d", len(raw), padded*groups/2)
	}
	if r.err != nil {
		return failed{}
	}
	return newCodes(h.metric, codec, unpackFast(raw, h.n, codec), true)
}

// fastBlock is how many vectors' codes are interleaved.
const fastBlock = 32

// fastGroups is the number of parts in interleaved codes: an even one.
func fastGroups(parts int) int { return (parts + 1) &^ 1 }

// fastPlace is where the code byte of parts 2p and 2p+1 of a vector lies: the low halves
// of 16 bytes hold one part of 16 vectors, the high halves that of the next 16, and of each
// 16 the vectors i and i+8 are neighbours.
func fastPlace(groups, vector, pair int) (at int, shift uint) {
	block, within := vector/fastBlock, vector%fastBlock
	at = (block*groups/2 + pair) * fastBlock
	place := within % 16
	place = 2*(place%8) + place/8
	return at + place, uint(within / 16 * 4)
}

// unpackFast turns interleaved codes into codes one after another.
func unpackFast(raw []byte, n int, codec *quant.Product) []byte {
	size, groups := codec.CodeSize(), fastGroups(codec.Parts())
	out := make([]byte, n*size)
	for v := range n {
		for pair := range size {
			at, shift := fastPlace(groups, v, pair)
			out[v*size+pair] = raw[at]>>shift&15 | raw[at+16]>>shift&15<<4
		}
	}
	return out
}

// packFast does the opposite; the last block is filled up with zeros.
func packFast(data []byte, codec *quant.Product) []byte {
	size, groups := codec.CodeSize(), fastGroups(codec.Parts())
	n := len(data) / size
	raw := make([]byte, (n+fastBlock-1)/fastBlock*fastBlock*groups/2)
	for v := range n {
		for pair := range size {
			at, shift := fastPlace(groups, v, pair)
			code := data[v*size+pair]
			raw[at] |= code & 15 << shift
			raw[at+16] |= code >> 4 << shift
		}
	}
	return raw
}

func (x *codes) write(w *writer) {
	h := header{x.Dimensions(), x.Len(), x.Metric()}
	product, isProduct := x.codec.(*quant.Product)
	switch {
	case x.fast:
		w.fourcc("IPfs")
		w.header(h)
		w.productCodec(product)
		raw := packFast(x.data, product)
		w.i32(0)
		w.i32(fastBlock)
		w.i32(0)
		w.u64((h.n + fastBlock - 1) / fastBlock * fastBlock)
		w.u64(fastGroups(product.Parts()))
		w.bytes(raw)
	case isProduct:
		w.fourcc("IxPq")
		w.header(h)
		w.productCodec(product)
		w.bytes(x.data)
		w.i32(0)
		w.boolean(false)
		w.i32(0)
	default:
		w.fourcc("IxSQ")
		w.header(h)
		w.scalarCodec(x.codec)
		w.bytes(x.data)
	}
}

func (x *codes) each(show func(int, []float32)) error {
	v, size := make([]float32, x.Dimensions()), x.codec.CodeSize()
	for row := range x.Len() {
		x.codec.Decode(x.data[row*size:(row+1)*size], v)
		show(row, v)
	}
	return nil
}

func (x *codes) describe() string { return codecSpec(x.codec, x.fast).String() }

// codecSpec says what a codec is called.
func codecSpec(c quant.Codec, fast bool) CodecSpec {
	switch c := c.(type) {
	case *quant.Product:
		return CodecSpec{Kind: ProductCodec, Parts: c.Parts(), Bits: c.Bits(), Fast: fast}
	case *quant.Scalar:
		return CodecSpec{Kind: ScalarCodec, Bits: c.Bits()}
	case *quant.F16:
		return CodecSpec{Kind: HalfCodec}
	}
	return CodecSpec{}
}
