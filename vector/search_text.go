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
// away, as in other engines of this kind. KeywordSpec.Exact has it otherwise.
type keywordRanker struct {
	number int
	params lexical.Params
	exact  bool
	terms  []questionTerm
	idf    map[string]float64
	counts textCounts
	text   string
}

// questionTerm is a term of a question, in the order of the question.
type questionTerm struct {
	text   string
	hash   uint64
	times  int
	weight float64 // its idf for each of its times
}

func questionTerms(a *lexical.Analyzer, text string) []questionTerm {
	var terms []questionTerm
	for _, t := range a.Terms(text) {
		at := slices.IndexFunc(terms, func(q questionTerm) bool { return q.text == t })
		if at < 0 {
			at = len(terms)
			terms = append(terms, questionTerm{text: t, hash: hashTerm(t)})
		}
		terms[at].times++
	}
	return terms
}

// textCounts is what BM25 knows of all texts.
type textCounts struct {
	texts   int
	average float64        // words of one: in memory, or, if exact, anywhere
	holding map[string]int // texts that hold a term
}

func (t textCounts) idf(term string) float64 {
	n, df := float64(t.texts), float64(t.holding[term])
	return math.Log(1 + (n-df+0.5)/(df+0.5))
}

func (s *Snapshot) keywordRanker(namespace string, p *Part) (*keywordRanker, error) {
	number := slices.IndexFunc(s.layout.keywords, func(k keywordField) bool { return k.name == p.Using })
	if number < 0 {
		return nil, invalid("the collection has no keyword index %q", p.Using)
	}
	spec := s.layout.keywords[number].spec
	r := &keywordRanker{
		number: number, params: spec.params(), exact: spec.Exact,
		terms: questionTerms(spec.analyzer(), p.Text), idf: map[string]float64{}, text: p.Text,
	}
	var err error
	if r.counts, err = s.countTexts(namespace, r); err != nil {
		return nil, err
	}
	for i := range r.terms {
		t := &r.terms[i]
		r.idf[t.text] = r.counts.idf(t.text)
		t.weight = r.idf[t.text] * float64(t.times)
	}
	return r, nil
}

func (s *Snapshot) countTexts(namespace string, r *keywordRanker) (textCounts, error) {
	if r.exact {
		return s.countLiving(namespace, r)
	}
	texts, holding := s.frequencies(r)
	return textCounts{texts, s.averageWords(r.number), holding}, nil
}

// frequencies counts all texts, and those that hold each term.
func (s *Snapshot) frequencies(r *keywordRanker) (texts int, holding map[string]int) {
	holding = map[string]int{}
	for _, g := range s.view.segments {
		if d := g.derived.Load(); d != nil {
			texts += d.keywords[r.number].Len()
			for _, t := range d.keywords[r.number].Query(r.text) {
				holding[t.Term] += t.Docs
			}
		}
	}
	for _, m := range s.memory {
		texts += len(m.rows)
		for _, term := range r.terms {
			for _, v := range m.rows {
				if frequency(v.terms[r.number], term.hash) > 0 {
					holding[term.text]++
				}
			}
		}
	}
	return texts, holding
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

// countLiving counts the texts of a namespace's points that are alive. Postings
// are walked only where some of them do not count.
func (s *Snapshot) countLiving(namespace string, r *keywordRanker) (textCounts, error) {
	sc, err := s.scope(namespace, nil)
	if err != nil {
		return textCounts{}, err
	}
	defer sc.release()
	counts := textCounts{holding: map[string]int{}}
	words := uint64(0)
	for _, g := range s.view.segments {
		d := g.derived.Load()
		if d == nil {
			return counts, fmt.Errorf("segment %d has no keyword index", g.number)
		}
		x, rows := d.keywords[r.number], sc.rows(g)
		living := x.Words()
		if rows.words != nil {
			living = 0
			rows.each(g.rows, func(row int) bool {
				living += uint64(x.WordsOf(row))
				return true
			})
		}
		counts.texts += rows.count
		words += living
		for _, t := range x.Query(r.text) {
			if living == x.Words() {
				counts.holding[t.Term] += t.Docs
			} else {
				counts.holding[t.Term] += x.Holding(t, rows.has)
			}
		}
	}
	sc.memory(func(v *row) {
		counts.texts++
		words += uint64(v.words[r.number])
		for _, t := range r.terms {
			if frequency(v.terms[r.number], t.hash) > 0 {
				counts.holding[t.text]++
			}
		}
	})
	counts.average = max(1, float64(words)/float64(max(counts.texts, 1)))
	return counts, nil
}

// TermCount is a term of a question as a keyword index knows it.
type TermCount struct {
	Term   string  `json:"term"`   // as the analyser makes it
	Points int     `json:"points"` // how many hold it
	IDF    float64 `json:"idf"`    // its weight in BM25
}

// Terms analyses a text as a keyword query would, and returns its terms, each
// once, in the order of the text.
func (s *Snapshot) Terms(namespace, using, text string) ([]TermCount, error) {
	r, err := s.keywordRanker(namespace, &Part{Text: text, Using: using})
	if err != nil {
		return nil, err
	}
	terms := make([]TermCount, len(r.terms))
	for i, t := range r.terms {
		terms[i] = TermCount{t.text, r.counts.holding[t.text], r.idf[t.text]}
	}
	return terms, nil
}

func (r *keywordRanker) floor(limit float64) float64 { return limit }
func (r *keywordRanker) excluded(located) bool       { return false }

func (r *keywordRanker) memory(v *row) (float64, bool) {
	norm := r.params.K1 * (1 - r.params.B + r.params.B*v.words[r.number]/r.counts.average)
	score, any := 0.0, false
	for _, t := range r.terms {
		if tf := frequency(v.terms[r.number], t.hash); tf > 0 {
			score += t.weight * (tf / (tf + norm)) // in the order that package lexical computes in
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
	if r.exact {
		x = d.scaled(r.number, r.counts.average)
	}
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
