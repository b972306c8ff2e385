package index

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ragstone/ragstone/internal/kernel"
)

// GraphOptions steer the building of a graph. The zero value is good for most data.
type GraphOptions struct {
	// Degree is the number of links of a node, a multiple of 32; 0 means 32. 64
	// pays at recall above 0.99 in high dimensions.
	Degree int
	// EFConstruction is the number of candidates kept while links are chosen; 0
	// means 200.
	EFConstruction int
	// Threads is the number of goroutines that build; 0 means GOMAXPROCS. The
	// graph does not depend on it.
	Threads int
	// Seed chooses rotation, partitions and entries.
	Seed uint64
	// Lean keeps four bits a dimension of every node instead of its vector, and its links or, from 512
	// dimensions on, shorter codes of its neighbours: a fifth of the memory at 128 dimensions, half at 768. A
	// search compares the best few with the vectors, so attach them; without, scores are estimates.
	Lean bool
}

func (o GraphOptions) withDefaults() GraphOptions {
	if o.Degree == 0 {
		o.Degree = 32
	}
	if o.EFConstruction == 0 {
		o.EFConstruction = 200
	}
	o.Threads = threads(o.Threads)
	return o
}

func (o GraphOptions) validate() error {
	if o.Degree < kernel.BlockVectors || o.Degree%kernel.BlockVectors != 0 || o.Degree > maxDegree {
		return fmt.Errorf("a degree of %d; want a multiple of %d up to %d", o.Degree, kernel.BlockVectors, maxDegree)
	}
	if o.EFConstruction < 1 {
		return fmt.Errorf("EFConstruction is %d; want at least 1", o.EFConstruction)
	}
	return nil
}

const maxDegree = 256

// BuildGraph builds a graph of the vectors in slab, which is only read while it
// runs. The metric is Cosine, Dot or L2. Close the graph.
//
// The links come from a first graph of near neighbours (see partition), then from
// searching that graph for every node (see refine), each time pruned (see
// pruner).
func BuildGraph(metric Metric, dimensions int, slab []float32, options GraphOptions) (*Graph, error) {
	return BuildGraphContext(context.Background(), metric, dimensions, slab, options)
}

// BuildGraphContext is BuildGraph that gives up soon after ctx ends, with its error.
func BuildGraphContext(ctx context.Context, metric Metric, dimensions int, slab []float32, options GraphOptions) (*Graph, error) {
	o := options.withDefaults()
	if metric != Cosine && metric != Dot && metric != L2 {
		return nil, fmt.Errorf("build a graph: metric %v has no graph; use HNSW or Flat", metric)
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("build a graph: %w", err)
	}
	if err := checkSlab(dimensions, slab); err != nil {
		return nil, fmt.Errorf("build a graph: %w", err)
	}
	slab, same := distinct(dimensions, slab)
	b := &graphBuilder{ctx: ctx, options: o, graph: &Graph{space: newSpace(metric, dimensions, slab, o.Seed), nodes: len(slab) / dimensions, members: same}}
	b.graph.layout = layout{padded: b.graph.space.padded(), degree: o.Degree}
	vectors, err := kernel.NewSlab(4 * int64(b.graph.nodes) * int64(b.graph.layout.padded))
	if err != nil {
		return nil, fmt.Errorf("build a graph: %w", err)
	}
	defer vectors.Free()
	if err := b.allocate(); err != nil {
		return nil, fmt.Errorf("build a graph: %w", err)
	}
	b.place(slab, vectors)
	b.link()
	if err := ctx.Err(); err != nil {
		b.graph.Close()
		return nil, fmt.Errorf("build a graph: %w", err)
	}
	if o.Lean {
		if err := b.slim(); err != nil {
			b.graph.Close()
			return nil, fmt.Errorf("build a graph: %w", err)
		}
	}
	return b.graph, nil
}

// graphBuilder holds what only building needs.
type graphBuilder struct {
	ctx     context.Context
	options GraphOptions
	graph   *Graph
	vectors []float32  // in the graph's space
	links   [][]uint32 // of every node; at most Degree
	entered []uint32   // nodes where a search may begin
}

// allocate makes room for rows and sweep; entries come last, when it is known how
// many there are.
func (b *graphBuilder) allocate() error {
	g := b.graph
	rows, sweep := g.nodes*g.layout.rowSize(), blocks(g.nodes)*g.layout.sweepSize()
	memory, err := kernel.NewSlab(kernel.SlabSize(int64(rows)) + kernel.SlabSize(int64(sweep)))
	if err != nil {
		return err
	}
	g.memory, g.rows, g.sweep = memory, memory.Take(rows), memory.Take(sweep)
	return nil
}

// place maps the slab into the graph's space.
func (b *graphBuilder) place(slab []float32, memory *kernel.Slab) {
	g, d, n := b.graph, b.graph.space.dimensions, b.graph.nodes
	if n == 0 {
		return
	}
	raw := memory.Take(4 * n * g.layout.padded)
	b.vectors = unsafe.Slice((*float32)(unsafe.Pointer(&raw[0])), n*g.layout.padded)
	var largest atomicMax
	b.each(n, func(from, to int) {
		for row := from; row < to; row++ {
			v := b.vector(uint32(row))
			g.space.place(slab[row*d:(row+1)*d], v)
			largest.raise(norm(v))
		}
	})
	g.space.reach(largest.value())
	b.each(n, func(from, to int) {
		for row := from; row < to; row++ {
			g.space.settle(b.vector(uint32(row)))
		}
	})
}

func (b *graphBuilder) vector(node uint32) []float32 {
	p := b.graph.layout.padded
	return b.vectors[int(node)*p : (int(node)+1)*p]
}

func (b *graphBuilder) distance(x, y uint32) float32 { return kernel.L2(b.vector(x), b.vector(y)) }

// atomicMax is the largest of non-negative numbers.
type atomicMax struct{ bits atomic.Uint64 }

func (m *atomicMax) raise(v float64) {
	for {
		old := m.bits.Load()
		if math.Float64frombits(old) >= v || m.bits.CompareAndSwap(old, math.Float64bits(v)) {
			return
		}
	}
}

func (m *atomicMax) value() float64 { return math.Float64frombits(m.bits.Load()) }

// each splits 0 … n-1 into pieces that goroutines work on.
func (b *graphBuilder) each(n int, work func(from, to int)) { b.pieces(n, 64, work) }

// pieces is each with pieces of another size. Those that begin after the context ended are
// left out.
func (b *graphBuilder) pieces(n, piece int, work func(from, to int)) {
	parallel(b.options.Threads, n, piece, func(from, to int) {
		if b.ctx.Err() == nil {
			work(from, to)
		}
	})
}

// parallel calls work for pieces of 0 … n-1 on so many goroutines, one of them
// the caller's.
func parallel(threads, n, piece int, work func(from, to int)) {
	var next atomic.Int64
	run := func() {
		for {
			from := int(next.Add(int64(piece))) - piece
			if from >= n {
				return
			}
			work(from, min(from+piece, n))
		}
	}
	var wait sync.WaitGroup
	for range min(threads, (n+piece-1)/piece) - 1 {
		wait.Go(run)
	}
	run()
	wait.Wait()
}

// link makes the graph.
func (b *graphBuilder) link() {
	g := b.graph
	if g.nodes == 0 {
		return
	}
	b.links = b.partition()
	b.pack()
	b.entered = b.sample()
	g.entries = b.entryBlocks(b.entered)
	if b.ctx.Err() != nil {
		return // the graph is not complete
	}
	b.refine()
	b.pack()
	if b.ctx.Err() != nil {
		return
	}
	b.entered = append(b.entered, b.unreachable()...)
	g.entries = b.entryBlocks(b.entered)
	b.packSweep()
	g.codes = newNodeCodes(g.layout, g.sweep, g.nodes)
}

// pack writes all rows.
func (b *graphBuilder) pack() {
	g := b.graph
	b.each(g.nodes, func(from, to int) {
		w := newRowWriter(g.layout, b.vectors)
		for node := from; node < to; node++ {
			w.row(g.row(uint32(node)), uint32(node), b.links[node])
		}
	})
}

// packSweep writes the codes of all nodes as seen from the centre.
func (b *graphBuilder) packSweep() {
	g := b.graph
	size, centre := g.layout.sweepSize(), make([]float32, g.layout.padded)
	b.each(blocks(g.nodes), func(from, to int) {
		w := newRowWriter(g.layout, b.vectors)
		for i := from; i < to; i++ {
			var nodes []uint32
			for node := i * kernel.BlockVectors; node < min((i+1)*kernel.BlockVectors, g.nodes); node++ {
				nodes = append(nodes, uint32(node))
			}
			w.codes(g.sweep[i*size:(i+1)*size], centre, nodes)
		}
	})
}

// sampledEntries is the number of nodes whose codes a search scans for a place to
// begin.
const sampledEntries = 256

// sample draws entries.
func (b *graphBuilder) sample() []uint32 {
	random := rand.New(rand.NewPCG(b.options.Seed, 3))
	n := b.graph.nodes
	if n <= sampledEntries {
		all := make([]uint32, n)
		for i := range all {
			all[i] = uint32(i)
		}
		return all
	}
	sampled := make([]uint32, 0, sampledEntries)
	for known := map[uint32]bool{}; len(sampled) < sampledEntries; {
		if node := random.Uint32N(uint32(n)); !known[node] {
			known[node] = true
			sampled = append(sampled, node)
		}
	}
	return sampled
}

func (b *graphBuilder) entryBlocks(nodes []uint32) []byte {
	g := b.graph
	size := g.layout.blockSize()
	entries := alignedBytes(blocks(len(nodes)) * size)
	w, centre := newRowWriter(g.layout, b.vectors), make([]float32, g.layout.padded)
	for i := range blocks(len(nodes)) {
		last := min((i+1)*kernel.BlockVectors, len(nodes))
		w.entry(entries[i*size:(i+1)*size], centre, nodes[i*kernel.BlockVectors:last])
	}
	return entries
}

// alignedBytes returns n zeros that begin at a cache line.
func alignedBytes(n int) []byte {
	const line = 64
	b := make([]byte, n+line)
	skip := int(-uintptr(unsafe.Pointer(&b[0])) & (line - 1))
	return b[skip : skip+n : skip+n]
}
