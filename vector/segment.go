package vector

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/vector/internal/container"
	"github.com/ragstone/ragstone/vector/internal/payload"
)

// segmentKind marks a segment file; docs/formats/vector.md has its sections.
var segmentKind = [4]byte{'s', 'e', 'g', 'm'}

// segment is an immutable file of points, mapped, in the order of their keys;
// only deaths change. Beside it lies an index file that can be made again from
// it (see derived).
type segment struct {
	layout  *layout
	number  uint64
	path    string
	rows    int
	file    *container.File
	bytes   int64
	keys    offsets
	bodies  offsets
	columns []column // by field number

	deaths    *deaths
	deletions uint64 // number of its deletions file, zero for none

	derived atomic.Pointer[derived]

	close    func() error
	refs     atomic.Int64
	obsolete atomic.Bool // a merge replaced it: its files go with the last reader
	gone     func(*segment)
}

// column is one vector of a segment's points.
type column struct {
	field
	data []byte
	rows []uint32 // the rows that have it, in order; nil if all have
	at   offsets  // of multi-vectors, in vectors; of sparse ones, in bytes
	n    int      // rows that have it

	once sync.Once
	flat *index.Flat // over all vectors, once somebody searches
}

// offsets are where the items of a section begin, and where the last ends, as
// uint64. Damaged ones give empty items.
type offsets struct {
	at   []byte
	data []byte
}

func (o offsets) len() int { return max(0, len(o.at)/8-1) }

func (o offsets) bounds(i int) (from, to uint64) {
	from, to = binary.LittleEndian.Uint64(o.at[8*i:]), binary.LittleEndian.Uint64(o.at[8*i+8:])
	if from > to {
		return 0, 0
	}
	return from, to
}

func (o offsets) item(i int) []byte {
	from, to := o.bounds(i)
	if to > uint64(len(o.data)) {
		return nil
	}
	return o.data[from:to:to]
}

// mapped returns a file's content, from a memory map where the file system has
// them.
func mapped(fsys disk.FS, path string) (data []byte, unmap func() error, err error) {
	if _, real := fsys.(disk.OS); real {
		m, err := disk.Map(path)
		if err != nil {
			return nil, nil, err
		}
		return m.Bytes(), m.Close, nil
	}
	if data, err = disk.ReadFile(fsys, path); err != nil {
		return nil, nil, err
	}
	return aligned(data), func() error { return nil }, nil
}

// aligned returns a copy of data that begins at a multiple of 64, as memory maps
// do.
func aligned(data []byte) []byte {
	const align = 64
	room := make([]byte, len(data)+align)
	skip := -uintptr(unsafe.Pointer(&room[0])) % align
	copy(room[skip:], data)
	return room[skip : int(skip)+len(data)]
}

// openSegment maps a segment file and checks all but its vectors and payloads,
// which are read with care.
func openSegment(fsys disk.FS, l *layout, number uint64, path string) (*segment, error) {
	data, unmap, err := mapped(fsys, path)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	s := &segment{layout: l, number: number, path: path, close: unmap, bytes: int64(len(data))}
	if err := s.load(data); err != nil {
		unmap()
		return nil, corrupt(path, err)
	}
	s.refs.Store(1)
	return s, nil
}

func (s *segment) load(data []byte) (err error) {
	if s.file, err = container.Open(data, segmentKind); err != nil {
		return err
	}
	if err := s.file.Verify("keys", "keys.at", "payloads.at"); err != nil {
		return err
	}
	s.keys = offsets{s.file.Section("keys.at"), s.file.Section("keys")}
	s.bodies = offsets{s.file.Section("payloads.at"), s.file.Section("payloads")}
	s.rows = s.keys.len()
	if s.rows > math.MaxInt32 || s.bodies.len() != s.rows || !s.file.Has("payloads") {
		return fmt.Errorf("%d keys and %d payloads", s.rows, s.bodies.len())
	}
	s.deaths = newDeaths(s.rows)
	s.columns = make([]column, len(s.layout.fields))
	for number := range s.columns {
		if err := s.loadColumn(number); err != nil {
			return fmt.Errorf("vector %q: %w", s.layout.fields[number].name, err)
		}
	}
	return nil
}

// sectionName is the name of a vector's section, by field number.
func sectionName(number int, part string) string { return fmt.Sprintf("vector.%d%s", number, part) }

func (s *segment) loadColumn(number int) error {
	c := &s.columns[number]
	c.field = s.layout.fields[number]
	name := sectionName(number, "")
	if !s.file.Has(name) {
		return nil // no point has it
	}
	c.data = s.file.Section(name)
	if c.kind != denseField {
		if err := s.file.Verify(name + ".at"); err != nil {
			return err
		}
		c.at = offsets{at: s.file.Section(name + ".at"), data: c.data}
		if c.at.len() != s.rows {
			return fmt.Errorf("offsets of %d rows, and there are %d", c.at.len(), s.rows)
		}
		c.n = s.rows
		return nil
	}
	size := c.spec.Storage.size(c.spec.Dimensions)
	c.n = len(c.data) / size
	if len(c.data)%size != 0 || c.n > s.rows {
		return fmt.Errorf("%d bytes, and a vector has %d", len(c.data), size)
	}
	if c.n < s.rows {
		return s.loadRows(c, name+".rows")
	}
	return nil
}

func (s *segment) loadRows(c *column, name string) error {
	if err := s.file.Verify(name); err != nil {
		return err
	}
	data := s.file.Section(name)
	if len(data) != 4*c.n {
		return fmt.Errorf("%d bytes of rows, and there are %d vectors", len(data), c.n)
	}
	c.rows = uint32s(data)
	for i := range c.rows {
		if int(c.rows[i]) >= s.rows || i > 0 && c.rows[i] <= c.rows[i-1] {
			return fmt.Errorf("row %d of vector %d is out of order", c.rows[i], i)
		}
	}
	return nil
}

// key returns the key of a row.
func (s *segment) key(row int) []byte { return s.keys.item(row) }

// payload returns the payload of a row.
func (s *segment) payload(row int) payload.Value { return payload.Value(s.bodies.item(row)) }

// search returns the first row whose key is not below the given one.
func (s *segment) search(key []byte) int {
	return sort.Search(s.rows, func(row int) bool { return bytes.Compare(s.key(row), key) >= 0 })
}

// find returns the row of a key that a snapshot sees.
func (s *segment) find(key []byte, seq uint64) (row int, ok bool) {
	row = s.search(key)
	if row == s.rows || !bytes.Equal(s.key(row), key) || !s.deaths.visible(row, seq) {
		return 0, false
	}
	return row, true
}

// namespace returns the rows of a namespace: from (inclusive) to (exclusive).
func (s *segment) namespace(name string) (from, to int) {
	if s.rows > 0 && inNamespace(s.key(0), name) && inNamespace(s.key(s.rows-1), name) {
		return 0, s.rows
	}
	from = s.search(append([]byte(name), 0))
	to = s.search(append([]byte(name), 1))
	return from, to
}

// inNamespace reports whether a key is of a namespace.
func inNamespace(key []byte, name string) bool {
	return len(key) > len(name) && key[len(name)] == 0 && string(key[:len(name)]) == name
}

// stored returns a vector of a row in stored form, nil if it has none.
func (s *segment) stored(row, number int) []byte {
	c := &s.columns[number]
	switch {
	case c.n == 0:
		return nil
	case c.kind == sparseField:
		if item := c.at.item(row); len(item) > 0 && len(item)%8 == 0 {
			return item
		}
		return nil
	case c.kind == multiField:
		size := uint64(c.spec.Storage.size(c.spec.Dimensions))
		from, to := c.at.bounds(row)
		if from == to || to > uint64(len(c.data))/size {
			return nil
		}
		return c.data[from*size : to*size]
	}
	slot, ok := c.slot(row)
	if !ok {
		return nil
	}
	size := c.spec.Storage.size(c.spec.Dimensions)
	return c.data[slot*size : (slot+1)*size]
}

// slot returns which of the column's vectors is that of a row.
func (c *column) slot(row int) (int, bool) {
	if c.rows == nil {
		return row, row < c.n
	}
	slot := sort.Search(c.n, func(i int) bool { return int(c.rows[i]) >= row })
	return slot, slot < c.n && int(c.rows[slot]) == row
}

// row is the inverse of slot.
func (c *column) row(slot int) int {
	if c.rows == nil {
		return slot
	}
	return int(c.rows[slot])
}

// record returns a row's vectors and payload.
func (s *segment) record(row int) record {
	r := record{payload: s.payload(row), fields: make([][]byte, len(s.columns))}
	for number := range s.columns {
		r.fields[number] = s.stored(row, number)
	}
	return r
}

// floats returns bytes as float32: in place where the machine is little-endian
// and the bytes lie at a multiple of four, else a copy.
func floats(data []byte) []float32 {
	if inPlace[float32](data) {
		return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/4)
	}
	out := make([]float32, len(data)/4)
	Float32.read(out, data)
	return out
}

// uint32s is floats for uint32.
func uint32s(data []byte) []uint32 {
	if inPlace[uint32](data) {
		return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/4)
	}
	out := make([]uint32, len(data)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	return out
}

// inPlace reports whether bytes can be used as numbers where they lie.
func inPlace[T float32 | uint32](data []byte) bool {
	one := uint16(1)
	littleEndian := *(*byte)(unsafe.Pointer(&one)) == 1
	return littleEndian && uintptr(unsafe.Pointer(unsafe.SliceData(data)))%unsafe.Alignof(T(0)) == 0
}

// retain and release count the views that use the segment. The last release
// unmaps it, and removes its files if a merge has replaced it.
func (s *segment) retain() { s.refs.Add(1) }

func (s *segment) release() {
	if s.refs.Add(-1) > 0 {
		return
	}
	if d := s.derived.Load(); d != nil {
		d.close()
	}
	s.close()
	if s.obsolete.Load() && s.gone != nil {
		s.gone(s)
	}
}
