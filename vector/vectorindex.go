package vector

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/index"
)

// graphFrom is the number of vectors from which a graph is built by itself:
// below, a scan takes a fraction of a millisecond.
const graphFrom = 10_000

// wantsGraph reports whether a column is worth a graph.
func (c *column) wantsGraph() bool {
	if c.kind != denseField || c.spec.Storage == Binary {
		return false
	}
	switch c.spec.Metric.kernel() {
	case index.Cosine, index.Dot, index.L2:
	default:
		return false
	}
	return c.spec.Index == Auto && c.n >= graphFrom || c.spec.Index == Graph && c.n > 1
}

// writeGraph builds a graph over a column and writes it.
func (c *column) writeGraph(w io.Writer, threads int) error {
	g, err := index.BuildGraph(c.spec.Metric.kernel(), c.spec.Dimensions, c.slab(), index.GraphOptions{Threads: threads})
	if err != nil {
		return err
	}
	defer g.Close()
	_, err = g.WriteTo(w)
	return err
}

// graphFile is a graph in an index file. It is opened by the first search, since
// that reads all of it to compare checksums.
type graphFile struct {
	data    []byte
	once    sync.Once
	graph   *index.Graph
	damaged atomic.Bool
}

// open returns the graph over a column, nil if it cannot be read.
func (f *graphFile) open(c *column) *index.Graph {
	f.once.Do(func() {
		g, err := index.OpenGraph(f.data)
		if err != nil || g.Len() != c.n || g.Dimensions() != c.spec.Dimensions || g.Metric() != c.spec.Metric.kernel() {
			f.damaged.Store(true)
			return
		}
		if c.inPlace() {
			g.Attach(c.slab())
		}
		f.graph = g
	})
	return f.graph
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

// index returns what finds the column's vectors: the graph, or a scan of all
// where there is none or exact results are wanted; nil if that has to decode
// them one by one.
func (c *column) index(g *segment, number int, exact bool) index.Index {
	if d := g.derived.Load(); !exact && d != nil && d.graphs[number] != nil {
		if graph := d.graphs[number].open(c); graph != nil {
			return graph
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

// graphBytes is about what building the graphs over so many points takes in
// memory: a copy of the vectors, and rows of halves, links and codes.
func (l *layout) graphBytes(rows int64) int64 {
	total := int64(0)
	for _, f := range l.fields {
		if c := (&column{field: f, n: int(rows)}); c.wantsGraph() {
			total += rows * int64(4*f.spec.Dimensions+2*f.spec.Dimensions+32*(f.spec.Dimensions/8+16))
		}
	}
	return total
}

// unindexed returns a segment that wants a graph and has none, nil if all is
// well.
func unindexed(segments []*segment) *segment {
	for _, s := range segments {
		d := s.derived.Load()
		for number := range s.columns {
			if d != nil && s.columns[number].wantsGraph() && (d.graphs[number] == nil || d.graphs[number].damaged.Load()) {
				return s
			}
		}
	}
	return nil
}
