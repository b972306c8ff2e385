package index

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// lean is what a lean graph keeps of its nodes instead of vectors: one code each, of four
// bits a dimension. The vectors are read for the best few only.
//
// Below leanRows dimensions a node has its links besides, and a step reads the codes of the neighbours it
// has not met, wherever they lie: at 128 dimensions a node takes 200 bytes, not 1,024, so much of the
// graph stays in the processor's caches, and estimates are good enough to rank by.
//
// From there on codes are long, and reading those of all neighbours takes most of the time. A node then has a
// row as in a graph that is not lean, without the vector and with signs of the first dimensions only, as
// many as leave the row and the code of 768 dimensions 2,440 bytes of 4,992. A step reads the row and the node's own code.
//
// With c a code, its vector is estimated as v ≈ f·(c − 7.5) with the f that makes
// ⟨v, v⟩ right, as RaBitQ does with one bit (Gao and Long 2024, section 3.2), so that
// |q−v|² ≈ |q|² + |v|² − 2f·⟨q, c − 7.5⟩. The query is rounded to 8 bits.
type lean struct {
	degree  int      // of links
	links   []uint32 // degree a node, filled up with the node itself; none if there are rows
	size    int      // of a code
	codes   []byte
	factors []float32 // |v|² and −2f of every node
}

// leanRows is the number of dimensions from which a lean graph has rows.
const leanRows = 512

// slimmed returns the layout of a lean graph's blocks.
func (l layout) slimmed() layout {
	if l.padded >= leanRows {
		l.coded, l.bare = l.padded*7/12/kernel.BlockVectors*kernel.BlockVectors, true
	}
	return l
}

// version returns that of the file.
func (l *lean) version() uint32 {
	if l.links == nil {
		return leanVersion
	}
	return graphVersion
}

// width returns the dimensions of a code.
func (l layout) width() int {
	return (l.padded + kernel.NibbleLine - 1) / kernel.NibbleLine * kernel.NibbleLine
}

func (l *lean) bytes() int64 {
	return 4*int64(len(l.links)) + int64(len(l.codes)) + 4*int64(len(l.factors))
}

func (l *lean) linksOf(node uint32) []uint32 {
	return l.links[int(node)*l.degree : (int(node)+1)*l.degree]
}

func (l *lean) code(node uint32) []byte { return l.codes[int(node)*l.size : (int(node)+1)*l.size] }

// readLean takes a lean graph's sections out of a file, but for its rows.
func readLean(r *sectionReader, lay layout, nodes uint64) *lean {
	l := &lean{size: lay.width() / 2}
	if !lay.bare {
		l.degree = lay.degree
		l.links = wordsOf(r.section("links", nodes, uint64(4*lay.degree)))
	}
	l.codes = r.section("codes", nodes, uint64(l.size))
	l.factors = floatsOf(r.section("factors", nodes, 8))
	return l
}

// check checks that every link leads to a node and every factor is a number.
func (l *lean) check(nodes int, r *sectionReader) {
	for _, node := range l.links {
		if int64(node) >= int64(nodes) {
			r.fail("a link leads to node %d of %d", node, nodes)
			return
		}
	}
	if err := CheckFinite(l.factors); err != nil {
		r.fail("a factor of a code: %v", err)
	}
}

// slim replaces rows and sweep by what a lean graph keeps.
func (b *graphBuilder) slim() error {
	g := b.graph
	before := g.memory
	g.rows, g.sweep, g.codes, g.layout = nil, nil, nodeCodes{}, g.layout.slimmed()
	l := &lean{size: g.layout.width() / 2}
	rowBytes, linkBytes, codeBytes, factorBytes := 0, 4*g.nodes*g.layout.degree, g.nodes*l.size, 8*g.nodes
	if g.layout.bare {
		rowBytes, linkBytes = g.nodes*g.layout.rowSize(), 0
	}
	memory, err := kernel.NewSlab(kernel.SlabSize(int64(rowBytes)) + kernel.SlabSize(int64(linkBytes)) + kernel.SlabSize(int64(codeBytes)) + kernel.SlabSize(int64(factorBytes)))
	if err != nil {
		return err
	}
	before.Free()
	g.memory, l.codes, l.factors = memory, memory.Take(codeBytes), floatsOf(memory.Take(factorBytes))
	if g.layout.bare {
		g.rows = memory.Take(rowBytes)
		b.pack()
		g.entries = b.entryBlocks(b.entered)
	} else {
		l.degree, l.links = g.layout.degree, wordsOf(memory.Take(linkBytes))
	}
	b.each(g.nodes, func(from, to int) {
		e := nibbleEncoder{nibbles: make([]byte, g.layout.width())}
		for node := uint32(from); node < uint32(to); node++ {
			if !g.layout.bare {
				links := l.linksOf(node)
				for i := copy(links, b.links[node]); i < len(links); i++ {
					links[i] = node
				}
			}
			l.factors[2*node], l.factors[2*node+1] = e.encode(b.vector(node), l.code(node))
		}
	})
	g.lean = l
	return nil
}

// nibbleEncoder makes codes of four bits. It serves one goroutine.
type nibbleEncoder struct{ nibbles []byte }

// encode writes the code of a vector and returns its factors. Of a few step sizes it takes
// the one whose code has the smallest angle to the vector.
func (e *nibbleEncoder) encode(v []float32, code []byte) (square, factor float32) {
	largest := float32(0)
	for _, x := range v {
		largest = max(largest, x, -x)
	}
	square = kernel.Dot(v, v)
	if largest == 0 {
		clear(code)
		return square, 0
	}
	best := -1.0
	for _, share := range [...]float32{1, 0.9, 0.8, 0.7} {
		inverse := 7.5 / (largest * share)
		product, norm := 0.0, 0.0
		for _, x := range v {
			c := float64(nibble(x*inverse)) - 7.5
			product += float64(x) * c
			norm += c * c
		}
		if cosine := product / math.Sqrt(norm); cosine > best {
			best = cosine
			factor = float32(-2 * float64(square) / product)
			for i, x := range v {
				e.nibbles[i] = nibble(x * inverse)
			}
		}
	}
	kernel.PutNibbles(code, e.nibbles)
	return square, factor
}

// nibble rounds to one of the sixteen numbers −7.5, −6.5 … 7.5 and returns its place.
func nibble(x float32) byte { return byte(max(0, min(15, int(x+8)))) }
