package vector

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/faiss"
	"github.com/ragstone/ragstone/internal/index"
)

// graphFrom is the number of vectors from which a graph is built by itself:
// below, a scan takes a fraction of a millisecond.
const graphFrom = 10_000

// factory returns the parsed Index of a vector, if it is a factory string. Points have
// ids and exact vectors of their own, so IDMap and RFlat say nothing.
func (v VectorSpec) factory() (spec faiss.Spec, ok bool) {
	switch v.Index {
	case Auto, Flat, Graph, Lean:
		return faiss.Spec{}, false
	}
	spec, err := faiss.Parse(string(v.Index))
	spec.IDMap, spec.Refine = false, false
	return spec, err == nil
}

// wantsIndex reports whether a column is worth an index.
func (c *column) wantsIndex() bool {
	if c.kind != denseField {
		return false
	}
	if spec, ok := c.spec.factory(); ok {
		return c.n >= spec.Least() && spec.String() != "BFlat" && spec.String() != "Flat"
	}
	switch c.spec.Metric.kernel() {
	case index.Cosine, index.Dot, index.L2:
		return c.spec.Index == Auto && c.n >= graphFrom || (c.spec.Index == Graph || c.spec.Index == Lean) && c.n > 1
	}
	return false
}

// writeIndex builds an index over a column and writes it. Of a graph that is given up
// when ctx ends; other indexes are built to the end.
func (c *column) writeIndex(ctx context.Context, w io.Writer, threads int) error {
	metric, d := c.spec.Metric.kernel(), c.spec.Dimensions
	if spec, ok := c.spec.factory(); ok {
		x, err := faiss.Build(spec, metric, d, c.slab(), faiss.Options{Threads: max(1, threads)})
		if err != nil {
			return err
		}
		_, err = x.WriteTo(w)
		return err
	}
	slab, options := c.slab(), index.GraphOptions{Threads: threads, Lean: c.spec.Index == Lean}
	if bands := index.MagnitudeBands(metric, d, slab); len(bands) > 1 {
		b, err := index.BuildBands(ctx, metric, d, slab, bands, options)
		if err != nil {
			return err
		}
		defer b.Close()
		_, err = b.WriteTo(w)
		return err
	}
	g, err := index.BuildGraphContext(ctx, metric, d, slab, options)
	if err != nil {
		return err
	}
	defer g.Close()
	_, err = g.WriteTo(w)
	return err
}

// indexFile is a vector index in an index file. It is opened by the first search,
// since that reads all of it to compare checksums.
type indexFile struct {
	data    []byte
	verify  func() error // compares the checksum
	once    sync.Once
	index   index.Index
	damaged atomic.Bool
}

// open returns the index over a column, nil if it cannot be read.
func (f *indexFile) open(c *column) index.Index {
	f.once.Do(func() {
		x, err := f.read(c)
		if err != nil || x.Len() != c.n || x.Dimensions() != c.spec.Dimensions {
			f.damaged.Store(true)
			return
		}
		f.index = x
	})
	return f.index
}

func (f *indexFile) read(c *column) (index.Index, error) {
	if spec, ok := c.spec.factory(); ok {
		if err := f.verify(); err != nil {
			return nil, err
		}
		x, err := faiss.Read(f.data)
		if err != nil {
			return nil, err
		}
		return &factoryIndex{x, c, spec}, nil
	}
	g, err := openGraph(f.data)
	if err != nil {
		return nil, err
	}
	if g.Metric() != c.spec.Metric.kernel() {
		return nil, fmt.Errorf("a graph under metric %v", g.Metric())
	}
	if c.inPlace() && g.Len() == c.n && g.Dimensions() == c.spec.Dimensions {
		g.Attach(c.slab())
	}
	return g, nil
}

// graph is an index.Graph or index.Bands.
type graph interface {
	index.Index
	Attach(slab []float32)
}

// openGraph opens either; they have checksums of their own.
func openGraph(data []byte) (graph, error) {
	if index.IsBands(data) {
		return index.OpenBands(data)
	}
	return index.OpenGraph(data)
}

// inPlace reports whether the stored vectors can be compared where they lie.
func (c *column) inPlace() bool { return c.spec.Storage == "" || c.spec.Storage == Float32 }

// slab returns the column's vectors one after another, in place if they can be.
func (c *column) slab() []float32 {
	if c.inPlace() {
		return floats(c.data)
	}
	d, size := c.spec.Dimensions, c.spec.Storage.size(c.spec.Dimensions)
	slab := make([]float32, c.n*d)
	for i := range c.n {
		c.spec.Storage.read(slab[i*d:(i+1)*d], c.data[i*size:])
	}
	return slab
}

// index returns what finds the column's vectors: its index, or a scan of all
// where there is none or exact results are wanted; nil if that has to decode
// them one by one.
func (c *column) index(g *segment, number int, exact bool) index.Index {
	if d := g.derived.Load(); !exact && d != nil && d.indexes[number] != nil {
		if x := d.indexes[number].open(c); x != nil {
			return x
		}
	}
	if !c.inPlace() {
		return nil
	}
	c.once.Do(func() {
		c.flat = index.NewFlat(c.spec.Metric.kernel(), c.spec.Dimensions, floats(c.data))
	})
	return c.flat
}

// indexBytes is about what building the indexes over so many points takes in memory: a
// copy of the vectors, and a graph's rows of halves, links and codes, or two more copies,
// transformed and in lists, with links.
func (l *layout) indexBytes(rows int64) int64 {
	total := int64(0)
	for _, f := range l.fields {
		c := &column{field: f, n: int(rows)}
		if !c.wantsIndex() {
			continue
		}
		if spec, ok := f.spec.factory(); ok {
			total += rows * int64(12*f.spec.Dimensions+16*spec.HNSW+16)
		} else {
			total += rows * int64(4*f.spec.Dimensions+2*f.spec.Dimensions+32*(f.spec.Dimensions/8+16))
		}
	}
	return total
}

// unindexed returns a segment that wants an index and has none, nil if all is
// well.
func unindexed(segments []*segment) *segment {
	for _, s := range segments {
		d := s.derived.Load()
		for number := range s.columns {
			if d != nil && s.columns[number].wantsIndex() && (d.indexes[number] == nil || d.indexes[number].damaged.Load()) {
				return s
			}
		}
	}
	return nil
}
