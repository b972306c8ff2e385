package index

import (
	"math"
	"math/bits"
	"slices"
)

// members says which rows a node stands for, where some vectors are equal: a node
// has one vector. Without equal vectors it is empty, and node and row are the same
// number.
type members struct {
	starts []uint32 // of every node in rows, and the end
	rows   []uint32 // node after node, rising
	node   []uint32 // of every row
}

// invert fills node from the others.
func (m *members) invert() {
	m.node = make([]uint32, len(m.rows))
	for node := range max(0, len(m.starts)-1) {
		for _, row := range m.rows[m.starts[node]:m.starts[node+1]] {
			m.node[row] = uint32(node)
		}
	}
}

// of returns the rows of a node; one is room for its answer.
func (m *members) of(node uint32, one *[1]uint32) []uint32 {
	if m.starts == nil {
		one[0] = node
		return one[:]
	}
	return m.rows[m.starts[node]:m.starts[node+1]]
}

// admits reports whether a filter admits a row of a node.
func (m *members) admits(node uint32, f *Filter) bool {
	if f == nil || m.starts == nil {
		return f.Has(int(node))
	}
	for _, row := range m.rows[m.starts[node]:m.starts[node+1]] {
		if f.Has(int(row)) {
			return true
		}
	}
	return false
}

// nodes returns the filter of nodes that admits those of which a filter admits a row.
func (m *members) nodes(f *Filter) *Filter {
	if f == nil || m.starts == nil {
		return f
	}
	words := make([]uint64, (len(m.starts)+62)/64)
	for i, word := range f.below(len(m.rows)) {
		for ; word != 0; word &= word - 1 {
			node := m.node[i<<6+bits.TrailingZeros64(word)]
			words[node>>6] |= 1 << (node & 63)
		}
	}
	return NewFilter(words)
}

// distinct returns the vectors of a slab without repetitions, in order of their first row, and
// who stands for whom; the slab itself if all differ. Zero and minus zero are equal.
func distinct(dimensions int, slab []float32) ([]float32, members) {
	n := len(slab) / dimensions
	vector := func(row uint32) []float32 { return slab[int(row)*dimensions : (int(row)+1)*dimensions] }
	first := make(map[uint64][]uint32, n) // nodes' first rows by hash
	node := make([]uint32, n)             // of every row
	var leaders []uint32
	number := make(map[uint32]uint32) // of a first row that is not its own number
	for row := range uint32(n) {
		h := hashVector(vector(row))
		at := slices.IndexFunc(first[h], func(other uint32) bool { return slices.Equal(vector(other), vector(row)) })
		if at >= 0 {
			node[row] = number[first[h][at]]
			continue
		}
		first[h] = append(first[h], row)
		node[row] = uint32(len(leaders))
		number[row] = node[row]
		leaders = append(leaders, row)
	}
	if len(leaders) == n {
		return slab, members{}
	}
	m := members{starts: make([]uint32, len(leaders)+1), rows: make([]uint32, n), node: node}
	for _, x := range node {
		m.starts[x+1]++
	}
	for i := range leaders {
		m.starts[i+1] += m.starts[i]
	}
	next := slices.Clone(m.starts)
	for row, x := range node {
		m.rows[next[x]] = uint32(row)
		next[x]++
	}
	vectors := make([]float32, 0, len(leaders)*dimensions)
	for _, row := range leaders {
		vectors = append(vectors, vector(row)...)
	}
	return vectors, m
}

// hashVector mixes the bits of a vector's numbers.
func hashVector(v []float32) uint64 {
	h := uint64(14695981039346656037)
	for _, x := range v {
		h = (h ^ uint64(math.Float32bits(x+0))) * 1099511628211
		h ^= h >> 29
	}
	return h
}
