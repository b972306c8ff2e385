package index

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// LSH is an approximate index of vectors in hash tables. A hash is a row of numbers
// that near vectors tend to share: under Cosine and Dot the sides of random hyperplanes
// through the vectors' centre (Charikar 2002), under L2 the stretches of random lines into which
// they fall (Datar et al. 2004, p-stable). A search compares exactly what lies in the
// query's bucket of every table and, next, in the buckets that a small step away would lead to
// (Lv et al. 2007, "Multi-probe LSH", section 4.4). It needs few buckets' memory and no training, and
// finds less for the same work than [Graph] or [IVF].
type LSH struct {
	metric     Metric
	dimensions int
	width      float32 // of a stretch; 0 for hyperplanes
	tables     []lshTable
	slab       []float32
}

// lshTable is one hash and the rows it sorts into buckets.
type lshTable struct {
	lines   []float32 // a direction a number of the hash
	offsets []float32 // added to the products
	keys    []uint64  // of the buckets, sorted
	starts  []uint32  // of every bucket in rows, and the end
	rows    []uint32
}

// LSHOptions steer the building of an LSH index.
type LSHOptions struct {
	// Tables is the number of hash tables; 0 means 16.
	Tables int
	// Numbers is how many numbers, at most 24, make a hash; 0 means as many as leave
	// about sixteen vectors a bucket of halves.
	Numbers int
	// Seed draws the directions.
	Seed uint64
}

const (
	maxTables  = 1024
	maxNumbers = 24
)

// BuildLSH builds an LSH index of the vectors in slab, which it keeps to compare
// with. Metrics are Cosine, Dot and L2.
func BuildLSH(metric Metric, dimensions int, slab []float32, o LSHOptions) (*LSH, error) {
	if metric > L2 {
		return nil, fmt.Errorf("build an LSH index: metric %v has none; use HNSW or Flat", metric)
	}
	if err := checkSlab(dimensions, slab); err != nil {
		return nil, fmt.Errorf("build an LSH index: %w", err)
	}
	n := len(slab) / dimensions
	if o.Tables == 0 {
		o.Tables = 16
	}
	if o.Numbers == 0 {
		o.Numbers = max(2, min(maxNumbers, bits.Len(uint(n/16))))
	}
	if o.Tables < 1 || o.Tables > maxTables || o.Numbers < 1 || o.Numbers > maxNumbers {
		return nil, fmt.Errorf("build an LSH index: %d tables of %d numbers; want 1 to %d of 1 to %d", o.Tables, o.Numbers, maxTables, maxNumbers)
	}
	x := &LSH{metric: metric, dimensions: dimensions, slab: slab, tables: make([]lshTable, o.Tables)}
	random := rand.New(rand.NewPCG(o.Seed, 8))
	if metric == L2 {
		x.width = stretch(dimensions, slab, random)
	}
	centre := mean(dimensions, slab)
	for i := range x.tables {
		x.tables[i].draw(x, o.Numbers, centre, random)
	}
	parallel(threads(0), o.Tables, 1, func(from, to int) {
		for i := from; i < to; i++ {
			x.tables[i].fill(x)
		}
	})
	return x, nil
}

func mean(dimensions int, slab []float32) []float32 {
	sum := make([]float32, dimensions)
	n := len(slab) / dimensions
	for at := 0; at < len(slab); at += dimensions {
		kernel.Axpy(1/float32(n), slab[at:at+dimensions], sum)
	}
	return sum
}

// stretch returns twice the distance of a typical vector to its nearest among some
// others: near vectors then seldom fall into different stretches of a line.
func stretch(dimensions int, slab []float32, random *rand.Rand) float32 {
	n := len(slab) / dimensions
	var nearest []float32
	for range min(n, 64) {
		v := random.IntN(n)
		best := float32(math.Inf(1))
		for range 1000 {
			if w := random.IntN(n); w != v {
				if d := kernel.L2(slab[v*dimensions:(v+1)*dimensions], slab[w*dimensions:(w+1)*dimensions]); d > 0 {
					best = min(best, d)
				}
			}
			if n == 1 {
				break
			}
		}
		nearest = append(nearest, best)
	}
	slices.Sort(nearest)
	if len(nearest) == 0 || math.IsInf(float64(nearest[len(nearest)/2]), 1) {
		return 1
	}
	return float32(2 * math.Sqrt(float64(nearest[len(nearest)/2])))
}

// draw chooses the directions of a table.
func (t *lshTable) draw(x *LSH, numbers int, centre []float32, random *rand.Rand) {
	t.lines = make([]float32, numbers*x.dimensions)
	for i := range t.lines {
		t.lines[i] = float32(random.NormFloat64())
	}
	t.offsets = make([]float32, numbers)
	for i := range t.offsets {
		t.offsets[i] = -kernel.Dot(centre, t.line(i))
		if x.width > 0 {
			t.offsets[i] += x.width * float32(random.Float64())
		}
	}
}

func (t *lshTable) line(i int) []float32 {
	d := len(t.lines) / len(t.offsets)
	return t.lines[i*d : (i+1)*d]
}

// fill sorts all rows into buckets.
func (t *lshTable) fill(x *LSH) {
	n := x.Len()
	keys := make([]uint64, n)
	h := lshHash{cells: make([]int32, len(t.offsets)), within: make([]float32, len(t.offsets))}
	t.rows = make([]uint32, n)
	for row := range n {
		h.hash(t, x.width, x.slab[row*x.dimensions:(row+1)*x.dimensions])
		keys[row], t.rows[row] = h.key(), uint32(row)
	}
	slices.SortStableFunc(t.rows, func(a, b uint32) int {
		switch {
		case keys[a] < keys[b]:
			return -1
		case keys[a] > keys[b]:
			return 1
		}
		return 0
	})
	for i, row := range t.rows {
		if i == 0 || keys[row] != t.keys[len(t.keys)-1] {
			t.keys = append(t.keys, keys[row])
			t.starts = append(t.starts, uint32(i))
		}
	}
	t.starts = append(t.starts, uint32(n))
}

// bucket returns the rows of a key.
func (t *lshTable) bucket(key uint64) []uint32 {
	i, ok := slices.BinarySearch(t.keys, key)
	if !ok {
		return nil
	}
	return t.rows[t.starts[i]:t.starts[i+1]]
}

// lshHash is a vector's hash in one table: for every number the cell it falls into, and
// where in it: from 0 to 1 in a stretch, or the distance to the hyperplane.
type lshHash struct {
	cells  []int32
	within []float32
}

func (h *lshHash) hash(t *lshTable, width float32, v []float32) {
	for i := range h.cells {
		p := kernel.Dot(v, t.line(i)) + t.offsets[i]
		if width == 0 {
			h.cells[i], h.within[i] = 0, p
			if p >= 0 {
				h.cells[i] = 1
			}
			continue
		}
		cell := math.Floor(float64(p / width))
		cell = max(math.MinInt32/2, min(math.MaxInt32/2, cell))
		h.cells[i], h.within[i] = int32(cell), float32(float64(p/width)-cell)
	}
}

// key mixes the cells into one number (FNV-1a by words). Two hashes with the same key share
// a bucket, which costs a comparison.
func (h *lshHash) key() uint64 {
	key := uint64(14695981039346656037)
	for _, c := range h.cells {
		key = (key ^ uint64(uint32(c))) * 1099511628211
	}
	return key
}

// Len returns the number of vectors.
func (x *LSH) Len() int { return len(x.slab) / x.dimensions }

// Dimensions returns the length of a vector.
func (x *LSH) Dimensions() int { return x.dimensions }

// Metric returns how vectors are compared.
func (x *LSH) Metric() Metric { return x.metric }

// Bytes returns the memory of the tables.
func (x *LSH) Bytes() (sum int64) {
	for _, t := range x.tables {
		sum += 4*int64(len(t.lines)+len(t.offsets)+len(t.starts)+len(t.rows)) + 8*int64(len(t.keys))
	}
	return sum
}
