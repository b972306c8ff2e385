package vector

import (
	"bytes"
	"math/bits"
	"sync"
	"unsafe"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

// located is where a snapshot finds a point: a row of a segment, or a version
// in memory.
type located struct {
	segment *segment
	row     int
	memory  *row
}

func (l located) key() []byte {
	if l.memory != nil {
		return []byte(l.memory.key)
	}
	return l.segment.key(l.row)
}

func (l located) record() record {
	if l.memory != nil {
		return l.memory.record
	}
	return l.segment.record(l.row)
}

func (l located) payload() payload.Value {
	if l.memory != nil {
		return l.memory.payload
	}
	return l.segment.payload(l.row)
}

func (l located) matched() matched {
	if l.memory != nil {
		return matched{l.memory.key, l.memory.record.payload}
	}
	key := l.segment.key(l.row)
	return matched{unsafe.String(unsafe.SliceData(key), len(key)), l.segment.payload(l.row)} // a matcher keeps neither
}

// scope is the points a read is about: those of one namespace for which a
// filter holds.
type scope struct {
	s         *Snapshot
	namespace string
	filter    *Filter
	match     matcher // nil: all
	selected  map[*segment]selection
	sets      []*rowSet // lent, until release
}

// sparedSets are row sets for scopes to come: a large one costs more to make than to fill.
var sparedSets sync.Pool // of *rowSet

// rowSet returns an empty set for so many rows. It is the scope's.
func (sc *scope) rowSet(rows int) rowSet {
	words := (rows + 63) / 64
	set, ok := sparedSets.Get().(*rowSet)
	if !ok || cap(*set) < words {
		set = new(make(rowSet, words))
	}
	*set = (*set)[:words]
	clear(*set)
	sc.sets = append(sc.sets, set)
	return *set
}

// release ends the use of the scope and of its selections.
func (sc *scope) release() {
	for _, set := range sc.sets {
		sparedSets.Put(set)
	}
	sc.sets, sc.selected = nil, nil
}

func (s *Snapshot) scope(namespace string, filter *Filter) (*scope, error) {
	if err := validateNamespace(namespace); err != nil {
		return nil, invalid("%w", err)
	}
	match, err := filter.optional()
	if err != nil {
		return nil, invalid("filter: %w", err)
	}
	return &scope{s: s, namespace: namespace, filter: filter, match: match, selected: map[*segment]selection{}}, nil
}

// selection is the rows of a segment in a scope.
type selection struct {
	words     rowSet // nil: all rows of the segment
	count     int
	estimated int // count, as guessed before payloads were read
}

func (r selection) has(row int) bool { return r.words == nil || r.words[row/64]>>(row%64)&1 != 0 }

// each calls visit with the rows in order until it returns false.
func (r selection) each(rows int, visit func(row int) bool) {
	if r.words == nil {
		for row := range rows {
			if !visit(row) {
				return
			}
		}
		return
	}
	for i, w := range r.words {
		for ; w != 0; w &= w - 1 {
			if !visit(i*64 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

// rows returns a segment's rows in scope, found once: the parts of a query
// share them.
func (sc *scope) rows(g *segment) selection {
	r, ok := sc.selected[g]
	if !ok {
		r = sc.find(g)
		sc.selected[g] = r
	}
	return r
}

// find selects a segment's rows: by namespace and deaths, then by what the
// payload indexes know, and last, where they do not know enough, by reading the
// payloads of what is left.
func (sc *scope) find(g *segment) selection {
	from, to := g.namespace(sc.namespace)
	alive := g.deaths.alive(sc.s.seq)
	if sc.match == nil && alive == nil && from == 0 && to == g.rows {
		return selection{nil, g.rows, g.rows}
	}
	known := candidates{exact: true}
	if sc.match != nil {
		known = unknown
		if d := g.derived.Load(); d != nil {
			known = lookup{g, d, sc}.candidates(*sc.filter)
		}
	}
	var r selection
	if r.words = known.rows; r.words == nil {
		r.words = sc.rowSet(g.rows)
		r.words.addRange(from, to)
	} else {
		r.words.keepRange(from, to)
	}
	if alive != nil {
		r.words.and(alive)
	}
	r.count = r.words.count()
	r.estimated = r.count
	if !known.exact {
		r.estimated = sc.estimate(g, r)
		sc.read(g, &r)
	}
	return r
}

// estimateSample is how many payloads an estimate reads.
const estimateSample = 128

// estimate guesses for how many of the selected rows the filter holds, from
// rows spread evenly over them.
func (sc *scope) estimate(g *segment, r selection) int {
	if r.count == 0 {
		return 0
	}
	step := (r.count + estimateSample - 1) / estimateSample
	seen, holds, at := 0, 0, 0
	r.each(g.rows, func(row int) bool {
		if at%step == 0 {
			seen++
			if sc.match(located{segment: g, row: row}.matched()) {
				holds++
			}
		}
		at++
		return true
	})
	return (holds*r.count + seen/2) / seen
}

// read drops the rows for which the filter does not hold.
func (sc *scope) read(g *segment, r *selection) {
	r.count = 0
	r.each(g.rows, func(row int) bool {
		if sc.match(located{segment: g, row: row}.matched()) {
			r.count++
		} else {
			r.words[row/64] &^= 1 << (row % 64)
		}
		return true
	})
}

// memory selects the versions in memory, in the order of their birth. It returns
// how many the namespace has there, whether the filter holds for them or not.
func (sc *scope) memory(yield func(*row)) (points int) {
	for _, m := range sc.s.memory {
		for _, v := range m.space(sc.namespace) {
			if v.born > sc.s.seq {
				break
			}
			if v.visible(sc.s.seq) {
				points++
				if sc.match == nil || sc.match(located{memory: v}.matched()) {
					yield(v)
				}
			}
		}
	}
	return points
}

// ascend yields all points in scope whose key is not below from, in the order
// of their keys, until yield returns false.
func (sc *scope) ascend(from []byte, yield func(located) bool) {
	streams := sc.streams(from)
	for {
		var best *stream
		for i := range streams {
			if t := &streams[i]; !t.done && (best == nil || bytes.Compare(t.key, best.key) < 0) {
				best = t
			}
		}
		if best == nil || !yield(best.at) {
			return
		}
		best.advance()
	}
}

// stream is the points of one segment, or of all memory, in the order of their
// keys.
type stream struct {
	segment *segment // nil: memory
	rows    selection
	next    int // row of the segment to look at
	memory  []*row

	at   located // the current point
	key  []byte
	done bool
}

func (t *stream) advance() {
	if t.segment == nil {
		if t.done = len(t.memory) == 0; !t.done {
			t.at, t.memory = located{memory: t.memory[0]}, t.memory[1:]
			t.key = t.at.key()
		}
		return
	}
	for t.next < t.segment.rows && !t.rows.has(t.next) {
		t.next++
	}
	if t.done = t.next >= t.segment.rows; !t.done {
		t.at = located{segment: t.segment, row: t.next}
		t.key = t.at.key()
		t.next++
	}
}

func (sc *scope) streams(from []byte) []stream {
	var streams []stream
	for _, g := range sc.s.view.segments {
		streams = append(streams, stream{segment: g, rows: sc.rows(g), next: g.search(from)})
	}
	var rows []*row
	sc.memory(func(v *row) {
		if v.key >= string(from) {
			rows = append(rows, v)
		}
	})
	streams = append(streams, stream{memory: living(rows, sc.s.seq)})
	for i := range streams {
		streams[i].advance()
	}
	return streams
}
