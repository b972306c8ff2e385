package vector

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/lexical"
)

// strategyPostings is how sparse and keyword queries are answered.
const strategyPostings index.Strategy = "postings"

// sparseRanker ranks by the inner product with a sparse vector.
type sparseRanker struct {
	number int
	query  Sparse
}

func (s *Snapshot) sparseRanker(p *Part) (*sparseRanker, error) {
	number, ok := s.layout.sparse[p.Using]
	if !ok {
		return nil, invalid("the collection has no sparse vector %q; it has %q", p.Using, slices.Sorted(maps.Keys(s.layout.sparse)))
	}
	query, err := p.Sparse.sorted()
	if err != nil {
		return nil, invalid("the query's sparse vector: %w", err)
	}
	return &sparseRanker{number, query}, nil
}

func (r *sparseRanker) floor(limit float64) float64 { return limit }
func (r *sparseRanker) excluded(located) bool       { return false }

func (r *sparseRanker) memory(v *row) (float64, bool) {
	dot, shared := sparseDot(r.query, v.fields[r.number])
	return number(dot), shared
}

func (r *sparseRanker) segment(g *segment, rows selection, k int) ([]rowScore, index.Stats, error) {
	d := g.derived.Load()
	if d == nil || d.sparse[r.number] == nil {
		return nil, index.Stats{}, fmt.Errorf("segment %d has no index of sparse vector %d", g.number, r.number)
	}
	scores, touched := d.sparse[r.number].scores(r.query, g.rows)
	for i := range touched {
		if rows.words != nil {
			touched[i] &= rows.words[i]
		}
	}
	best, n := newBest(k), 0
	selection{words: touched}.each(g.rows, func(row int) bool {
		best.add(row, number(scores[row]))
		n++
		return true
	})
	return best.sorted(), index.Stats{Strategy: strategyPostings, Visited: n, Scored: n}, nil
}

// keywordRanker ranks by BM25. How rare a term is, is judged by the whole
// collection, so that scores of different segments compare; the average length
// of texts is each segment's own. Deleted points count until they are merged
// away, as in other engines of this kind.
type keywordRanker struct {
	number  int
	params  lexical.Params
	idf     map[string]float64
	weights []weightedTerm // for memory
	average float64        // words of a text in memory
	text    string
}

type weightedTerm struct {
	hash   uint64
	weight float64
}

func (s *Snapshot) keywordRanker(p *Part) (*keywordRanker, error) {
	number := slices.IndexFunc(s.layout.keywords, func(k keywordField) bool { return k.name == p.Using })
	if number < 0 {
		return nil, invalid("the collection has no keyword index %q", p.Using)
	}
	spec := s.layout.keywords[number].spec
	r := &keywordRanker{number: number, params: spec.params(), idf: map[string]float64{}, text: p.Text}
	times := map[string]int{}
	for _, t := range spec.analyzer().Terms(p.Text) {
		times[t]++
	}
	documents, holding := s.frequencies(number, p.Text, times)
	r.average = s.averageWords(number)
	for _, term := range slices.Sorted(maps.Keys(times)) {
		df := float64(holding[term])
		r.idf[term] = math.Log(1 + (float64(documents)-df+0.5)/(df+0.5))
		r.weights = append(r.weights, weightedTerm{hashTerm(term), r.idf[term] * float64(times[term])})
	}
	return r, nil
}

// frequencies counts all texts, and those that hold each term.
func (s *Snapshot) frequencies(number int, text string, terms map[string]int) (documents int, holding map[string]int) {
	holding = map[string]int{}
	for _, g := range s.view.segments {
		if d := g.derived.Load(); d != nil {
			documents += d.keywords[number].Len()
			for _, t := range d.keywords[number].Query(text) {
				holding[t.Term] += t.Docs
			}
		}
	}
	for _, m := range s.memory {
		documents += len(m.rows)
		for term := range terms {
			hash := hashTerm(term)
			for _, v := range m.rows {
				if frequency(v.terms[number], hash) > 0 {
					holding[term]++
				}
			}
		}
	}
	return documents, holding
}

func (s *Snapshot) averageWords(number int) float64 {
	words, n := 0.0, 0
	for _, m := range s.memory {
		for _, v := range m.rows {
			words += v.words[number]
			n++
		}
	}
	return max(1, words/float64(max(n, 1)))
}

func (r *keywordRanker) floor(limit float64) float64 { return limit }
func (r *keywordRanker) excluded(located) bool       { return false }

func (r *keywordRanker) memory(v *row) (float64, bool) {
	norm := r.params.K1 * (1 - r.params.B + r.params.B*v.words[r.number]/r.average)
	score, any := 0.0, false
	for _, t := range r.weights {
		if tf := frequency(v.terms[r.number], t.hash); tf > 0 {
			score += t.weight * tf / (tf + norm)
			any = true
		}
	}
	return score, any
}

// segment asks the keyword index for more and more until enough of what it
// finds is selected, or scores the selected rows one by one if they are few.
func (r *keywordRanker) segment(g *segment, rows selection, k int) ([]rowScore, index.Stats, error) {
	d := g.derived.Load()
	if d == nil {
		return nil, index.Stats{}, fmt.Errorf("segment %d has no keyword index", g.number)
	}
	x := d.keywords[r.number]
	query := x.Query(r.text)
	for i := range query {
		query[i].IDF = r.idf[query[i].Term]
	}
	if rows.words != nil && rows.count <= fewRows {
		return r.scoreRows(x, query, g, rows, k), index.Stats{Strategy: index.StrategyScan, Visited: rows.count, Scored: rows.count}, nil
	}
	for ask := min(k, x.Len()); ; ask = min(ask*4, x.Len()) {
		hits := x.Search(query, ask)
		var scores []rowScore
		for _, h := range hits {
			if rows.has(h.Doc) && len(scores) < k {
				scores = append(scores, rowScore{h.Doc, h.Score})
			}
		}
		if len(scores) == k || len(hits) < ask || ask == x.Len() {
			return scores, index.Stats{Strategy: strategyPostings, Visited: len(hits), Scored: len(hits)}, nil
		}
	}
}

// fewRows is how many rows are scored one by one rather than searched for.
const fewRows = 2000

func (r *keywordRanker) scoreRows(x *lexical.Index, q lexical.Query, g *segment, rows selection, k int) []rowScore {
	var docs []int
	rows.each(g.rows, func(row int) bool {
		docs = append(docs, row)
		return true
	})
	best := newBest(k)
	for i, score := range x.Scores(q, docs) {
		if score > 0 {
			best.add(docs[i], score)
		}
	}
	return best.sorted()
}
