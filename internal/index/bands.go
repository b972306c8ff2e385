package index

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Bands is an approximate index of vectors whose magnitudes differ so much that half
// precision cannot hold them side by side: a graph for every band of magnitudes, each with
// a scale of its own. One far vector among many, or norms over many powers of two, are
// such data. Under L2 a magnitude is the distance from the middle of the data, under Dot
// the norm; a query is asked of every band, but under Dot only as long as a band's norms
// can matter (compare Yan et al. 2018, "Norm-ranging LSH for maximum inner product
// search").
type Bands struct {
	bands []band // the largest magnitudes first
	slab  []float32
}

// band is a graph of some of the rows.
type band struct {
	graph *Graph
	rows  []uint32 // of the graph's rows, rising
	most  float64  // largest norm, under Dot
}

const (
	bandBits  = 6  // powers of two in a band
	bandsMost = 16 // what is smaller yet is in the last
	// bandLeast is the number of vectors below which a band joins the next larger one: so
	// few are found even if nothing tells them apart.
	bandLeast = 64
	// bandSample is how many vectors tell where the middle of the data is.
	bandSample = 255
)

// MagnitudeBands returns the rows of every band that vectors fall into: one band, of nil,
// if a single graph serves them.
func MagnitudeBands(metric Metric, dimensions int, slab []float32) [][]uint32 {
	if metric != L2 && metric != Dot || len(slab) == 0 {
		return [][]uint32{nil}
	}
	middle := make([]float32, dimensions)
	if metric == L2 {
		middle = medians(dimensions, slab)
	}
	magnitudes, largest := make([]float64, len(slab)/dimensions), 0.0
	for row := range magnitudes {
		square := 0.0
		for i, x := range slab[row*dimensions : (row+1)*dimensions] {
			d := float64(x) - float64(middle[i])
			square += d * d
		}
		magnitudes[row] = math.Sqrt(square)
		largest = max(largest, magnitudes[row])
	}
	bands := make([][]uint32, bandsMost)
	for row, m := range magnitudes {
		at := 0 // of those that lie right in the middle, which are all the same
		if m > 0 {
			at = min(bandsMost-1, int(math.Log2(largest/m)/bandBits))
		}
		bands[at] = append(bands[at], uint32(row))
	}
	return joinSmall(bands)
}

// joinSmall drops empty bands, and joins small ones with the next larger one that there is.
func joinSmall(bands [][]uint32) [][]uint32 {
	var kept [][]uint32
	for _, rows := range bands {
		if n := len(kept); n > 0 && len(rows) < bandLeast {
			kept[n-1] = append(kept[n-1], rows...)
		} else if len(rows) > 0 {
			kept = append(kept, rows)
		}
	}
	for _, rows := range kept {
		slices.Sort(rows)
	}
	if len(kept) == 1 {
		return [][]uint32{nil}
	}
	return kept
}

// medians returns the median of every dimension of vectors spread over a slab: outliers do
// not move it.
func medians(dimensions int, slab []float32) []float32 {
	rows := len(slab) / dimensions
	count := min(rows, bandSample)
	middle, column := make([]float32, dimensions), make([]float32, count)
	for i := range middle {
		for j := range column {
			column[j] = slab[rows*j/count*dimensions+i]
		}
		slices.Sort(column)
		middle[i] = column[count/2]
	}
	return middle
}

// BuildBands builds a graph for each of the bands that MagnitudeBands returned, with
// BuildGraphContext. Close it.
func BuildBands(ctx context.Context, metric Metric, dimensions int, slab []float32, bands [][]uint32, options GraphOptions) (*Bands, error) {
	b := &Bands{}
	for _, rows := range bands {
		part := make([]float32, 0, len(rows)*dimensions)
		most := 0.0
		for _, row := range rows {
			v := slab[int(row)*dimensions : (int(row)+1)*dimensions]
			part, most = append(part, v...), max(most, norm(v))
		}
		g, err := BuildGraphContext(ctx, metric, dimensions, part, options)
		if err != nil {
			b.Close()
			return nil, fmt.Errorf("band of %d vectors: %w", len(rows), err)
		}
		b.bands = append(b.bands, band{g, rows, most})
	}
	return b, nil
}

// Close frees the graphs' memory; no search may run or follow.
func (b *Bands) Close() {
	for _, band := range b.bands {
		band.graph.Close()
	}
}

// Len returns the number of vectors.
func (b *Bands) Len() (n int) {
	for _, band := range b.bands {
		n += len(band.rows)
	}
	return n
}

// Dimensions returns the length of a vector.
func (b *Bands) Dimensions() int { return b.bands[0].graph.Dimensions() }

// Metric returns how vectors are compared.
func (b *Bands) Metric() Metric { return b.bands[0].graph.Metric() }

// Bytes returns the size of the graphs, without an attached slab.
func (b *Bands) Bytes() (n int64) {
	for _, band := range b.bands {
		n += band.graph.Bytes() + 4*int64(len(band.rows))
	}
	return n
}

// Attach gives the index the vectors it was built from, as Graph.Attach does.
func (b *Bands) Attach(slab []float32) {
	if len(slab) != b.Len()*b.Dimensions() {
		panic(fmt.Sprintf("index: Bands.Attach: %d numbers are not %d vectors of %d dimensions", len(slab), b.Len(), b.Dimensions()))
	}
	b.slab = slab
}

// Search returns k near rows; see [Index].
func (b *Bands) Search(query []float32, k int, p Params) ([]Hit, Stats) {
	checkQuery(query, b.Dimensions())
	k = min(k, p.Filter.matches(b.Len()))
	if k <= 0 {
		return nil, Stats{Strategy: StrategyGraph}
	}
	rescored := b.slab != nil && p.Rescore >= 0
	wanted := k
	if rescored {
		wanted = 2*k + 16 // half precision may put them in another order
	}
	var all []Hit
	stats, length := Stats{Strategy: StrategyGraph}, norm(query)
	for _, band := range b.bands {
		if b.Metric() == Dot && len(all) >= k && float64(all[k-1].Score) >= length*band.most {
			break // no product can be larger
		}
		hits, s := band.search(query, wanted, p)
		if all = append(all, hits...); len(hits) > 0 {
			stats = Stats{s.Strategy, stats.Visited + s.Visited, stats.Scored + s.Scored}
		}
		slices.SortFunc(all, compareHits)
		all = all[:min(wanted, len(all))]
	}
	if rescored {
		d := b.Dimensions()
		for i, h := range all {
			all[i].Score = numberOrLast(b.Metric().Compare(query, b.slab[h.Row*d:(h.Row+1)*d]))
		}
		slices.SortFunc(all, compareHits)
	}
	return all[:min(k, len(all))], stats
}

// search returns the best rows of a band.
func (b *band) search(query []float32, k int, p Params) ([]Hit, Stats) {
	if p.Filter != nil {
		words := make([]uint64, (len(b.rows)+63)/64)
		for i, row := range b.rows {
			if p.Filter.Has(int(row)) {
				words[i>>6] |= 1 << (i & 63)
			}
		}
		p.Filter = NewFilter(words)
	}
	hits, stats := b.graph.Search(query, k, p)
	for i := range hits {
		hits[i].Row = int(b.rows[hits[i].Row])
	}
	return hits, stats
}

// Range returns rows with a score of at least threshold; see [Index].
func (b *Bands) Range(query []float32, threshold float32, p Params) ([]Hit, Stats) {
	return rangeBySearches(b, query, threshold, p)
}
