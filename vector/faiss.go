package vector

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/faiss"
	"github.com/ragstone/ragstone/internal/index"
)

// Index is an index by itself, without database, payloads or updates: as the library FAISS
// has them, and in its files. Searches are safe for concurrent use.
type Index struct {
	x      *faiss.Index
	metric Metric
}

// IndexHit is what a search of an Index finds.
type IndexHit struct {
	// ID is the vector's id: what it was built with, or its row.
	ID uint64
	// Score is as in Hit. An index of signs (LSH) gives the number of signs that differ.
	Score float64
}

// BuildIndex builds an index of vectors of one length, as IndexKind describes it. ids may be
// nil: then vectors are counted from 0. Auto, Flat, Graph and Lean are no factory strings and
// are refused, except that Flat means the same here. Under Cosine vectors are divided by
// their norm first.
func BuildIndex(kind IndexKind, metric Metric, vectors [][]float32, ids []uint64) (*Index, error) {
	if kind == Flat {
		kind = "Flat"
	}
	spec, err := faiss.Parse(string(kind))
	if err != nil {
		return nil, invalid("%w", err)
	}
	if len(vectors) == 0 || ids != nil && len(ids) != len(vectors) {
		return nil, invalid("build index %s: %d vectors and %d ids", kind, len(vectors), len(ids))
	}
	if _, err := index.ParseMetric(string(metric)); metric != "" && err != nil {
		return nil, invalid("build index %s: %w", kind, err)
	}
	d := len(vectors[0])
	slab := make([]float32, 0, len(vectors)*d)
	for i, v := range vectors {
		if len(v) != d || d < 1 || d > MaxDimensions {
			return nil, invalid("build index %s: vector %d has %d dimensions, the first has %d; want 1 to %d", kind, i, len(v), d, MaxDimensions)
		}
		slab = append(slab, v...)
	}
	var o faiss.Options
	if ids != nil {
		spec.IDMap = true
		for _, id := range ids {
			if id > math.MaxInt {
				return nil, invalid("build index %s: id %d is beyond what FAISS has", kind, id)
			}
			o.Labels = append(o.Labels, int(id))
		}
	}
	x, err := faiss.Build(spec, metric.kernel(), d, slab, o)
	if err != nil {
		return nil, invalid("%w", err)
	}
	return &Index{x: x, metric: shownMetric(x, metric)}, nil
}

// shownMetric is what the scores of an index mean that was wanted under a metric.
func shownMetric(x *faiss.Index, wanted Metric) Metric {
	if x.Metric() == index.Dot && wanted.kernel() == index.Cosine {
		return Cosine
	}
	return Metric(x.Metric().String())
}

// ReadFAISS reads an index file that FAISS or WriteFAISS wrote. Searches find in it what
// FAISS finds. An error names what the file holds that is not supported.
func ReadFAISS(path string) (*Index, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read FAISS index: %w", err)
	}
	x, err := faiss.Read(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &Index{x: x, metric: shownMetric(x, Dot)}, nil
}

// WriteFAISS writes the index to a file that FAISS reads: faiss.read_index, or
// faiss.read_index_binary if it is binary. The file is replaced whole.
func (x *Index) WriteFAISS(path string) error {
	err := disk.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := x.x.WriteTo(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("write FAISS index: %w", err)
	}
	return nil
}

// Kind returns the factory string.
func (x *Index) Kind() IndexKind { return IndexKind(x.x.String()) }

// Len returns the number of vectors.
func (x *Index) Len() int { return x.x.Len() }

// Dimensions returns the length of a vector.
func (x *Index) Dimensions() int { return x.x.Dimensions() }

// Metric returns what scores mean. FAISS knows no Cosine: an index that was read and divides
// by the norm first says Dot.
func (x *Index) Metric() Metric { return x.metric }

// Search returns the k nearest vectors that the index finds, best first. Params that are zero are
// those of the index or its file. In a binary index the query's numbers above zero are ones.
func (x *Index) Search(query []float32, k int, p Params) ([]IndexHit, error) {
	if len(query) != x.Dimensions() {
		return nil, invalid("a query of %d dimensions, and the index has %d", len(query), x.Dimensions())
	}
	if err := index.CheckFinite(query); err != nil {
		return nil, invalid("the query: %w", err)
	}
	if k < 1 {
		return nil, invalid("k is %d", k)
	}
	hits, _ := x.x.Search(query, min(k, x.Len()), p.index(nil))
	value := shown(x.metric.kernel())
	out := make([]IndexHit, len(hits))
	for i, h := range hits {
		out[i] = IndexHit{uint64(h.Row), value(float64(h.Score))}
	}
	return out, nil
}

// Points returns all vectors with their ids, in the order of the ids, as points for
// Collection.Upsert. Vectors that were kept as codes come back as these have them. An index of
// signs has none.
func (x *Index) Points() ([]Point, error) {
	var points []Point
	err := x.x.Each(func(label int, v []float32) {
		points = append(points, Point{ID: Num(uint64(label)), Vector: slices.Clone(v)})
	})
	if err != nil {
		return nil, fmt.Errorf("take the vectors out of index %s: %w", x.Kind(), err)
	}
	slices.SortStableFunc(points, func(a, b Point) int { return a.ID.Compare(b.ID) })
	for i := 1; i < len(points); i++ {
		if points[i].ID == points[i-1].ID {
			return points, errors.Join(ErrInvalid, fmt.Errorf("index %s has two vectors with the id %v", x.Kind(), points[i].ID))
		}
	}
	return points, nil
}
