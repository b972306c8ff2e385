package lexical

import (
	"cmp"
	"math"
	"slices"
)

// Hit is a document and its BM25 score.
type Hit struct {
	Doc   int
	Score float64
}

// compareHits puts the higher score first, and of equal ones the earlier
// document.
func compareHits(a, b Hit) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Doc, b.Doc))
}

// QueryTerm is a term of a question as the index knows it.
type QueryTerm struct {
	Term  string
	Times int     // in the question
	Docs  int     // documents that hold it
	IDF   float64 // also for a term that no document holds
	id    int     // in the dictionary, -1 if it is not there
}

// Query is an analysed question for one index: each term once, in the order of
// the question.
type Query []QueryTerm

// Query analyses a question.
func (x *Index) Query(text string) Query {
	var q Query
	seen := map[string]int{}
	for _, term := range x.analyze.Terms(text) {
		if i, ok := seen[term]; ok {
			q[i].Times++
			continue
		}
		seen[term] = len(q)
		t := QueryTerm{Term: term, Times: 1, id: -1}
		if id, ok := x.lookup(term); ok {
			t.id, t.Docs = id, int(x.terms[id].count)
		}
		t.IDF = math.Log(1 + (float64(x.Len())-float64(t.Docs)+0.5)/(float64(t.Docs)+0.5))
		q = append(q, t)
	}
	return q
}

// source is one term of a query at work.
type source struct {
	*cursor
	weight float64 // idf times its occurrences in the question
	raised float64 // weight, for bounds: of an index that Scaled made a little more
	bound  float64 // the highest contribution to any document
	order  int     // place in the question
}

func (x *Index) sources(q Query) []source {
	var sources []source
	for _, t := range q {
		if t.id < 0 {
			continue
		}
		weight := t.IDF * float64(t.Times)
		sources = append(sources, source{
			cursor: newCursor(x, t.id),
			weight: weight,
			raised: weight * x.raise,
			bound:  weight * x.raise * float64(x.terms[t.id].bound),
			order:  len(sources),
		})
	}
	return sources
}

// Scores returns the scores of the given documents, 0 for those without any of
// the terms. They equal Search's, bit for bit.
func (x *Index) Scores(q Query, docs []int) []float64 {
	order := make([]int, len(docs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(docs[a], docs[b]) })
	scores := make([]float64, len(docs))
	for _, s := range x.sources(q) { // in the order of the question, as Search adds
		for _, i := range order {
			if s.seek(docs[i]); s.doc == docs[i] {
				scores[i] += s.weight * factor(s.tf(), x.norms[s.doc])
			}
		}
	}
	return scores
}

// Search returns the k best documents that hold any of the terms.
func (x *Index) Search(q Query, k int) []Hit {
	sources := x.sources(q)
	if k <= 0 || len(sources) == 0 {
		return nil
	}
	s := newMaxScore(sources, x.norms, k)
	for doc := s.nextCandidate(); doc != noDocument; doc = s.nextCandidate() {
		s.consider(doc)
	}
	return s.best
}
