package index

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/kernel"
)

// The first graph: near neighbours from overlapping random partitions. In each
// round random nodes become leaders, every node joins its two nearest leaders, and
// within a group all are compared with all, as a product of matrices.

const (
	partitionRounds = 3
	groupSize       = 256  // nodes a leader, before each joins two
	groupMost       = 1024 // larger groups are cut
	nearKept        = 64   // neighbours kept of a node
)

// nearest holds the nearest neighbours found so far, of every node. Which of equal ones does not
// depend on the order in which they come.
type nearest struct {
	lists  []near          // nearKept a node, sorted
	counts []uint8         // used
	limits []atomic.Uint32 // bits of the distance that is still of interest
	locks  [256]sync.Mutex // a node's list and count: by number
}

func newNearest(nodes int) *nearest {
	n := &nearest{lists: make([]near, nodes*nearKept), counts: make([]uint8, nodes), limits: make([]atomic.Uint32, nodes)}
	for i := range n.limits {
		n.limits[i].Store(math.Float32bits(math.MaxFloat32))
	}
	return n
}

func (n *nearest) of(node uint32) []near {
	return n.lists[int(node)*nearKept:][:n.counts[node]]
}

func (n *nearest) limit(node uint32) float32 { return math.Float32frombits(n.limits[node].Load()) }

// merge adds what was found near a node.
func (n *nearest) merge(node uint32, found []near) {
	lock := &n.locks[node%uint32(len(n.locks))]
	lock.Lock()
	defer lock.Unlock()
	list := n.lists[int(node)*nearKept:][:nearKept]
	count := int(n.counts[node])
	for _, f := range found {
		if count == nearKept && !f.before(list[count-1]) {
			continue
		}
		at := count
		for at > 0 && f.before(list[at-1]) {
			at--
		}
		if known(list[:count], f.node) {
			continue
		}
		count = min(count+1, nearKept)
		copy(list[at+1:count], list[at:])
		list[at] = f
	}
	n.counts[node] = uint8(count)
	if count == nearKept {
		n.limits[node].Store(math.Float32bits(list[count-1].distance))
	}
}

func known(list []near, node uint32) bool {
	for _, l := range list {
		if l.node == node {
			return true
		}
	}
	return false
}

// partition makes the first graph.
func (b *graphBuilder) partition() [][]uint32 {
	n := b.graph.nodes
	found := newNearest(n)
	random := rand.New(rand.NewPCG(b.options.Seed, 2))
	for range partitionRounds {
		b.partitionRound(random, found)
	}
	links := b.emptyLinks()
	b.each(n, func(from, to int) {
		p := pruner{builder: b}
		for node := from; node < to; node++ {
			links[node] = p.prune(found.of(uint32(node)), links[node])
		}
	})
	return links
}

// emptyLinks returns a list for every node, with room for its links.
func (b *graphBuilder) emptyLinks() [][]uint32 {
	degree := b.options.Degree
	all := make([]uint32, b.graph.nodes*degree)
	links := make([][]uint32, b.graph.nodes)
	for node := range links {
		links[node] = all[node*degree : node*degree : (node+1)*degree]
	}
	return links
}

func (b *graphBuilder) partitionRound(random *rand.Rand, found *nearest) {
	groups := b.groups(random)
	b.pieces(len(groups), 1, func(from, to int) {
		for _, group := range groups[from:to] {
			b.compareAll(group, found)
		}
	})
}

// groups draws leaders and returns the nodes that join each.
func (b *graphBuilder) groups(random *rand.Rand) [][]uint32 {
	n, p := b.graph.nodes, b.graph.layout.padded
	leaders := make([]uint32, 0, n/groupSize+1)
	for _, i := range random.Perm(n)[:max(1, n/groupSize)] {
		leaders = append(leaders, uint32(i))
	}
	columns := make([]float32, len(leaders)*p)
	squares := make([]float32, len(leaders))
	for i, l := range leaders {
		copy(columns[i*p:], b.vector(l))
		squares[i] = kernel.Dot(b.vector(l), b.vector(l))
	}
	var panels kernel.Panels
	panels.PackColumns(columns, p, p, len(leaders))
	joined := make([][2]uint32, n)
	b.each(n, func(from, to int) {
		stride := panels.Count() * kernel.PanelWidth
		products := make([]float32, (to-from)*stride)
		panels.Multiply(products, stride, b.vectors[from*p:to*p], p, to-from, 0, panels.Count())
		for i := range to - from {
			joined[from+i] = twoNearest(squares, products[i*stride:])
		}
	})
	return assemble(joined, len(leaders), random)
}

// twoNearest returns the two leaders with the least |l|² − 2⟨v, l⟩; twice the same
// if there is one only.
func twoNearest(squares, products []float32) [2]uint32 {
	first, second := float32(math.Inf(1)), float32(math.Inf(1))
	var at [2]uint32
	for i, s := range squares {
		d := s - 2*products[i]
		if d < first {
			first, second, at = d, first, [2]uint32{uint32(i), at[0]}
		} else if d < second {
			second, at[1] = d, uint32(i)
		}
	}
	if len(squares) == 1 {
		at[1] = at[0]
	}
	return at
}

// assemble gathers the groups, shuffles those that are too large and cuts them.
func assemble(joined [][2]uint32, leaders int, random *rand.Rand) (groups [][]uint32) {
	members := make([][]uint32, leaders)
	for node, at := range joined {
		members[at[0]] = append(members[at[0]], uint32(node))
		if at[1] != at[0] {
			members[at[1]] = append(members[at[1]], uint32(node))
		}
	}
	for _, group := range members {
		if len(group) > groupMost {
			random.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
		}
		for len(group) > 0 {
			size := min(len(group), groupMost)
			groups = append(groups, group[:size])
			group = group[size:]
		}
	}
	return groups
}

// compareAll finds the nearest neighbours within a group. Vectors are taken
// relative to a member, so that the norms that cancel are small.
func (b *graphBuilder) compareAll(group []uint32, found *nearest) {
	p, n := b.graph.layout.padded, len(group)
	local := make([]float32, n*p)
	squares := make([]float32, n)
	for i, node := range group {
		v := local[i*p : (i+1)*p]
		copy(v, b.vector(node))
		kernel.Axpy(-1, b.vector(group[0]), v)
		squares[i] = kernel.Dot(v, v)
	}
	var panels kernel.Panels
	panels.PackColumns(local, p, p, n)
	stride := panels.Count() * kernel.PanelWidth
	const rows = 64
	products := make([]float32, rows*stride)
	var close []near
	for first := 0; first < n; first += rows {
		count := min(rows, n-first)
		panels.Multiply(products, stride, local[first*p:(first+count)*p], p, count, 0, panels.Count())
		for i := range count {
			node := group[first+i]
			close = closest(close[:0], group, first+i, squares, products[i*stride:], found.limit(node))
			found.merge(node, close)
		}
	}
}

// closest returns those of a group that are not farther from its i-th member than
// a limit, at most nearKept of them, sorted.
func closest(list []near, group []uint32, i int, squares, products []float32, limit float32) []near {
	own := squares[i]
	for j, s := range squares {
		d := own + s - 2*products[j]
		if d > limit || j == i {
			continue
		}
		f := near{max(d, 0), group[j]}
		at := len(list)
		for at > 0 && f.before(list[at-1]) {
			at--
		}
		if len(list) < nearKept {
			list = append(list, near{})
		} else if at == nearKept {
			continue
		}
		copy(list[at+1:], list[at:])
		list[at] = f
		if len(list) == nearKept {
			limit = min(limit, list[nearKept-1].distance)
		}
	}
	return list
}
