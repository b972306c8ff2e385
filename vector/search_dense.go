package vector

import (
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/kernel"
)

// denseRanker ranks by one dense vector.
type denseRanker struct {
	field
	number  int
	metric  index.Metric
	query   []float32
	bits    []byte // the query in stored form, for Storage Binary
	q       *Query
	exclude map[string]bool
}

func (s *Snapshot) denseRanker(using string, query []float32, q *Query) (*denseRanker, error) {
	number, err := s.layout.dense(using)
	if err != nil {
		return nil, invalid("%w", err)
	}
	f := s.layout.fields[number]
	if f.kind != denseField {
		return nil, invalid("vector %q is a multi-vector: ask with several vectors", using)
	}
	if err := f.spec.check(query); err != nil {
		return nil, invalid("the query's vector: %w", err)
	}
	if q.Prefix > f.spec.Dimensions {
		return nil, invalid("a query by the first %d of %d dimensions", q.Prefix, f.spec.Dimensions)
	}
	r := &denseRanker{field: f, number: number, metric: f.spec.Metric.kernel(), query: query, q: q}
	if f.spec.Storage == Binary {
		r.bits, err = f.spec.Storage.append(nil, query)
	}
	return r, err
}

func (r *denseRanker) floor(limit float64) float64 { return float64(r.metric.Score(float32(limit))) }
func (r *denseRanker) excluded(at located) bool    { return r.exclude[string(at.key())] }
func (r *denseRanker) prefixed() bool              { return r.q.Prefix > 0 && r.q.Prefix < r.spec.Dimensions }

func (r *denseRanker) memory(v *row) (float64, bool) {
	stored := v.fields[r.number]
	if stored == nil {
		return 0, false
	}
	if r.bits != nil {
		return float64(index.CompareBits(r.metric, r.bits, stored)), true
	}
	return number(r.metric.Compare(r.query, v.dense[r.number])), true
}

// number puts what is no number behind everything else.
func number(score float32) float64 {
	if score != score {
		return math.Inf(-1)
	}
	return float64(score)
}

func (r *denseRanker) segment(g *segment, rows selection, k int) ([]rowScore, index.Stats, error) {
	c := &g.columns[r.number]
	if c.n == 0 {
		return nil, index.Stats{Strategy: index.StrategyScan}, nil
	}
	k += len(r.exclude)
	var filter *index.Filter
	if rows.words != nil {
		filter = c.filter(rows)
	}
	searched := c.index(g, r.number, r.q.Exact)
	if r.bits != nil && searched == nil {
		hits, stats := index.NewBinary(r.metric, len(r.bits), c.data).Search(r.bits, min(k, c.n), index.Params{Filter: filter})
		return r.scores(c, hits), stats, nil
	}
	if searched == nil || r.prefixed() {
		return r.scan(g, c, rows, k), index.Stats{Strategy: index.StrategyScan, Visited: rows.count, Scored: rows.count}, nil
	}
	params := r.q.Params.index(filter)
	var hits []index.Hit
	var stats index.Stats
	if r.q.K == allHits {
		hits, stats = searched.Range(r.query, r.metric.Score(float32(*r.q.Limit)), params)
	} else {
		hits, stats = searched.Search(r.query, min(k*c.candidates(), c.n), params)
	}
	scores := r.scores(c, hits)
	if !c.inPlace() && r.bits == nil { // the index has the vectors in half precision, or in four bits
		scores = r.rescore(g, scores)
	}
	if r.q.K != allHits {
		scores = scores[:min(k, len(scores))]
	}
	return scores, stats, nil
}

// candidates is how many hits a graph is asked for, for one wanted: more where they are ranked
// here and its own scores are coarse.
func (c *column) candidates() int {
	if c.spec.Index == Lean && !c.inPlace() {
		return 4
	}
	return 1
}

// scores turns hits among a column's vectors into rows.
func (r *denseRanker) scores(c *column, hits []index.Hit) []rowScore {
	scores := make([]rowScore, len(hits))
	for i, h := range hits {
		scores[i] = rowScore{c.row(h.Row), number(h.Score)}
	}
	return scores
}

// filter turns selected rows into a filter of the column's vectors, nil where all
// of them are selected: a scan without one is twice as fast.
func (c *column) filter(rows selection) *index.Filter {
	if c.rows == nil && rows.count < c.n {
		return index.CountedFilter(rows.words, rows.count)
	}
	out, count := make([]uint64, (c.n+63)/64), 0
	for slot, row := range c.rows {
		if rows.has(int(row)) {
			out[slot/64] |= 1 << (slot % 64)
			count++
		}
	}
	if c.rows == nil || count == c.n {
		return nil
	}
	return index.CountedFilter(out, count)
}

// scan compares the selected vectors one by one, as stored.
func (r *denseRanker) scan(g *segment, c *column, rows selection, k int) []rowScore {
	best := newBest(k)
	size := c.spec.Storage.size(c.spec.Dimensions)
	x := make([]float32, c.spec.Dimensions)
	for slot := range c.n {
		row := c.row(slot)
		if !rows.has(row) {
			continue
		}
		c.spec.Storage.read(x, c.data[slot*size:(slot+1)*size])
		best.add(row, number(r.compare(x)))
	}
	if !r.prefixed() {
		return best.sorted()
	}
	return r.rescore(g, best.sorted())
}

// compare scores a vector by the query's prefix, if it has one. Cosine
// renormalises by itself, whatever the length.
func (r *denseRanker) compare(x []float32) float32 {
	if r.prefixed() {
		return r.metric.Compare(r.query[:r.q.Prefix], x[:r.q.Prefix])
	}
	return r.metric.Compare(r.query, x)
}

// rescore scores rows by all dimensions.
func (r *denseRanker) rescore(g *segment, hits []rowScore) []rowScore {
	for i := range hits {
		x := r.spec.decode(g.stored(hits[i].row, r.number))[0]
		hits[i].score = number(r.metric.Compare(r.query, x))
	}
	slices.SortFunc(hits, compareRows)
	return hits
}

// best collects the k rows with the highest scores; of equal ones the first.
type best struct {
	k    int
	rows []rowScore
}

func newBest(k int) *best { return &best{k: k} }

func compareRows(a, b rowScore) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return a.row - b.row
}

func (b *best) add(row int, score float64) {
	b.rows = append(b.rows, rowScore{row, score})
	if b.k < len(b.rows)/2 && len(b.rows) > 128 {
		b.cut()
	}
}

func (b *best) cut() {
	slices.SortFunc(b.rows, compareRows)
	b.rows = b.rows[:min(b.k, len(b.rows))]
}

func (b *best) sorted() []rowScore {
	b.cut()
	return b.rows
}

// multiRanker ranks by MaxSim.
type multiRanker struct {
	field
	number int
	metric index.Metric
	query  [][]float32
}

func (s *Snapshot) multiRanker(p *Part) (*multiRanker, error) {
	number, err := s.layout.dense(p.Using)
	if err != nil {
		return nil, invalid("%w", err)
	}
	f := s.layout.fields[number]
	if f.spec.Storage == Binary {
		return nil, invalid("MaxSim over binary vectors is not offered")
	}
	for i, x := range p.Multi {
		if err := f.spec.check(x); err != nil {
			return nil, invalid("vector %d of the query: %w", i, err)
		}
	}
	return &multiRanker{f, number, f.spec.Metric.kernel(), p.Multi}, nil
}

func (r *multiRanker) floor(limit float64) float64 { return limit }
func (r *multiRanker) excluded(located) bool       { return false }

// maxSim is the sum over the query's vectors of the best score with any of the
// point's.
func (r *multiRanker) maxSim(stored []byte) (float64, bool) {
	if stored == nil {
		return 0, false
	}
	rows := r.spec.decode(stored)
	sum := 0.0
	for _, q := range r.query {
		highest := math.Inf(-1)
		for _, x := range rows {
			highest = max(highest, number(r.metric.Compare(q, x)))
		}
		sum += highest
	}
	return sum, true
}

func (r *multiRanker) memory(v *row) (float64, bool) { return r.maxSim(v.fields[r.number]) }

func (r *multiRanker) segment(g *segment, rows selection, k int) ([]rowScore, index.Stats, error) {
	best := newBest(k)
	rows.each(g.rows, func(row int) bool {
		if score, ok := r.maxSim(g.stored(row, r.number)); ok {
			best.add(row, score)
		}
		return true
	})
	return best.sorted(), index.Stats{Strategy: index.StrategyScan, Visited: rows.count, Scored: rows.count}, nil
}

// likeRanker is a denseRanker for the place that examples point to.
func (s *Snapshot) likeRanker(sc *scope, p *Part, q *Query) (*denseRanker, error) {
	number, err := s.layout.dense(p.Using)
	if err != nil {
		return nil, invalid("%w", err)
	}
	f := s.layout.fields[number]
	if f.kind != denseField || len(p.Like.Positive) == 0 {
		return nil, invalid("a query by examples wants a dense vector and at least one positive example")
	}
	exclude := map[string]bool{}
	mean := func(examples []Example) ([]float32, error) {
		sum := make([]float32, f.spec.Dimensions)
		for _, e := range examples {
			x := e.Vector
			if !e.ID.IsZero() {
				key := appendKey(nil, sc.namespace, e.ID)
				at, ok := s.find(key)
				if !ok || at.record().fields[number] == nil {
					return nil, invalid("example %v: %w", e.ID, ErrNotFound)
				}
				exclude[string(key)] = true
				x = f.spec.decode(at.record().fields[number])[0]
			}
			if err := f.spec.check(x); err != nil {
				return nil, invalid("an example: %w", err)
			}
			kernel.Axpy(1/float32(len(examples)), x, sum)
		}
		return sum, nil
	}
	target, err := mean(p.Like.Positive)
	if err != nil {
		return nil, err
	}
	if len(p.Like.Negative) > 0 {
		away, err := mean(p.Like.Negative)
		if err != nil {
			return nil, err
		}
		for i := range target {
			target[i] += target[i] - away[i]
		}
	}
	r, err := s.denseRanker(p.Using, target, q)
	if err == nil {
		r.exclude = exclude
	}
	return r, err
}
