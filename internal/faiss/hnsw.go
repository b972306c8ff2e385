package faiss

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/index"
)

// hnsw is a graph over the vectors of another node, decoded where they are codes:
// IndexHNSWFlat, IndexHNSWSQ, IndexHNSWPQ and IndexBinaryHNSW. Bits are walked as numbers 0 and 1, whose
// squared distance is the number of bits that differ.
type hnsw struct {
	header
	graph    *index.HNSW
	storage  node
	efSearch int
	efBuild  int
}

// defaultEF are what FAISS searches and builds with.
const (
	defaultEFSearch = 16
	defaultEFBuild  = 40
	maxEF           = 1 << 24
)

// hnswLinks is the graph in a file.
type hnswLinks struct {
	widths    []int32 // links of a node up to a level, level after level
	levels    []int32 // of every node, from 1
	offsets   []int   // of a node's links, and the end
	neighbors []byte  // 32-bit numbers; −1 ends a level's
	entry     int
	efBuild   int
	efSearch  int
}

func (r *reader) hnsw() node {
	h := r.header()
	return r.graphOver(h, h.metric)
}

func (r *reader) binaryHNSW() node {
	return r.graphOver(r.binaryHeader(), index.L2)
}

// graphOver reads links and the node with the vectors.
func (r *reader) graphOver(h header, metric index.Metric) node {
	links := r.hnswLinks(h.n)
	storage := r.node()
	if r.err != nil {
		return failed{}
	}
	if storage.Len() != h.n || storage.Dimensions() != h.dimensions {
		r.fail("a graph of %d nodes over %d vectors", h.n, storage.Len())
		return failed{}
	}
	if int64(h.n)*int64(h.dimensions) > 64*int64(len(r.data)) {
		r.fail("%d vectors of %d dimensions are more than the file holds", h.n, h.dimensions)
		return failed{}
	}
	parts, err := links.parts()
	if err != nil {
		r.fail("%v", err)
		return failed{}
	}
	slab, err := slabOf(storage)
	if err == nil {
		var graph *index.HNSW
		graph, err = index.HNSWFromParts(metric, h.dimensions, slab, parts, index.HNSWOptions{EFConstruction: links.efBuild})
		if err == nil {
			return &hnsw{h, graph, storage, links.efSearch, links.efBuild}
		}
	}
	r.fail("%v", err)
	return failed{}
}

// slabOf returns the vectors of a node whose labels are rows.
func slabOf(x node) ([]float32, error) {
	if f, ok := x.(*flat); ok {
		return f.slab, nil
	}
	d := x.Dimensions()
	slab := make([]float32, x.Len()*d)
	err := x.each(func(row int, v []float32) {
		if row < x.Len() {
			copy(slab[row*d:(row+1)*d], v)
		}
	})
	return slab, err
}

func (r *reader) hnswLinks(n int) *hnswLinks {
	l := &hnswLinks{}
	r.take(8 * r.count("the shares of levels", 8))
	l.widths = r.ints("the links of levels", -1)
	l.levels = r.ints("the levels of nodes", n)
	if count := r.count("the places of links", 8); r.err == nil && count != n+1 {
		r.fail("%d places of links for %d nodes", count, n)
	}
	l.offsets = r.labels(n + 1)
	l.neighbors = r.take(4 * r.count("links", 4))
	l.entry = r.i32()
	r.i32() // the highest level: that of the entry
	l.efBuild, l.efSearch = r.i32(), r.i32()
	r.i32() // of a search that is no longer there
	if r.err == nil && (l.efBuild < 1 || l.efSearch < 1 || l.efBuild > maxEF || l.efSearch > maxEF) {
		r.fail("efConstruction is %d and efSearch %d", l.efBuild, l.efSearch)
	}
	return l
}

// parts turns a file's links into those of package index.
func (l *hnswLinks) parts() (p index.HNSWParts, err error) {
	p.Entry = l.entry
	for level := 1; level < len(l.widths); level++ {
		width := int(l.widths[level] - l.widths[level-1])
		if level == 1 {
			width = (width + 1) / 2
		}
		if width < 0 || l.widths[0] != 0 {
			return p, fmt.Errorf("level %d of a graph has %d links a node", level-1, width)
		}
		p.M = max(p.M, width)
	}
	p.M = max(p.M, 2)
	p.Links = make([][][]uint32, len(l.levels))
	for row, levels := range l.levels {
		if levels < 1 || int(levels) >= len(l.widths) {
			return p, fmt.Errorf("node %d lies on %d levels of %d", row, levels, len(l.widths)-1)
		}
		from, to := l.offsets[row], l.offsets[row+1]
		if to > len(l.neighbors)/4 || from > to || to-from != int(l.widths[levels]) {
			return p, fmt.Errorf("the links of node %d lie from %d to %d of %d", row, from, to, len(l.neighbors)/4)
		}
		for level := range levels {
			p.Links[row] = append(p.Links[row], l.read(from+int(l.widths[level]), from+int(l.widths[level+1])))
		}
	}
	return p, nil
}

// read returns the links in a range, up to the first that is missing.
func (l *hnswLinks) read(from, to int) (links []uint32) {
	for i := from; i < to; i++ {
		link := int32(binary.LittleEndian.Uint32(l.neighbors[4*i:]))
		if link < 0 {
			break
		}
		links = append(links, uint32(link))
	}
	return links
}

func (x *hnsw) write(w *writer) {
	switch s := x.storage.(type) {
	case *binaryFlat:
		w.fourcc("IBHf")
		w.binaryHeader(x.header)
	case *codes:
		if codecSpec(s.codec, false).Kind == ProductCodec {
			w.fourcc("IHNp")
		} else {
			w.fourcc("IHNs")
		}
		w.header(x.header)
	default:
		w.fourcc("IHNf")
		w.header(x.header)
	}
	x.writeLinks(w)
	x.storage.write(w)
}

func (x *hnsw) writeLinks(w *writer) {
	parts := x.graph.Parts()
	levels := 1
	for _, links := range parts.Links {
		levels = max(levels, len(links))
	}
	levels = max(levels, levelsWorthWhile(parts.M))
	w.u64(levels)
	for level := range levels {
		w.f64(levelShare(parts.M, level))
	}
	w.u64(levels + 1)
	w.i32(0)
	for level := range levels {
		w.i32((level + 2) * parts.M)
	}
	w.u64(len(parts.Links))
	for _, links := range parts.Links {
		w.i32(len(links))
	}
	w.u64(len(parts.Links) + 1)
	at := 0
	w.u64(at)
	for _, links := range parts.Links {
		at += (len(links) + 1) * parts.M
		w.u64(at)
	}
	w.u64(at)
	for _, links := range parts.Links {
		for level, list := range links {
			room := parts.M
			if level == 0 {
				room *= 2
			}
			for i := range room {
				if i < len(list) {
					w.i32(int(list[i]))
				} else {
					w.i32(-1)
				}
			}
		}
	}
	top := -1
	if len(parts.Links) > 0 {
		top = len(parts.Links[parts.Entry]) - 1
	} else {
		parts.Entry = -1
	}
	w.i32(parts.Entry)
	w.i32(top)
	w.i32(x.efBuild)
	w.i32(x.efSearch)
	w.i32(1)
}

// levelShare is the share of nodes whose highest level is this one: Malkov and Yashunin 2018,
// section 4.1, with their best factor 1/ln M.
func levelShare(m, level int) float64 {
	mult := 1 / math.Log(float64(m))
	return math.Exp(-float64(level)/mult) * (1 - math.Exp(-1/mult))
}

// levelsWorthWhile is how many levels have a share that is not negligible.
func levelsWorthWhile(m int) (levels int) {
	for levelShare(m, levels) >= 1e-9 {
		levels++
	}
	return levels
}

// Search walks with the file's efSearch, or EF.
func (x *hnsw) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	if p.EF == 0 {
		p.EF = x.efSearch
	}
	return x.graph.Search(x.asked(query), k, p)
}

// Range implements index.Index.
func (x *hnsw) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	return x.graph.Range(x.asked(query), threshold, p)
}

// asked makes ones and zeros of a query of bits.
func (x *hnsw) asked(query []float32) []float32 {
	if x.metric != index.Hamming {
		return query
	}
	v := make([]float32, len(query))
	unpackBits(packBits(query), v)
	return v
}

func (x *hnsw) each(show func(int, []float32)) error { return x.storage.each(show) }
func (x *hnsw) Bytes() int64                         { return x.graph.Bytes() + x.storage.Bytes() }

func (x *hnsw) describe() string {
	m := x.graph.Parts().M
	switch s := x.storage.(type) {
	case *binaryFlat:
		return fmt.Sprintf("BHNSW%d", m)
	case *codes:
		return fmt.Sprintf("HNSW%d,%s", m, s.describe())
	}
	return fmt.Sprintf("HNSW%d", m)
}
