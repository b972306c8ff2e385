package lexical

// An index may be a part of a larger collection, or hold documents that do not
// count any more. Then what BM25 knows of all documents is counted by the
// caller: Len, Words and Holding count one part, Scaled takes the average
// length of all, and QueryTerm.IDF is the caller's to set.

// Words returns the number of terms in all documents.
func (x *Index) Words() uint64 { return x.total }

// WordsOf returns the number of terms in a document.
func (x *Index) WordsOf(doc int) int { return int(x.lengths[doc]) }

// Holding counts the documents that hold a term of a question and that counts
// says yes to. It walks the term's postings.
func (x *Index) Holding(t QueryTerm, counts func(doc int) bool) int {
	if t.id < 0 {
		return 0
	}
	n := 0
	for p := range x.postings(t.id) {
		if counts(int(p.doc)) {
			n++
		}
	}
	return n
}

// Scaled returns the index with scores by another average length of documents,
// at least 1. It shares the encoding, and costs a pass over the lengths.
//
// The bounds of blocks were computed with the index's own average a. With a
// larger one a', no factor tf / (tf + norm) grows by more than a'/a, since norm
// shrinks by no more, so bounds are raised by that.
func (x *Index) Scaled(to float64) *Index {
	own := average(x.total, len(x.lengths))
	to = max(1, to)
	if to == own {
		return x
	}
	scaled := *x
	scaled.norms = norms(x.params, x.lengths, to)
	scaled.raise = max(1, to/own)
	return &scaled
}
