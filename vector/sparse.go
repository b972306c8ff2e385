package vector

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"
)

// sparseIndex is the inverted index of a segment's sparse vectors: for every
// index that occurs, in order, the rows that have it and its value there. The
// section is the number of indexes as uint32, the indexes as uint32, where the
// entries of each begin (and the last ends) as uint64, and the entries: row as
// uint32 and value as float32.
type sparseIndex struct {
	dims    []byte
	at      []byte
	entries []byte
	n       int
}

func buildSparse(s *segment, number int) []byte {
	type entry struct {
		dim, row uint32
		value    uint32 // bits of a float32
	}
	le := binary.LittleEndian
	var all []entry
	for row := range s.rows {
		stored := s.stored(row, number)
		for ; len(stored) >= 8; stored = stored[8:] {
			all = append(all, entry{le.Uint32(stored), uint32(row), le.Uint32(stored[4:])})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Or(cmp.Compare(a.dim, b.dim), cmp.Compare(a.row, b.row)) })
	var dims, at, entries []byte
	n := uint32(0)
	for i, e := range all {
		if i == 0 || e.dim != all[i-1].dim {
			dims = le.AppendUint32(dims, e.dim)
			at = le.AppendUint64(at, uint64(i))
			n++
		}
		entries = le.AppendUint32(entries, e.row)
		entries = le.AppendUint32(entries, e.value)
	}
	at = le.AppendUint64(at, uint64(len(all)))
	return slices.Concat(le.AppendUint32(nil, n), dims, at, entries)
}

func parseSparse(data []byte, rows int) (*sparseIndex, error) {
	le := binary.LittleEndian
	if len(data) < 12 {
		return nil, fmt.Errorf("%d bytes are no sparse index", len(data))
	}
	n := uint64(le.Uint32(data))
	if n*12+12 > uint64(len(data)) {
		return nil, fmt.Errorf("%d indexes do not fit into %d bytes", n, len(data))
	}
	x := &sparseIndex{n: int(n), dims: data[4 : 4+4*n], at: data[4+4*n : 12+12*n], entries: data[12+12*n:]}
	for i := range x.n {
		if i > 0 && x.dim(i) <= x.dim(i-1) || x.begin(i) > x.begin(i+1) {
			return nil, fmt.Errorf("index %d of the sparse index is out of order", i)
		}
	}
	if x.begin(0) != 0 || x.begin(x.n) != uint64(len(x.entries)/8) || len(x.entries)%8 != 0 {
		return nil, fmt.Errorf("the entries of the sparse index do not fill it")
	}
	for i := 0; i < len(x.entries); i += 8 {
		if int(le.Uint32(x.entries[i:])) >= rows {
			return nil, fmt.Errorf("entry %d of the sparse index has row %d of %d", i/8, le.Uint32(x.entries[i:]), rows)
		}
	}
	return x, nil
}

func (x *sparseIndex) dim(i int) uint32   { return binary.LittleEndian.Uint32(x.dims[4*i:]) }
func (x *sparseIndex) begin(i int) uint64 { return binary.LittleEndian.Uint64(x.at[8*i:]) }

// scores adds up the inner products of a query with all rows; touched are the
// rows that share an index with it.
func (x *sparseIndex) scores(q Sparse, rows int) (scores []float32, touched []uint64) {
	scores, touched = make([]float32, rows), make([]uint64, (rows+63)/64)
	for j, dim := range q.Indices {
		i := sort.Search(x.n, func(i int) bool { return x.dim(i) >= dim })
		if i == x.n || x.dim(i) != dim {
			continue
		}
		for e := x.entries[8*x.begin(i) : 8*x.begin(i+1)]; len(e) > 0; e = e[8:] {
			row := binary.LittleEndian.Uint32(e)
			scores[row] += q.Values[j] * math.Float32frombits(binary.LittleEndian.Uint32(e[4:]))
			touched[row/64] |= 1 << (row % 64)
		}
	}
	return scores, touched
}

// sparseDot is the inner product of a query with one stored vector, and whether
// they share an index. Terms are added in the order of indexes, as scores does.
func sparseDot(q Sparse, stored []byte) (dot float32, shared bool) {
	le := binary.LittleEndian
	i := 0
	for ; len(stored) >= 8 && i < len(q.Indices); stored = stored[8:] {
		dim := le.Uint32(stored)
		for i < len(q.Indices) && q.Indices[i] < dim {
			i++
		}
		if i < len(q.Indices) && q.Indices[i] == dim {
			dot += q.Values[i] * math.Float32frombits(le.Uint32(stored[4:]))
			shared = true
		}
	}
	return dot, shared
}
