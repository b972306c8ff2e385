package index

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// lean is what a lean graph keeps of its nodes instead of rows: their links, and one
// code each, of four bits a dimension. A step reads the codes of the neighbours it has not
// met, wherever they lie: at 128 dimensions a node takes 200 bytes, not 1,024, so much of the
// graph stays in the processor's caches, and estimates are good enough to rank by. The
// vectors are read for the best few only.
//
// With c a code, its vector is estimated as v ≈ f·(c − 7.5) with the f that makes
// ⟨v, v⟩ right, as RaBitQ does with one bit (Gao and Long 2024, section 3.2), so that
// |q−v|² ≈ |q|² + |v|² − 2f·⟨q, c − 7.5⟩. The query is rounded to 8 bits.
type lean struct {
	degree  int
	links   []uint32 // degree a node, filled up with the node itself
	codes   []byte
	factors []float32 // |v|² and −2f of every node
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

// readLean takes a lean graph's sections out of a file.
func readLean(r *sectionReader, lay layout, nodes uint64) *lean {
	return &lean{
		degree:  lay.degree,
		links:   wordsOf(r.section("links", nodes, uint64(4*lay.degree))),
		codes:   r.section("codes", nodes, uint64(lay.width()/2)),
		factors: floatsOf(r.section("factors", nodes, 8)),
	}
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
	n, width := g.nodes, g.layout.width()
	linkBytes, codeBytes, factorBytes := 4*n*g.layout.degree, n*width/2, 8*n
	memory, err := kernel.NewSlab(kernel.SlabSize(int64(linkBytes)) + kernel.SlabSize(int64(codeBytes)) + kernel.SlabSize(int64(factorBytes)))
	if err != nil {
		return err
	}
	g.memory.Free()
	g.memory, g.rows, g.sweep, g.codes = memory, nil, nil, nodeCodes{}
	l := &lean{degree: g.layout.degree, links: wordsOf(memory.Take(linkBytes)), codes: memory.Take(codeBytes), factors: floatsOf(memory.Take(factorBytes))}
	b.each(n, func(from, to int) {
		e := nibbleEncoder{nibbles: make([]byte, width)}
		for node := from; node < to; node++ {
			links := l.linksOf(uint32(node))
			for i := copy(links, b.links[node]); i < len(links); i++ {
				links[i] = uint32(node)
			}
			l.factors[2*node], l.factors[2*node+1] = e.encode(b.vector(uint32(node)), l.codes[node*width/2:(node+1)*width/2])
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
