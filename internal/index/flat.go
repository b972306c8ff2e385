package index

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
)

// Flat is the exact index: it compares the query with every vector of a slab,
// each read once, so its speed is that of memory: about 10 GB a second and
// core. Batches of queries share the reading.
type Flat struct {
	metric     Metric
	dimensions int
	slab       []float32
	inverse    []float32 // 1/|x| of every row for Cosine; nil if all are 1
	squares    []float32 // |x|² of every row, made for the first batch under L2
	once       sync.Once
}

// NewFlat returns an exact index of the vectors in slab, which it reads in
// place. It panics if slab is not a whole number of vectors or the metric is
// binary (see [Binary]).
func NewFlat(metric Metric, dimensions int, slab []float32) *Flat {
	if dimensions <= 0 || len(slab)%dimensions != 0 {
		panic(fmt.Sprintf("index: NewFlat: %d numbers are not vectors of %d dimensions", len(slab), dimensions))
	}
	if metric > L1 {
		panic(fmt.Sprintf("index: NewFlat: metric %v does not compare float vectors", metric))
	}
	f := &Flat{metric: metric, dimensions: dimensions, slab: slab}
	if metric == Cosine {
		f.inverse = inverseNorms(dimensions, slab)
	}
	return f
}

// inverseNorms returns 1/|x| of every row, nil if each is 1 to within 10⁻⁶.
func inverseNorms(dimensions int, slab []float32) []float32 {
	inverse := make([]float32, len(slab)/dimensions)
	allOne := true
	for row := range inverse {
		inverse[row] = inverseNorm(slab[row*dimensions : (row+1)*dimensions])
		allOne = allOne && math.Abs(float64(inverse[row])-1) < 1e-6
	}
	if allOne {
		return nil
	}
	return inverse
}

// Len returns the number of vectors.
func (f *Flat) Len() int { return len(f.slab) / f.dimensions }

// Dimensions returns the length of a vector.
func (f *Flat) Dimensions() int { return f.dimensions }

// Metric returns how vectors are compared.
func (f *Flat) Metric() Metric { return f.metric }

// Bytes returns the memory of what is kept beside the slab.
func (f *Flat) Bytes() int64 { return 4 * int64(len(f.inverse)+len(f.squares)) }

// Vector returns a row of the slab, which must not be changed.
func (f *Flat) Vector(row int) []float32 {
	return f.slab[row*f.dimensions : (row+1)*f.dimensions : (row+1)*f.dimensions]
}

const (
	tileRows = 256     // rows scored at a time
	partSize = 1 << 20 // numbers below which a second goroutine is not worth starting
)

// Search returns the k best rows, see [Index]. Only the filter matters of p.
func (f *Flat) Search(query []float32, k int, p Params) ([]Hit, Stats) {
	checkQuery(query, f.dimensions)
	matches := p.Filter.matches(f.Len())
	k = min(k, matches)
	if k <= 0 {
		return nil, Stats{Strategy: StrategyScan}
	}
	parts := 1
	if p.Filter == nil {
		parts = min(runtime.GOMAXPROCS(0), 1+len(f.slab)/partSize)
	}
	found := make([][]Hit, parts)
	var wait sync.WaitGroup
	for part := range parts {
		from, to := f.Len()*part/parts, f.Len()*(part+1)/parts
		work := func() {
			best := newTopK(k)
			f.scan(query, from, to, p.Filter, best.add)
			found[part] = best.sorted()
		}
		if part == parts-1 {
			work()
			break
		}
		wait.Go(work)
	}
	wait.Wait()
	best := slices.Concat(found...)
	slices.SortFunc(best, compareHits)
	return best[:k], Stats{StrategyScan, matches, matches}
}

// Range returns every row with a score of at least threshold, best first.
func (f *Flat) Range(query []float32, threshold float32, p Params) ([]Hit, Stats) {
	checkQuery(query, f.dimensions)
	var hits []Hit
	f.scan(query, 0, f.Len(), p.Filter, func(row int, score float32) {
		if score >= threshold {
			hits = append(hits, Hit{row, score})
		}
	})
	slices.SortFunc(hits, compareHits)
	matches := p.Filter.matches(f.Len())
	return hits, Stats{StrategyScan, matches, matches}
}

// Scores returns the scores of the given rows.
func (f *Flat) Scores(query []float32, rows []int) []float32 {
	checkQuery(query, f.dimensions)
	scale := f.queryScale(query)
	scores := make([]float32, len(rows))
	for i, row := range rows {
		scores[i] = numberOrLast(f.score(query, row, scale))
	}
	return scores
}

// queryScale is what every product with the query is multiplied by.
func (f *Flat) queryScale(query []float32) float32 {
	if f.metric == Cosine {
		return inverseNorm(query)
	}
	return 1
}

func (f *Flat) score(query []float32, row int, scale float32) float32 {
	v := f.Vector(row)
	switch f.metric {
	case L2:
		return -kernel.L2(query, v)
	case L1:
		return -kernel.L1(query, v)
	}
	score := kernel.Dot(query, v) * scale
	if f.inverse != nil {
		score *= f.inverse[row]
	}
	return score
}

// scan shows the admitted rows from (inclusive) to (exclusive), in order.
func (f *Flat) scan(query []float32, from, to int, filter *Filter, show func(row int, score float32)) {
	scale := f.queryScale(query)
	if filter != nil {
		for row := range filter.rows(to) {
			if row >= from {
				show(row, f.score(query, row, scale))
			}
		}
		return
	}
	var scores [tileRows]float32
	for start := from; start < to; start += tileRows {
		n := min(tileRows, to-start)
		f.scoreTile(query, start, scores[:n], scale)
		for i, score := range scores[:n] {
			show(start+i, score)
		}
	}
}

// scoreTile scores the rows that begin at start, as many as out holds.
func (f *Flat) scoreTile(query []float32, start int, out []float32, scale float32) {
	if f.metric == Dot || f.metric == Cosine {
		kernel.DotRows(query, f.slab[start*f.dimensions:(start+len(out))*f.dimensions], out)
		if f.metric == Dot {
			return
		}
		for i := range out {
			out[i] *= scale
			if f.inverse != nil {
				out[i] *= f.inverse[start+i]
			}
		}
		return
	}
	var rows [tileRows]uint32
	for i := range out {
		rows[i] = uint32(start + i)
	}
	f.metric.compareRows(query, f.slab, rows[:len(out)], out)
}

// SearchBatch is Search for queries that lie one after another. It reads the
// vectors once for 32 queries, as a product of matrices; under L2 the squared
// norms come in, so a score errs by about 10⁻⁶·(|q|²+|x|²).
func (f *Flat) SearchBatch(queries []float32, k int, p Params) [][]Hit {
	if len(queries)%f.dimensions != 0 {
		panic(fmt.Sprintf("index: %d numbers are not queries of %d dimensions", len(queries), f.dimensions))
	}
	found := make([][]Hit, len(queries)/f.dimensions)
	if p.Filter != nil || f.metric == L1 || len(found) < smallBatch {
		for i := range found {
			found[i], _ = f.Search(queries[i*f.dimensions:(i+1)*f.dimensions], k, p)
		}
		return found
	}
	if f.metric == L2 {
		f.once.Do(f.square)
	}
	groups := (len(found) + kernel.PanelWidth - 1) / kernel.PanelWidth
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), groups)
	for w := range workers {
		wait.Go(func() {
			for g := w; g < groups; g += workers {
				first := g * kernel.PanelWidth
				last := min(first+kernel.PanelWidth, len(found))
				f.scanBatch(queries[first*f.dimensions:last*f.dimensions], k, found[first:last])
			}
		})
	}
	wait.Wait()
	return found
}

// smallBatch is the number of queries from which a product of matrices is
// faster than one scan each.
const smallBatch = 4

func (f *Flat) square() {
	f.squares = make([]float32, f.Len())
	for row := range f.squares {
		v := f.Vector(row)
		f.squares[row] = kernel.Dot(v, v)
	}
}

// scanBatch searches for up to 32 queries.
func (f *Flat) scanBatch(queries []float32, k int, found [][]Hit) {
	k = min(k, f.Len())
	best := make([]*topK, len(found))
	terms := make([]float32, len(found)) // the query's scale, or its squared norm
	for i := range best {
		best[i] = newTopK(k)
		q := queries[i*f.dimensions : (i+1)*f.dimensions]
		terms[i] = f.queryScale(q)
		if f.metric == L2 {
			terms[i] = kernel.Dot(q, q)
		}
	}
	var panel kernel.Panels
	panel.PackColumns(queries, f.dimensions, f.dimensions, len(found))
	var products [tileRows * kernel.PanelWidth]float32
	for start := 0; start < f.Len(); start += tileRows {
		n := min(tileRows, f.Len()-start)
		panel.Multiply(products[:], kernel.PanelWidth, f.slab[start*f.dimensions:(start+n)*f.dimensions], f.dimensions, n, 0, 1)
		for i := range n {
			f.showRow(start+i, products[i*kernel.PanelWidth:][:len(found)], terms, best)
		}
	}
	for i := range found {
		found[i] = best[i].sorted()
	}
}

// showRow turns a row's products with the queries into scores.
func (f *Flat) showRow(row int, products, terms []float32, best []*topK) {
	factor := float32(1)
	if f.inverse != nil {
		factor = f.inverse[row]
	}
	for j, product := range products {
		score := product * factor * terms[j]
		if f.metric == L2 {
			score = min(0, 2*product-terms[j]-f.squares[row])
		}
		if score >= best[j].threshold {
			best[j].add(row, score)
		}
	}
}
