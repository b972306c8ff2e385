package index

import (
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// IVFParts are the parts of an IVF index over product codes of four bits, in a form for files of
// other programs.
type IVFParts struct {
	// Centroids are the lists' centroids, one after another.
	Centroids []float32
	// Codec encodes the vectors as they are, not their differences from the centroids.
	Codec *quant.Product
	// Rows are those of each list; together every row from 0 up, once.
	Rows [][]uint32
	// Codes are the codes of each list's rows, as Codec makes them.
	Codes [][]byte
}

// IVFFromParts makes an index of parts, all of which are checked. The metric is Dot or
// L2.
func IVFFromParts(metric Metric, parts IVFParts) (*IVF, error) {
	if metric != Dot && metric != L2 {
		return nil, fmt.Errorf("make an IVF index of its parts: the metric is %v; want dot or l2", metric)
	}
	n, err := parts.check()
	if err != nil {
		return nil, fmt.Errorf("make an IVF index of its parts: %w", err)
	}
	d := parts.Codec.Dimensions()
	x := &IVF{metric: metric, dimensions: d, codec: parts.Codec, coarse: newCoarse(metric, d, parts.Centroids, nil, 0)}
	nearest := make([]uint32, n)
	for list, rows := range parts.Rows {
		for _, row := range rows {
			nearest[row] = uint32(list)
		}
	}
	x.group(nearest, len(parts.Rows))
	x.shape()
	x.codes = alignedBytes(x.listStart(len(parts.Rows)) * x.layout.size)
	for list := range parts.Rows {
		x.putCodes(list, parts)
	}
	return x, nil
}

// check returns the number of rows.
func (p IVFParts) check() (rows int, err error) {
	if p.Codec.Bits() != 4 || len(p.Rows) < 1 || len(p.Codes) != len(p.Rows) || len(p.Centroids) != len(p.Rows)*p.Codec.Dimensions() {
		return 0, fmt.Errorf("%d numbers of centroids and codes of %d lists for %d lists of %s", len(p.Centroids), len(p.Codes), len(p.Rows), p.Codec.Name())
	}
	if err := CheckFinite(p.Centroids); err != nil {
		return 0, fmt.Errorf("centroids: %w", err)
	}
	for list, members := range p.Rows {
		rows += len(members)
		if len(p.Codes[list]) != len(members)*p.Codec.CodeSize() {
			return 0, fmt.Errorf("list %d has %d rows and %d bytes of codes", list, len(members), len(p.Codes[list]))
		}
	}
	if rows > math.MaxInt32 {
		return 0, fmt.Errorf("%d rows; an index holds at most %d", rows, math.MaxInt32)
	}
	seen := make([]bool, rows)
	for list, members := range p.Rows {
		for _, row := range members {
			if int(row) >= rows || seen[row] {
				return 0, fmt.Errorf("list %d has row %d of %d, or has it twice", list, row, rows)
			}
			seen[row] = true
		}
	}
	return rows, nil
}

// putCodes writes the blocks of a list, whose rows group has sorted.
func (x *IVF) putCodes(list int, parts IVFParts) {
	place := make(map[uint32]int, len(parts.Rows[list]))
	for i, row := range parts.Rows[list] {
		place[row] = i
	}
	codes, rows := x.list(list)
	size := parts.Codec.CodeSize()
	numbers := make([]byte, x.layout.groups)
	for b := range blocks(len(rows)) {
		block := codes[b*x.layout.size : (b+1)*x.layout.size]
		members := rows[b*kernel.BlockVectors : min((b+1)*kernel.BlockVectors, len(rows))]
		for i, row := range members {
			code := parts.Codes[list][place[row]*size:]
			parts.Codec.Spread(code, numbers)
			kernel.PutCode(block[:len(block)-factorsSize], i, numbers)
		}
		plainFactors(block, len(members))
	}
}

// plainFactors makes estimates of a block sums as they are, a = 0 and b = 1; places without a
// row have a = +∞.
func plainFactors(block []byte, members int) {
	factors := halves(block[len(block)-factorsSize:])
	for i := range kernel.BlockVectors {
		factors[i], factors[kernel.BlockVectors+i] = 0, kernel.ToFloat16(1)
		if i >= members {
			factors[i] = kernel.ToFloat16(float32(math.Inf(1)))
		}
	}
}

// Codes returns the codes of a list's rows, as Codec makes them, of an index over
// product codes of four bits.
func (x *IVF) Codes(list int) []byte {
	codec := x.codec.(*quant.Product)
	codes, rows := x.list(list)
	size := codec.CodeSize()
	out := make([]byte, len(rows)*size)
	numbers := make([]byte, x.layout.groups)
	for i := range rows {
		b := i / kernel.BlockVectors
		block := codes[b*x.layout.size : (b+1)*x.layout.size]
		kernel.GetCode(block[:len(block)-factorsSize], i%kernel.BlockVectors, numbers)
		for p := range codec.Parts() {
			out[i*size+p/2] |= numbers[p] << (p % 2 * 4)
		}
	}
	return out
}
