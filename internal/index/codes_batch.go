package index

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// SearchBatch is Search for queries that lie one after another. Codes are decoded once for
// all of them and compared as a product of matrices; the best are scored again one by one, so that
// scores are those of Search.
func (c *Codes) SearchBatch(queries []float32, k int, p Params) [][]Hit {
	d := c.Dimensions()
	if len(queries)%d != 0 {
		panic(fmt.Sprintf("index: %d numbers are not queries of %d dimensions", len(queries), d))
	}
	found := make([][]Hit, len(queries)/d)
	if p.Filter != nil || p.Exact || len(found) < smallBatch || c.scansBlocks() {
		parallel(runtime.GOMAXPROCS(0), len(found), 1, func(from, to int) {
			for i := from; i < to; i++ {
				found[i], _ = c.Search(queries[i*d:(i+1)*d], k, p)
			}
		})
		return found
	}
	b := c.newBatch(queries, min(k, c.Len()), p)
	b.scan()
	parallel(runtime.GOMAXPROCS(0), len(found), 1, func(from, to int) {
		for i := from; i < to; i++ {
			found[i] = b.finish(i, queries[i*d:(i+1)*d])
		}
	})
	return found
}

// scansBlocks reports whether codes are looked up in registers, which is faster than decoding.
func (c *Codes) scansBlocks() bool {
	product, ok := c.codec.(*quant.Product)
	return ok && product.Bits() == 4
}

// codesBatch is a search for many queries.
type codesBatch struct {
	codes    *Codes
	k, width int
	queries  []float32 // placed
	squares  []float32 // |q|² under L2
	panels   kernel.Panels
	best     []*topK
	locks    []sync.Mutex
}

// batchSlack is how many more rows than wanted a batch finds: products of matrices are rounded
// in another way than scores.
const batchSlack = 6

func (c *Codes) newBatch(queries []float32, k int, p Params) *codesBatch {
	d := c.Dimensions()
	b := &codesBatch{codes: c, k: k, width: c.width(k, p)}
	for at := 0; at < len(queries); at += d {
		q := c.placed(queries[at : at+d])
		b.queries = append(b.queries, q...)
		b.squares = append(b.squares, kernel.Dot(q, q))
		b.best = append(b.best, newTopK(b.width+batchSlack))
	}
	b.locks = make([]sync.Mutex, len(b.best))
	b.panels.PackColumns(b.queries, d, d, len(b.best))
	return b
}

// scan shows every row to every query.
func (b *codesBatch) scan() {
	c, d := b.codes, b.codes.Dimensions()
	tiles := (c.Len() + tileRows - 1) / tileRows
	parallel(runtime.GOMAXPROCS(0), tiles, max(1, tiles/(4*runtime.GOMAXPROCS(0))), func(from, to int) {
		vectors, squares := make([]float32, tileRows*d), make([]float32, tileRows)
		stride := b.panels.Count() * kernel.PanelWidth
		products, size := make([]float32, tileRows*stride), c.codec.CodeSize()
		for start := from * tileRows; start < min(to*tileRows, c.Len()); start += tileRows {
			n := min(tileRows, c.Len()-start)
			for i := range n {
				v := vectors[i*d : (i+1)*d]
				c.codec.Decode(c.codes[(start+i)*size:(start+i+1)*size], v)
				squares[i] = kernel.Dot(v, v)
			}
			b.panels.Multiply(products, stride, vectors[:n*d], d, n, 0, b.panels.Count())
			b.show(start, n, stride, products, squares)
		}
	})
}

// show turns products of n rows and all queries into scores.
func (b *codesBatch) show(start, n, stride int, products, squares []float32) {
	var scores [tileRows]float32
	for q, best := range b.best {
		for i := range n {
			scores[i] = products[i*stride+q]
		}
		if b.codes.metric == L2 {
			for i := range n {
				scores[i] = 2*scores[i] - b.squares[q] - squares[i]
			}
		}
		b.locks[q].Lock()
		best.addAll(start, scores[:n])
		b.locks[q].Unlock()
	}
}

// finish scores what was found for a query as Search does.
func (b *codesBatch) finish(i int, query []float32) []Hit {
	c, d := b.codes, b.codes.Dimensions()
	scorer, size, best := c.codec.Scorer(b.queries[i*d:(i+1)*d], c.similarity()), c.codec.CodeSize(), newTopK(b.width)
	var score [1]float32
	for _, h := range b.best[i].sorted() {
		scorer.Score(c.codes[h.Row*size:(h.Row+1)*size], score[:])
		best.add(h.Row, score[0])
	}
	if b.width == b.k {
		return best.sorted()
	}
	return c.rescore(query, best.sorted(), b.k)
}
