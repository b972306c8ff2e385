package index

import (
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// coarse finds the centroids nearest to a query: by their sign codes first, where there are many,
// and then exactly. It also makes the sign codes of vectors as seen from their
// centroid. Both happen in a space of L2 whatever the metric: under Cosine all vectors
// have norm 1.
type coarse struct {
	metric    Metric
	space     *space
	centroids []float32 // as they were found
	moved     []float32 // in the space
	blocks    []byte    // their sign codes as seen from the centre
	writer    layout
}

// fewCentroids is the number up to which all are compared exactly.
const fewCentroids = 128

func newCoarse(metric Metric, dimensions int, centroids, vectors []float32, seed uint64) *coarse {
	s := newSpace(L2, dimensions, centroids, seed)
	c := &coarse{metric: metric, space: s, centroids: centroids, writer: layout{padded: s.padded(), degree: kernel.BlockVectors}}
	c.findReach(dimensions, vectors)
	k := len(centroids) / dimensions
	c.moved = make([]float32, k*s.padded())
	for i := range k {
		c.move(centroids[i*dimensions:(i+1)*dimensions], c.moved[i*s.padded():(i+1)*s.padded()])
	}
	c.pack()
	return c
}

// findReach scales the space to the farthest of vectors and centroids.
func (c *coarse) findReach(dimensions int, vectors []float32) {
	largest, placed := 0.0, make([]float32, c.space.padded())
	for _, slab := range [2][]float32{vectors, c.centroids} {
		for at := 0; at < len(slab); at += dimensions {
			c.space.place(slab[at:at+dimensions], placed)
			largest = max(largest, float64(kernel.Dot(placed, placed)))
		}
	}
	c.space.reach(math.Sqrt(largest))
}

func (c *coarse) pack() {
	k, size := len(c.moved)/c.padded(), c.writer.sweepSize()
	c.blocks = alignedBytes(blocks(k) * size)
	w, centre := newRowWriter(c.writer, c.moved), make([]float32, c.padded())
	for b := range blocks(k) {
		var members []uint32
		for i := b * kernel.BlockVectors; i < min((b+1)*kernel.BlockVectors, k); i++ {
			members = append(members, uint32(i))
		}
		w.codes(c.blocks[b*size:(b+1)*size], centre, members)
	}
}

func (c *coarse) padded() int { return c.space.padded() }

func (c *coarse) bytes() int64 {
	return 4*int64(len(c.centroids)+len(c.moved)) + int64(len(c.blocks))
}

// move maps a vector into the space.
func (c *coarse) move(x, out []float32) {
	c.space.place(x, out)
	c.space.settle(out)
}

func (c *coarse) centroid(list int) []float32 {
	return c.moved[list*c.padded() : (list+1)*c.padded()]
}

// encodeSigns writes a block of vectors as seen from a list's centroid. Under Dot
// the estimate is of the negated product alone: a = 0, and b is half.
func (c *coarse) encodeSigns(block []byte, list int, members []uint32, vectors []float32) {
	d := c.space.dimensions
	moved := make([]float32, len(members)*c.padded())
	numbers := make([]uint32, len(members))
	for i, row := range members {
		c.move(vectors[int(row)*d:(int(row)+1)*d], moved[i*c.padded():(i+1)*c.padded()])
		numbers[i] = uint32(i)
	}
	newRowWriter(c.writer, moved).codes(block, c.centroid(list), numbers)
	if c.metric != Dot {
		return
	}
	factors := halves(block[len(block)-factorsSize:])
	for i := range members {
		b := kernel.Float16(factors[kernel.BlockVectors+i])
		factors[i], factors[kernel.BlockVectors+i] = 0, kernel.ToFloat16(b/2)
	}
}

// probe is the state of finding lists for one query.
type probe struct {
	moved      []float32 // the query in the space; under Dot not shifted to its centre
	tables     []byte
	terms      kernel.ScanTerms
	candidates kernel.Candidates
	estimates  [kernel.BlockVectors]float32
	found      []near
}

// aim prepares a query, of norm 1 under Cosine.
func (p *probe) aim(c *coarse, query []float32) {
	p.moved = slices.Grow(p.moved[:0], c.padded())[:c.padded()]
	if c.metric == Dot {
		copy(p.moved, query)
		clear(p.moved[len(query):])
		c.space.settle(p.moved)
	} else {
		c.move(query, p.moved)
	}
	p.tables = slices.Grow(p.tables[:0], 4*c.padded())[:4*c.padded()]
	step, total := kernel.SignTables(p.moved, p.tables)
	p.terms.Step, p.terms.Low = 2*step, -step*float32(total)
}

// nearest returns the count lists to scan first, in that order, with what the estimates in them
// are relative to.
func (p *probe) nearest(c *coarse, count int) []near {
	k := len(c.moved) / c.padded()
	count = min(count, k)
	p.found = p.found[:0]
	if c.metric == Dot || k <= fewCentroids || count > k/8 {
		for list := range k {
			p.found = append(p.found, near{p.distance(c, list), uint32(list)})
		}
	} else {
		p.sweep(c, 2*count+16)
	}
	slices.SortFunc(p.found, compareNear)
	return p.found[:count]
}

// distance returns the squared distance of query and centroid, or under Dot the negated
// product.
func (p *probe) distance(c *coarse, list int) float32 {
	if c.metric == Dot {
		return -kernel.Dot(p.moved, c.centroid(list))
	}
	return kernel.L2(p.moved, c.centroid(list))
}

// sweep estimates all centroids and compares the best.
func (p *probe) sweep(c *coarse, width int) {
	size := c.writer.sweepSize()
	p.candidates.Reset(width)
	p.terms.Base = kernel.Dot(p.moved, p.moved)
	var numbers [kernel.BlockVectors]uint32
	for b := range len(c.blocks) / size {
		p.terms.Limit = p.candidates.Limit()
		below := kernel.ScanBlock(c.blocks[b*size:(b+1)*size], p.tables, &p.terms, &p.estimates, size)
		if below == 0 {
			continue
		}
		for i := range numbers {
			numbers[i] = uint32(b*kernel.BlockVectors + i)
		}
		p.candidates.Add(&numbers, &p.estimates, below, nil)
	}
	for {
		list, ok := p.candidates.Take()
		if !ok {
			return
		}
		p.found = append(p.found, near{p.distance(c, int(list)), list})
	}
}
