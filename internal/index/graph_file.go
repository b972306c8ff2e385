package index

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

const (
	graphMagic      = "RAGGRAF\n"
	leanMagic       = "RAGLEAN\n"
	graphVersion    = 1
	leanVersion     = 2 // with rows; of links it is 1
	graphHeaderSize = 128
)

// WriteTo writes the graph; docs/formats/graph.md has the layout.
func (g *Graph) WriteTo(w io.Writer) (int64, error) {
	h := make([]byte, graphHeaderSize)
	le := binary.LittleEndian
	copy(h, graphMagic)
	version := uint32(graphVersion)
	if g.lean != nil {
		copy(h, leanMagic)
		version = g.lean.version()
	}
	le.PutUint32(h[8:], version)
	le.PutUint32(h[12:], uint32(g.space.metric))
	le.PutUint32(h[16:], uint32(g.space.dimensions))
	le.PutUint32(h[20:], uint32(g.layout.padded))
	le.PutUint32(h[24:], uint32(g.layout.degree))
	if g.space.augmented {
		le.PutUint32(h[28:], 1)
	}
	le.PutUint64(h[32:], uint64(g.nodes))
	le.PutUint64(h[40:], uint64(len(g.entries)/g.layout.blockSize()))
	le.PutUint64(h[48:], g.space.rotation.Seed())
	le.PutUint64(h[56:], math.Float64bits(g.space.radius))
	le.PutUint32(h[64:], math.Float32bits(g.space.scale))
	le.PutUint32(h[68:], uint32(g.layout.coded))
	le.PutUint64(h[72:], uint64(g.Len()))
	f := &fileWriter{w: w}
	f.section(h)
	f.section(floatBytes(g.space.centre))
	if l := g.lean; l != nil {
		f.section(wordBytes(l.links))
		f.section(g.rows)
		f.section(l.codes)
		f.section(floatBytes(l.factors))
	} else {
		f.section(g.rows)
		f.section(g.sweep)
	}
	f.section(g.entries)
	f.section(wordBytes(g.members.starts))
	f.section(wordBytes(g.members.rows))
	return f.finish()
}

// OpenGraph reads a graph that WriteTo wrote, in place: data must neither change
// nor go away while the graph is used, and begin at a multiple of 8 in memory, of 64
// for full speed. All of it is checked.
func OpenGraph(data []byte) (*Graph, error) {
	magic, version, isLean := graphMagic, uint32(graphVersion), bytes.HasPrefix(data, []byte(leanMagic))
	if isLean {
		magic = leanMagic
		if bytes.HasPrefix(data[len(magic):], []byte{leanVersion}) {
			version = leanVersion
		}
	}
	h, r, err := openSections("a graph", magic, version, graphHeaderSize, data)
	if err != nil {
		return nil, err
	}
	g := &Graph{space: readSpace(h, r)}
	if r.err != nil {
		return nil, r.err
	}
	le := binary.LittleEndian
	nodes, entryBlocks := le.Uint64(h[32:]), le.Uint64(h[40:])
	if nodes > math.MaxInt32 {
		r.fail("it says it has %d vectors", nodes)
		return nil, r.err
	}
	g.layout = layout{padded: g.space.padded(), degree: int(le.Uint32(h[24:]))}
	if g.layout.degree == 0 || g.layout.degree%kernel.BlockVectors != 0 || g.layout.degree > maxDegree {
		r.fail("its degree is %d", g.layout.degree)
	}
	g.nodes = int(nodes)
	if version == leanVersion {
		g.layout.coded, g.layout.bare = int(le.Uint32(h[68:])), true
		if c := g.layout.coded; c == 0 || c%kernel.BlockVectors != 0 || c > g.layout.padded {
			r.fail("its links have codes of %d dimensions of %d", c, g.layout.padded)
			return nil, r.err
		}
		g.rows = r.section("rows", nodes, uint64(g.layout.rowSize()))
	}
	if isLean {
		g.lean = readLean(r, g.layout, nodes)
	} else {
		g.rows = r.section("rows", nodes, uint64(g.layout.rowSize()))
		g.sweep = r.section("sweep", uint64(blocks(g.nodes)), uint64(g.layout.sweepSize()))
	}
	g.entries = r.section("entries", entryBlocks, uint64(g.layout.blockSize()))
	if rows := le.Uint64(h[72:]); rows != nodes {
		g.members.starts = wordsOf(r.section("starts", nodes+1, 4))
		g.members.rows = wordsOf(r.section("members", rows, 4))
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	g.checkNodes(r)
	g.checkMembers(r)
	if r.err != nil {
		return nil, r.err
	}
	g.members.invert()
	if g.lean == nil {
		g.codes = newNodeCodes(g.layout, g.sweep, g.nodes)
	}
	return g, nil
}

// readSpace reads what the header and the first section say of a graph's space.
func readSpace(h []byte, r *sectionReader) *space {
	le := binary.LittleEndian
	s := &space{
		metric:     Metric(min(le.Uint32(h[12:]), math.MaxUint8)),
		dimensions: int(le.Uint32(h[16:])),
		augmented:  le.Uint32(h[28:]) == 1,
		radius:     math.Float64frombits(le.Uint64(h[56:])),
		scale:      math.Float32frombits(le.Uint32(h[64:])),
	}
	if s.metric != Cosine && s.metric != Dot && s.metric != L2 || s.augmented && s.metric == L2 {
		r.fail("its metric is %v", s.metric)
	}
	if s.dimensions < 1 || s.dimensions > maxWidth {
		r.fail("its vectors have %d dimensions", s.dimensions)
	}
	if !finite(s.radius) || s.radius < 0 || !finite(float64(s.scale)) || s.scale <= 0 {
		r.fail("its radius is %v, its scale %v", s.radius, s.scale)
	}
	if r.err != nil {
		return s
	}
	if padded := quant.PaddedDimensions(s.width()); int(le.Uint32(h[20:])) != padded {
		r.fail("rows have %d dimensions, and vectors of %d want %d", le.Uint32(h[20:]), s.width(), padded)
	}
	s.centre = floatsOf(r.section("centre", uint64(s.width()), 4))
	if CheckFinite(s.centre) != nil {
		r.fail("its centre is not finite")
	}
	if r.err == nil {
		s.rotation = quant.NewRotation(s.width(), le.Uint64(h[48:]))
	}
	return s
}

// checkMembers checks that every row belongs to one node.
func (g *Graph) checkMembers(r *sectionReader) {
	m := g.members
	if m.starts == nil {
		return
	}
	seen := make([]bool, len(m.rows))
	for i, start := range m.starts {
		first, last := i == 0, i == len(m.starts)-1
		if first && start != 0 || last && int(start) != len(m.rows) || !first && start <= m.starts[i-1] {
			r.fail("the rows of node %d begin at %d of %d", i, start, len(m.rows))
			return
		}
	}
	for _, row := range m.rows {
		if int(row) >= len(seen) || seen[row] {
			r.fail("row %d of %d belongs to no node or to two", row, len(seen))
			return
		}
		seen[row] = true
	}
}

// checkNodes checks that every link and entry leads to a node.
func (g *Graph) checkNodes(r *sectionReader) {
	check := func(blocks []byte) bool {
		for ; len(blocks) > 0; blocks = blocks[g.layout.blockSize():] {
			for _, node := range blockNodes(blocks[:g.layout.blockSize()]) {
				if int64(node) >= int64(max(g.nodes, 1)) {
					r.fail("a link leads to node %d of %d", node, g.nodes)
					return false
				}
			}
		}
		return true
	}
	if g.nodes == 0 && len(g.entries) > 0 {
		r.fail("it has entries and no nodes")
	}
	if g.lean != nil {
		g.lean.check(g.nodes, r)
	}
	for node := range len(g.rows) / g.layout.rowSize() {
		if !check(g.row(uint32(node))[g.layout.vectorSize():]) {
			return
		}
	}
	check(g.entries)
}
