package vector

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

// mutable is the segment that takes the writes of one log file, in memory. Its
// rows are appended by the writer and never change, except for the time of
// their death; replacing a point appends a row and ends the old one. Readers
// use the rows that their snapshot saw.
type mutable struct {
	layout *layout
	log    uint64       // number of its log file
	after  uint64       // the last write before it
	rows   []*row       // the writer's; readers have their own header of it
	newest sync.Map     // key (string) to its newest row
	spaces sync.Map     // namespace (string) to its rows (*spaceRows)
	bytes  atomic.Int64 // estimate of the memory in use
	sealed uint64       // last write it took, once it takes no more
}

// row is one version of a point in memory.
type row struct {
	record
	key    string
	born   uint64        // the write that brought it
	died   atomic.Uint64 // the write that ended it, or zero
	before *row          // the version it replaced in this segment

	dense [][]float32 // by field: dense vectors decoded; nil for others
	terms [][]term    // by keyword index, sorted by hash
	words []float64   // by keyword index: the number of words
}

// spaceRows is the rows of one namespace in the order of their birth. The writer appends;
// readers have the header they loaded.
type spaceRows struct{ rows atomic.Pointer[[]*row] }

const (
	// rowOverhead is what a row costs besides its data: structs, map entries, slices.
	rowOverhead = 320
	// spaceOverhead is what a namespace costs.
	spaceOverhead = 160
)

func newMutable(l *layout, log uint64) *mutable { return &mutable{layout: l, log: log} }

// add appends a version of a point.
func (m *mutable) add(key string, r record, seq uint64) *row {
	v := &row{record: r, key: key, born: seq}
	size := rowOverhead + 2*len(key) + len(r.data)
	for number, stored := range r.fields {
		if f := m.layout.fields[number]; stored != nil && f.kind == denseField && f.spec.Storage != Binary {
			if v.dense == nil {
				v.dense = make([][]float32, len(m.layout.fields))
			}
			v.dense[number] = f.spec.decode(stored)[0]
			size += 4 * f.spec.Dimensions
		}
	}
	for _, k := range m.layout.keywords {
		terms, words := k.count(r.payload)
		v.terms = append(v.terms, terms)
		v.words = append(v.words, words)
		size += 16 * len(terms)
	}
	if before, ok := m.newest.Load(key); ok {
		v.before = before.(*row)
	}
	m.newest.Store(key, v)
	m.rows = append(m.rows, v)
	m.bytes.Add(int64(size + m.addToSpace(v)))
	return v
}

// addToSpace appends a row to those of its namespace and returns what that costs.
func (m *mutable) addToSpace(v *row) (size int) {
	name := v.key[:strings.IndexByte(v.key, 0)]
	space, ok := m.spaces.Load(name)
	if !ok {
		space, size = &spaceRows{}, spaceOverhead
		m.spaces.Store(name, space)
	}
	list := &space.(*spaceRows).rows
	var rows []*row
	if before := list.Load(); before != nil {
		rows = *before
	}
	rows = append(rows, v)
	list.Store(&rows)
	return size
}

// space returns the rows of a namespace, in the order of their birth.
func (m *mutable) space(name string) []*row {
	space, ok := m.spaces.Load(name)
	if !ok {
		return nil
	}
	return *space.(*spaceRows).rows.Load()
}

// find returns the version of a point that a snapshot sees.
func (m *mutable) find(key string, seq uint64) *row {
	newest, ok := m.newest.Load(key)
	if !ok {
		return nil
	}
	v := newest.(*row)
	for v != nil && v.born > seq {
		v = v.before
	}
	if v == nil || !v.visible(seq) {
		return nil
	}
	return v
}

// visible reports whether a snapshot that saw the row's birth sees it alive.
func (v *row) visible(seq uint64) bool {
	died := v.died.Load()
	return died == 0 || died > seq
}

// living returns the rows a snapshot sees alive, in the order of their keys.
func living(rows []*row, seq uint64) []*row {
	var alive []*row
	for _, v := range rows {
		if v.visible(seq) {
			alive = append(alive, v)
		}
	}
	slices.SortFunc(alive, func(a, b *row) int { return bytes.Compare([]byte(a.key), []byte(b.key)) })
	return alive
}

// bornUntil cuts rows, which are in the order of birth, to those a snapshot
// saw.
func bornUntil(rows []*row, seq uint64) []*row {
	n := len(rows)
	for n > 0 && rows[n-1].born > seq {
		n--
	}
	return rows[:n:n]
}

// endless is the sequence number at which a writer looks at its own work.
const endless = math.MaxUint64

// texts calls yield with every string that the paths lead to.
func texts(body payload.Value, paths []payload.Path, yield func(text string)) {
	for _, path := range paths {
		body.Leaves(path, func(v payload.Value) bool {
			if text, ok := v.Text(); ok {
				yield(string(text))
			}
			return true
		})
	}
}
