package lexical

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Params are BM25's two constants. The zero value is not usable; Anserini's
// and BEIR's choice is K1 0.9 and B 0.4, Lucene's own 1.2 and 0.75.
type Params struct {
	K1 float64 // how soon further occurrences of a term stop counting
	B  float64 // how much a document's length counts, from 0 to 1
}

func (p Params) validate() error {
	if !(p.K1 >= 0 && p.K1 <= 1000) || !(p.B >= 0 && p.B <= 1) {
		return fmt.Errorf("BM25 with k1 %v and b %v: want 0 ≤ k1 ≤ 1000 and 0 ≤ b ≤ 1", p.K1, p.B)
	}
	return nil
}

// posting says that a document holds a term tf times.
type posting struct{ doc, tf uint32 }

// Builder collects documents for an Index. Documents are numbered from 0 in
// the order they are added.
type Builder struct {
	params   Params
	analysis *analysis
	lengths  []uint32 // in terms, by document
	terms    map[string]int
	postings [][]posting // by term, in the order terms were first seen
	counts   map[int]uint32
}

// NewBuilder returns an empty builder. It panics if the constants are out of
// their ranges.
func NewBuilder(a *Analyzer, params Params) *Builder {
	if err := params.validate(); err != nil {
		panic("lexical: NewBuilder: " + err.Error())
	}
	return &Builder{params: params, analysis: newAnalysis(a), terms: map[string]int{}, counts: map[int]uint32{}}
}

// Add analyses a text as the next document and returns its number. The parts
// of a document are one text: their terms are counted together.
func (b *Builder) Add(parts ...string) int {
	clear(b.counts)
	length := uint32(0)
	for _, part := range parts {
		b.analysis.each(part, func(term string) {
			b.counts[b.termID(term)]++
			length++
		})
	}
	doc := b.nextDoc(length)
	for id, tf := range b.counts {
		b.postings[id] = append(b.postings[id], posting{doc, tf})
	}
	return int(doc)
}

// AddFrom adds documents of an index built by the same analyser without
// analysing them again: docs names them, in the order of their new numbers.
func (b *Builder) AddFrom(old *Index, docs []int) error {
	if name := b.analysis.Name(); old.analyzer != name {
		return fmt.Errorf("take over documents: the index was analysed by %q, this one is by %q", old.analyzer, name)
	}
	const gone = math.MaxUint32
	moved := make([]uint32, old.Len())
	for i := range moved {
		moved[i] = gone
	}
	for _, doc := range docs {
		moved[doc] = b.nextDoc(old.lengths[doc])
	}
	for t := range old.terms {
		var kept []posting
		for p := range old.postings(t) {
			if moved[p.doc] != gone {
				kept = append(kept, posting{moved[p.doc], p.tf})
			}
		}
		if len(kept) > 0 {
			id := b.termID(string(old.term(t)))
			b.postings[id] = append(b.postings[id], kept...)
		}
	}
	return nil
}

// Renumber gives document i the number numbers[i], which must be a permutation:
// so documents taken over and new ones can be brought into one order.
func (b *Builder) Renumber(numbers []int) {
	lengths := make([]uint32, len(b.lengths))
	for doc, number := range numbers {
		lengths[number] = b.lengths[doc]
	}
	b.lengths = lengths
	for _, list := range b.postings {
		for i := range list {
			list[i].doc = uint32(numbers[list[i].doc])
		}
	}
}

func (b *Builder) nextDoc(length uint32) uint32 {
	b.lengths = append(b.lengths, length)
	return uint32(len(b.lengths) - 1)
}

func (b *Builder) termID(term string) int {
	id, ok := b.terms[term]
	if !ok {
		id = len(b.postings)
		b.terms[strings.Clone(term)] = id
		b.postings = append(b.postings, nil)
	}
	return id
}

// Build returns the index of the documents added so far.
func (b *Builder) Build() *Index {
	names := make([]string, 0, len(b.terms))
	for name := range b.terms {
		names = append(names, name)
	}
	slices.Sort(names)
	e := newEncoder(b.analysis.Name(), b.params, b.lengths)
	for _, name := range names {
		list := b.postings[b.terms[name]]
		slices.SortFunc(list, func(x, y posting) int { return int(x.doc) - int(y.doc) })
		e.addTerm(name, list)
	}
	index, err := Load(e.bytes())
	if err != nil {
		panic("lexical: Build wrote what Load refuses: " + err.Error())
	}
	return index
}
