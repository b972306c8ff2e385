package vector

import (
	"cmp"
	"slices"

	"github.com/ragstone/ragstone/internal/faiss"
	"github.com/ragstone/ragstone/internal/index"
)

// factoryIndex is an index that a factory string describes, over the vectors of a
// column: candidates come from its codes, lists and links, and are ranked by the vectors.
type factoryIndex struct {
	*faiss.Index
	column *column
	spec   faiss.Spec
}

// The defaults of a search, where FAISS has 1 list, 16 candidates and no rescoring.
const (
	factoryLists = 8
	factoryEF    = 64
)

// factoryRescore is how many candidates a hit are compared with the vectors.
func (x *factoryIndex) factoryRescore() float32 {
	if c := x.spec.Codec; len(x.spec.Transforms) == 0 && (c.Kind == faiss.HalfCodec || c.Kind == faiss.ScalarCodec && c.Bits == 8) {
		return 2
	}
	return 10
}

// Metric returns the column's metric.
func (x *factoryIndex) Metric() index.Metric { return x.column.spec.Metric.kernel() }

// coded reports whether the index keeps less than the vectors, so that its order is not theirs.
func (x *factoryIndex) coded() bool {
	if x.spec.Codec.Kind != faiss.FlatCodec {
		return true
	}
	return slices.ContainsFunc(x.spec.Transforms, func(t faiss.Transform) bool { return t.Kind != faiss.Normalise })
}

// Search returns k near vectors: of Rescore times as many candidates those that are nearest.
func (x *factoryIndex) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	matches := x.Len()
	if p.Filter != nil {
		matches = min(matches, p.Filter.Count())
	}
	if k = min(k, matches); k <= 0 {
		return nil, index.Stats{Strategy: index.StrategyScan}
	}
	width := k
	if x.coded() {
		width = int(min(float64(matches), float64(k)*max(1, float64(cmp.Or(p.Rescore, x.factoryRescore())))))
	}
	p.NProbe = cmp.Or(p.NProbe, max(factoryLists, x.spec.Lists/32))
	p.EF = cmp.Or(p.EF, factoryEF)
	hits, stats := x.Index.Search(query, width, p)
	if x.coded() && stats.Strategy == index.StrategyScan {
		stats.Strategy = index.StrategyCodes
	}
	if len(hits) < k {
		return x.scan(query, k, p)
	}
	if x.coded() && (p.Rescore >= 0 || x.spec.Codec.Kind == faiss.SignCodec) {
		stats.Visited = len(hits)
		x.rescore(query, hits)
	}
	return hits[:k], stats
}

// rescore ranks hits by the vectors.
func (x *factoryIndex) rescore(query []float32, hits []index.Hit) {
	for i := range hits {
		hits[i].Score = x.compare(query, hits[i].Row)
	}
	slices.SortFunc(hits, compareIndexHits)
}

func compareIndexHits(a, b index.Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Row, b.Row))
}

// compare scores a row as it is stored.
func (x *factoryIndex) compare(query []float32, row int) float32 {
	c := x.column
	size := c.spec.Storage.size(c.spec.Dimensions)
	if c.inPlace() {
		d := c.spec.Dimensions
		return x.Metric().Compare(query, floats(c.data)[row*d:(row+1)*d])
	}
	v := make([]float32, c.spec.Dimensions)
	c.spec.Storage.read(v, c.data[row*size:])
	return x.Metric().Compare(query, v)
}

// scan compares everything: the index found too little.
func (x *factoryIndex) scan(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	if x.spec.Binary {
		p.Exact = true
		return x.Index.Search(query, k, p)
	}
	best := newBest(k)
	compared := 0
	for row := range x.Len() {
		if p.Filter.Has(row) {
			compared++
			best.add(row, number(x.compare(query, row)))
		}
	}
	var hits []index.Hit
	for _, r := range best.sorted() {
		hits = append(hits, index.Hit{Row: r.row, Score: float32(r.score)})
	}
	return hits, index.Stats{Strategy: index.StrategyScan, Visited: compared, Scored: compared}
}

// Range returns the rows with a score of at least threshold among ever more near ones.
func (x *factoryIndex) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	for k := 256; ; k *= 4 {
		hits, stats := x.Search(query, k, p)
		if end := slices.IndexFunc(hits, func(h index.Hit) bool { return !(h.Score >= threshold) }); end >= 0 {
			return hits[:end], stats
		}
		if len(hits) < k {
			return hits, stats
		}
	}
}
