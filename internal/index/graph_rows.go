package index

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// rowWriter fills rows and blocks from vectors in the graph's space. It serves
// one goroutine.
//
// Let c be the node, v = c + r a neighbour and q the query. Then |q−v|² =
// |q−c|² + |r|² − 2⟨r, q−c⟩, and with s the signs of r, ⟨r, q−c⟩ is about
// |r|²/Σ|rᵢ| · ⟨s, q−c⟩ (RaBitQ, section 3.2: unbiased under a random
// rotation). So the estimate is |q−c|² + a + b·⟨s, q⟩ with the factors
//
//	b = −2|r|² / Σ|rᵢ|
//	a = |r|² − b·⟨s, c⟩
//
// Where codes have some of the dimensions only (layout.coded), s is zero in the others: still
// unbiased, with a larger error.
type rowWriter struct {
	layout  layout
	vectors []float32 // all nodes', padded dimensions each
	signs   []uint16
}

func newRowWriter(l layout, vectors []float32) *rowWriter {
	return &rowWriter{l, vectors, make([]uint16, l.signs()/16)}
}

func (w *rowWriter) vector(node uint32) []float32 {
	return w.vectors[int(node)*w.layout.padded : (int(node)+1)*w.layout.padded]
}

// row writes a node's row.
func (w *rowWriter) row(row []byte, node uint32, links []uint32) {
	l := w.layout
	v := w.vector(node)
	if !l.bare {
		kernel.PutHalves(halves(row[:l.vectorSize()]), v)
	}
	for at := l.vectorSize(); at < len(row); at += l.blockSize() {
		block := row[at : at+l.blockSize()]
		count := min(len(links), kernel.BlockVectors)
		nodes := blockNodes(block)
		clear(nodes[:])
		copy(nodes[:], links[:count])
		w.codes(block, v, links[:count])
		links = links[count:]
	}
}

// codes writes the codes and factors of up to 32 nodes as seen from a centre.
// Places without a node get a = +∞, which no search takes.
func (w *rowWriter) codes(block []byte, centre []float32, nodes []uint32) {
	codes := block[:w.layout.codesSize()]
	factors := halves(block[len(codes) : len(codes)+factorsSize])
	clear(codes)
	for i := range kernel.BlockVectors {
		a, b := float32(math.Inf(1)), float32(0)
		if i < len(nodes) {
			sums := w.residual(w.vector(nodes[i]), centre)
			kernel.PutSigns(codes, i, w.signs)
			if sums.Absolute > 0 {
				b = -2 * sums.Square / sums.Absolute
			}
			const most = 65504 // the largest half
			a = max(-most, min(most, sums.Square-b*sums.Centre))
		}
		factors[i], factors[kernel.BlockVectors+i] = kernel.ToFloat16(a), kernel.ToFloat16(b)
	}
}

// residual looks at the residual of a vector and a centre: at its signs in the dimensions that codes
// have, and at its square in all.
func (w *rowWriter) residual(v, centre []float32) kernel.SignSums {
	n := w.layout.signs()
	sums := kernel.Signs(v[:n], centre[:n], w.signs)
	if n < len(v) {
		sums.Square += kernel.L2(v[n:], centre[n:])
	}
	return sums
}

// entry writes a block of nodes where a search may begin.
func (w *rowWriter) entry(block []byte, centre []float32, nodes []uint32) {
	clear(blockNodes(block)[:])
	copy(blockNodes(block)[:], nodes)
	w.codes(block, centre, nodes)
}
