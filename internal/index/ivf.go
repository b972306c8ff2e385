package index

import (
	"fmt"
	"math"
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// IVF is an approximate index of vectors in groups: k-means finds centroids, every
// vector is kept, as a code, in the list of its nearest centroid, and a search scans
// the lists of the centroids nearest to the query (Sivic and Zisserman 2003, "Video
// Google"; Jégou, Douze and Schmid 2011 with codes).
//
// Codes of one bit (RaBitQ, as seen from the centroid) and product codes of four bits
// are kept in blocks and scanned 32 at a time; other codecs' one after another.
// With the vectors at hand (Attach) the best candidates are compared exactly.
type IVF struct {
	metric     Metric
	dimensions int
	coarse     *coarse
	codec      quant.Codec // nil for RaBitQ blocks
	starts     []int       // of every list in rows, and the end
	rows       []uint32    // list after list
	codes      []byte      // list after list; blocks or codes
	layout     ivfLayout
	slab       []float32
	pool       sync.Pool // of *ivfSearch
}

// ivfLayout is how codes are kept.
type ivfLayout struct {
	blocked bool
	groups  int // of a block
	size    int // of a block or code
}

// IVFOptions steer the building of an IVF index.
type IVFOptions struct {
	// Lists is the number of centroids; 0 means about four times the square root of the number
	// of vectors.
	Lists int
	// Codec encodes the vectors (divided by their norm under Cosine). Nil means
	// RaBitQ with one bit.
	Codec quant.Codec
	// Threads is the number of goroutines that build; 0 means GOMAXPROCS. The index
	// does not depend on it.
	Threads int
	// Seed draws the first centroids.
	Seed uint64
}

// The training of the centroids.
const (
	ivfRounds  = 8
	ivfSamples = 80 // vectors a centroid
)

// BuildIVF builds an IVF index of the vectors in slab, which is only read while it
// runs. Metrics are Cosine, Dot and L2.
func BuildIVF(metric Metric, dimensions int, slab []float32, o IVFOptions) (*IVF, error) {
	if metric != Cosine && metric != Dot && metric != L2 {
		return nil, fmt.Errorf("build an IVF index: metric %v has none; use HNSW or Flat", metric)
	}
	if err := checkSlab(dimensions, slab); err != nil {
		return nil, fmt.Errorf("build an IVF index: %w", err)
	}
	if o.Codec != nil && o.Codec.Dimensions() != dimensions {
		return nil, fmt.Errorf("build an IVF index: codec %s has %d dimensions, the vectors have %d", o.Codec.Name(), o.Codec.Dimensions(), dimensions)
	}
	n := len(slab) / dimensions
	if o.Lists == 0 {
		o.Lists = max(1, int(4*math.Sqrt(float64(n))))
	}
	if o.Lists < 1 || o.Lists > math.MaxInt32 {
		return nil, fmt.Errorf("build an IVF index: %d lists", o.Lists)
	}
	o.Threads = threads(o.Threads)
	vectors := normalised(metric, dimensions, slab)
	sample := quant.Sample(dimensions, vectors, ivfSamples*o.Lists, o.Seed)
	centroids := quant.KMeans(dimensions, sample, o.Lists, ivfRounds, o.Seed, o.Threads)
	x := &IVF{metric: metric, dimensions: dimensions, codec: o.Codec, coarse: newCoarse(metric, dimensions, centroids, vectors, o.Seed)}
	nearest := make([]uint32, n)
	quant.Assign(dimensions, vectors, centroids, nearest, o.Threads)
	x.group(nearest, o.Lists)
	x.encode(vectors, o.Threads)
	return x, nil
}

// normalised returns vectors of norm 1 under Cosine, else the slab.
func normalised(metric Metric, dimensions int, slab []float32) []float32 {
	if metric != Cosine {
		return slab
	}
	out := make([]float32, len(slab))
	copy(out, slab)
	for at := 0; at < len(out); at += dimensions {
		normaliseVector(out[at : at+dimensions])
	}
	return out
}

// normaliseVector divides by the norm; what is negligible becomes zero.
func normaliseVector(v []float32) {
	length := norm(v)
	if length < negligible {
		clear(v)
		return
	}
	scaleBy(v, float32(1/length))
}

// group sorts rows into lists.
func (x *IVF) group(nearest []uint32, lists int) {
	x.starts = make([]int, lists+1)
	for _, c := range nearest {
		x.starts[c+1]++
	}
	for i := range lists {
		x.starts[i+1] += x.starts[i]
	}
	next := append([]int(nil), x.starts[:lists]...)
	x.rows = make([]uint32, len(nearest))
	for row, c := range nearest {
		x.rows[next[c]] = uint32(row)
		next[c]++
	}
}

// shape chooses how codes are kept.
func (x *IVF) shape() {
	switch c := x.codec.(type) {
	case nil:
		x.layout = ivfLayout{blocked: true, groups: x.coarse.padded() / 4}
	case *quant.Product:
		if c.Bits() == 4 {
			const unit = kernel.BlockGroups
			x.layout = ivfLayout{blocked: true, groups: (c.Parts() + unit - 1) / unit * unit}
		}
	}
	x.layout.size = kernel.CodesSize(x.layout.groups) + factorsSize
	if !x.layout.blocked {
		x.layout.size = x.codec.CodeSize()
	}
}

// encode writes the codes of all lists.
func (x *IVF) encode(vectors []float32, threads int) {
	x.shape()
	x.codes = alignedBytes(x.listStart(len(x.starts)-1) * x.layout.size)
	parallel(threads, len(x.starts)-1, 4, func(from, to int) {
		for list := from; list < to; list++ {
			x.encodeList(list, vectors)
		}
	})
}

// listStart returns how many blocks or codes come before a list's.
func (x *IVF) listStart(list int) int {
	if !x.layout.blocked {
		return x.starts[list]
	}
	// Lists begin with a block of their own: at most one more block than rows ask for a list.
	return x.starts[list]/kernel.BlockVectors + list
}

// list returns the codes of a list and its rows.
func (x *IVF) list(list int) (codes []byte, rows []uint32) {
	rows = x.rows[x.starts[list]:x.starts[list+1]]
	count := len(rows)
	if x.layout.blocked {
		count = blocks(count)
	}
	at := x.listStart(list) * x.layout.size
	return x.codes[at : at+count*x.layout.size], rows
}

func (x *IVF) encodeList(list int, vectors []float32) {
	codes, rows := x.list(list)
	d := x.dimensions
	if !x.layout.blocked {
		for i, row := range rows {
			x.codec.Encode(vectors[int(row)*d:(int(row)+1)*d], codes[i*x.layout.size:(i+1)*x.layout.size])
		}
		return
	}
	for b := range blocks(len(rows)) {
		block, members := codes[b*x.layout.size:(b+1)*x.layout.size], rows[b*kernel.BlockVectors:min((b+1)*kernel.BlockVectors, len(rows))]
		if x.codec == nil {
			x.coarse.encodeSigns(block, list, members, vectors)
		} else {
			encodeProduct(block, x.codec.(*quant.Product), members, vectors)
		}
	}
}

// encodeProduct writes a block of product codes: estimates are sums as they are, a = 0 and b =
// 1, and places without a row have a = +∞.
func encodeProduct(block []byte, c *quant.Product, members []uint32, vectors []float32) {
	codes := block[:len(block)-factorsSize]
	numbers := make([]byte, len(codes)*2/kernel.BlockVectors)
	d := c.Dimensions()
	for i, row := range members {
		c.Numbers(vectors[int(row)*d:(int(row)+1)*d], numbers)
		kernel.PutCode(codes, i, numbers)
	}
	plainFactors(block, len(members))
}

// Len returns the number of vectors.
func (x *IVF) Len() int { return len(x.rows) }

// Dimensions returns the length of a vector.
func (x *IVF) Dimensions() int { return x.dimensions }

// Metric returns how vectors are compared.
func (x *IVF) Metric() Metric { return x.metric }

// Lists returns the number of lists.
func (x *IVF) Lists() int { return len(x.starts) - 1 }

// Centroids returns the lists' centroids, one after another; they must not be changed.
func (x *IVF) Centroids() []float32 { return x.coarse.centroids }

// Codec returns the codec, nil for RaBitQ with one bit.
func (x *IVF) Codec() quant.Codec { return x.codec }

// List returns the rows of a list; they must not be changed.
func (x *IVF) List(list int) []uint32 { return x.rows[x.starts[list]:x.starts[list+1]] }

// Bytes returns the memory of codes, rows and centroids.
func (x *IVF) Bytes() int64 {
	return int64(len(x.codes)) + 4*int64(len(x.rows)) + 8*int64(len(x.starts)) + x.coarse.bytes()
}

// Attach gives the index the vectors it was built from: candidates are then compared
// with them. It panics if the shape differs. Call it before the first search.
func (x *IVF) Attach(slab []float32) {
	if len(slab) != len(x.rows)*x.dimensions {
		panic(fmt.Sprintf("index: IVF.Attach: %d numbers are not %d vectors of %d dimensions", len(slab), len(x.rows), x.dimensions))
	}
	x.slab = slab
}
