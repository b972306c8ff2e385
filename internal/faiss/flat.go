package faiss

import (
	"fmt"

	"github.com/ragstone/ragstone/internal/index"
)

// failed stands for a node that could not be read.
type failed struct{ header }

func (failed) Search([]float32, int, index.Params) ([]index.Hit, index.Stats) {
	return nil, index.Stats{}
}
func (failed) Range([]float32, float32, index.Params) ([]index.Hit, index.Stats) {
	return nil, index.Stats{}
}
func (failed) Bytes() int64                    { return 0 }
func (failed) write(*writer)                   {}
func (failed) each(func(int, []float32)) error { return nil }
func (failed) describe() string                { return "" }

// flat keeps vectors as they are.
type flat struct {
	*index.Flat
	slab []float32
}

func newFlat(h header, slab []float32) *flat {
	return &flat{index.NewFlat(h.metric, h.dimensions, slab), slab}
}

func (r *reader) flat() node {
	h := r.header()
	slab := r.floats("vectors", h.n*h.dimensions)
	if r.err != nil {
		return failed{}
	}
	return newFlat(h, slab)
}

func (x *flat) write(w *writer) {
	w.fourcc(map[index.Metric]string{index.Dot: "IxFI", index.L2: "IxF2", index.L1: "IxFl"}[x.Metric()])
	w.header(header{x.Dimensions(), x.Len(), x.Metric()})
	w.floats(x.slab)
}

func (x *flat) each(show func(label int, v []float32)) error {
	for row := range x.Len() {
		show(row, x.Vector(row))
	}
	return nil
}

func (x *flat) Bytes() int64     { return 4 * int64(len(x.slab)) }
func (x *flat) describe() string { return "Flat" }

// refine looks for candidates in one node and compares them with the vectors of another.
type refine struct {
	header
	base   node
	exact  *flat
	factor float32 // candidates a hit
}

func (r *reader) refine() node {
	h := r.header()
	base := r.node()
	exact, ok := r.node().(*flat)
	factor := r.f32()
	switch {
	case r.err != nil:
		return failed{}
	case !ok:
		r.fail("IndexRefine over anything but IndexFlat is not supported")
	case base.Len() != h.n || exact.Len() != h.n || base.Dimensions() != h.dimensions || exact.Dimensions() != h.dimensions || exact.Metric() != h.metric:
		r.fail("the parts of IndexRefine do not fit: %d, %d and %d vectors", h.n, base.Len(), exact.Len())
	case !(factor >= 1 && factor <= 1e6):
		r.fail("k_factor is %v", factor)
	}
	return &refine{h, base, exact, factor}
}

func (x *refine) write(w *writer) {
	w.fourcc("IxRF")
	w.header(x.header)
	x.base.write(w)
	x.exact.write(w)
	w.f32(x.factor)
}

// Search compares k_factor candidates a hit, or Rescore.
func (x *refine) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	k = min(k, admitted(p.Filter, x.n))
	if p.Exact || k <= 0 {
		return x.exact.Search(query, k, p)
	}
	if p.Rescore < 0 {
		return x.base.Search(query, k, p)
	}
	candidates, stats := x.base.Search(query, x.width(k, p), p)
	hits, compared := x.compare(query, candidates, k)
	stats.Visited = compared
	return hits, stats
}

// width returns how many candidates to compare.
func (x *refine) width(k int, p index.Params) int {
	factor := x.factor
	if p.Rescore > 0 {
		factor = max(1, p.Rescore)
	}
	return int(min(float64(k)*float64(factor), float64(x.n)))
}

// compare compares candidates with the query and keeps the k best.
func (x *refine) compare(query []float32, candidates []index.Hit, k int) (hits []index.Hit, compared int) {
	rows := make([]int, len(candidates))
	for i, c := range candidates {
		if c.Row >= x.n {
			return candidates, 0 // lists with ids of their own have no row to compare
		}
		rows[i] = c.Row
	}
	best := newBest(k)
	for i, score := range x.exact.Scores(query, rows) {
		best.add(rows[i], score)
	}
	return best.sorted(), len(rows)
}

// SearchBatch implements batcher.
func (x *refine) SearchBatch(queries []float32, k int, p index.Params) [][]index.Hit {
	k = min(k, admitted(p.Filter, x.n))
	if p.Exact || k <= 0 {
		return x.exact.SearchBatch(queries, max(0, k), p)
	}
	if p.Rescore < 0 {
		return searchBatch(x.base, queries, k, p)
	}
	found := searchBatch(x.base, queries, x.width(k, p), p)
	for i, candidates := range found {
		found[i], _ = x.compare(queries[i*x.dimensions:(i+1)*x.dimensions], candidates, k)
	}
	return found
}

// Range implements index.Index.
func (x *refine) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	return rangeOf(x, query, threshold, p)
}

func (x *refine) each(show func(int, []float32)) error { return x.exact.each(show) }
func (x *refine) Bytes() int64                         { return x.base.Bytes() + x.exact.Bytes() }
func (x *refine) describe() string                     { return x.base.describe() + ",RFlat" }

// idMap gives the rows of a node labels.
type idMap struct {
	node
	labels []int
}

func (r *reader) idMap(h header, inner func(*reader) node) node {
	x := inner(r)
	n := r.count("labels", 8)
	labels := r.labels(n)
	if r.err == nil && (n != x.Len() || h.n != n || x.Dimensions() != h.dimensions) {
		r.fail("%d labels for %d vectors", n, x.Len())
	}
	return &idMap{x, labels}
}

func (x *idMap) write(w *writer) {
	h := header{x.Dimensions(), x.Len(), x.Metric()}
	if x.Metric() == index.Hamming && isBinary(x.node) {
		w.fourcc("IBMp")
		w.binaryHeader(h)
	} else {
		w.fourcc("IxMp")
		w.header(h)
	}
	x.node.write(w)
	w.u64(len(x.labels))
	w.labels(x.labels)
}

// rows turns a filter of labels into one of rows.
func (x *idMap) rows(p index.Params) index.Params {
	if p.Filter == nil {
		return p
	}
	words := make([]uint64, (len(x.labels)+63)/64)
	for row, label := range x.labels {
		if p.Filter.Has(label) {
			words[row/64] |= 1 << (row % 64)
		}
	}
	p.Filter = index.NewFilter(words)
	return p
}

func (x *idMap) named(hits []index.Hit) []index.Hit {
	for i := range hits {
		hits[i].Row = x.labels[hits[i].Row]
	}
	return hits
}

func (x *idMap) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	hits, stats := x.node.Search(query, k, x.rows(p))
	return x.named(hits), stats
}

// SearchBatch implements batcher.
func (x *idMap) SearchBatch(queries []float32, k int, p index.Params) [][]index.Hit {
	found := searchBatch(x.node, queries, k, x.rows(p))
	for _, hits := range found {
		x.named(hits)
	}
	return found
}

// Range implements index.Index.
func (x *idMap) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	hits, stats := x.node.Range(query, threshold, x.rows(p))
	return x.named(hits), stats
}

func (x *idMap) each(show func(int, []float32)) error {
	return x.node.each(func(row int, v []float32) { show(x.labels[row], v) })
}

func (x *idMap) describe() string { return "IDMap," + x.node.describe() }

// checkLabels refuses labels that no filter or id can hold.
func checkLabels(labels []int) error {
	for i, label := range labels {
		if label < 0 {
			return fmt.Errorf("label %d is %d; labels count from 0", i, label)
		}
	}
	return nil
}
