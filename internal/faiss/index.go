package faiss

import (
	"fmt"
	"io"
	"slices"

	"github.com/ragstone/ragstone/internal/index"
)

// Index is an index that was built or read. Hits carry labels.
type Index struct {
	root node
}

// node is one index of the tree. Searches return labels and take filters of labels.
type node interface {
	index.Index
	// write writes the node with its fourcc.
	write(w *writer)
	// each shows all vectors, as far as they were kept, with their labels. The slice is
	// the callee's.
	each(show func(label int, x []float32)) error
	// describe returns the factory string.
	describe() string
}

// header is what all nodes have.
type header struct {
	dimensions, n int
	metric        index.Metric
}

// Len returns the number of vectors.
func (h header) Len() int { return h.n }

// Dimensions returns the length of a vector.
func (h header) Dimensions() int { return h.dimensions }

// Metric returns how vectors are compared.
func (h header) Metric() index.Metric { return h.metric }

// Read reads an index from the bytes of a file. The index may keep parts of
// data, which must not change.
func Read(data []byte) (*Index, error) {
	r := &reader{data: data}
	root := r.node()
	if r.err == nil && r.at < len(data) {
		r.fail("%d bytes are left over", len(data)-r.at)
	}
	if r.err != nil {
		return nil, r.err
	}
	return &Index{root}, nil
}

// WriteTo writes the index as FAISS does.
func (x *Index) WriteTo(to io.Writer) (int64, error) {
	w := newWriter(to)
	x.root.write(w)
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.written, w.err
}

// String returns the factory string of the index.
func (x *Index) String() string { return x.root.describe() }

// Len returns the number of vectors.
func (x *Index) Len() int { return x.root.Len() }

// Dimensions returns the length of a vector, in bits if it is binary.
func (x *Index) Dimensions() int { return x.root.Dimensions() }

// Metric returns Dot, L2 or L1, or Hamming where signs or bits are compared.
func (x *Index) Metric() index.Metric { return x.root.Metric() }

// Bytes returns about the memory that the index occupies.
func (x *Index) Bytes() int64 { return x.root.Bytes() }

// Search returns the labels of k near vectors; see index.Index. Of a binary index
// the query's numbers above zero are ones.
func (x *Index) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	if len(query) != x.Dimensions() {
		panic(fmt.Sprintf("faiss: a query of %d dimensions, and the vectors have %d", len(query), x.Dimensions()))
	}
	return x.root.Search(query, k, p)
}

// batcher is a node that answers many queries faster than one after another.
type batcher interface {
	SearchBatch(queries []float32, k int, p index.Params) [][]index.Hit
}

// SearchBatch is Search for queries that lie one after another.
func (x *Index) SearchBatch(queries []float32, k int, p index.Params) [][]index.Hit {
	if len(queries)%x.Dimensions() != 0 {
		panic(fmt.Sprintf("faiss: %d numbers are not queries of %d dimensions", len(queries), x.Dimensions()))
	}
	return searchBatch(x.root, queries, k, p)
}

func searchBatch(x node, queries []float32, k int, p index.Params) [][]index.Hit {
	if many, ok := x.(batcher); ok {
		return many.SearchBatch(queries, k, p)
	}
	d := x.Dimensions()
	found := make([][]index.Hit, len(queries)/d)
	for i := range found {
		found[i], _ = x.Search(queries[i*d:(i+1)*d], k, p)
	}
	return found
}

// Range returns the labels of vectors with a score of at least threshold; see
// index.Index.
func (x *Index) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	return x.root.Range(query, threshold, p)
}

// Each shows all vectors with their labels, as they can be had back: codes are
// decoded and transforms undone as far as possible. It fails if the index does not keep
// vectors. The slice is valid until the next.
func (x *Index) Each(show func(label int, vector []float32)) error { return x.root.each(show) }

// admitted returns how many of n labels a filter may admit.
func admitted(f *index.Filter, n int) int {
	if f == nil {
		return n
	}
	return min(n, f.Count())
}

// rangeOf finds all above a threshold by searches for ever more.
func rangeOf(x index.Index, query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	all := admitted(p.Filter, x.Len())
	for k := 256; ; k *= 4 {
		hits, stats := x.Search(query, min(k, all), p)
		if end := slices.IndexFunc(hits, func(h index.Hit) bool { return !(h.Score >= threshold) }); end >= 0 {
			return hits[:end], stats
		}
		if len(hits) < k {
			return hits, stats
		}
	}
}

// best collects the k best hits.
type best struct {
	k    int
	hits []index.Hit
	bar  float32 // a lower score is not among them
	full bool
}

func newBest(k int) *best { return &best{k: k} }

func (b *best) add(label int, score float32) {
	if b.full && !(score >= b.bar) {
		return
	}
	b.hits = append(b.hits, index.Hit{Row: label, Score: score})
	if len(b.hits) >= 2*b.k+64 {
		b.sorted()
	}
}

// sorted returns the best, best first; equal ones by label.
func (b *best) sorted() []index.Hit {
	slices.SortFunc(b.hits, compareHits)
	if len(b.hits) >= b.k && b.k > 0 {
		b.hits = b.hits[:b.k]
		b.bar, b.full = b.hits[b.k-1].Score, true
	}
	return b.hits[:min(b.k, len(b.hits))]
}

func compareHits(x, y index.Hit) int {
	switch {
	case x.Score > y.Score:
		return -1
	case x.Score < y.Score:
		return 1
	}
	return x.Row - y.Row
}
