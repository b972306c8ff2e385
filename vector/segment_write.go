package vector

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector/internal/container"
	"github.com/ragstone/ragstone/vector/internal/payload"
)

// source is where the rows of a new segment come from: memory or other
// segments.
type source interface {
	key(row int) []byte
	payload(row int) payload.Value
	stored(row, number int) []byte
}

// rowRef is a row of one of several sources.
type rowRef struct{ source, row uint32 }

// memorySource is versions of points in the order of their keys.
type memorySource []*row

func (m memorySource) key(i int) []byte            { return []byte(m[i].key) }
func (m memorySource) payload(i int) payload.Value { return m[i].record.payload }
func (m memorySource) stored(i, number int) []byte { return m[i].fields[number] }
func (m memorySource) refs() (refs []rowRef) {
	for i := range m {
		refs = append(refs, rowRef{0, uint32(i)})
	}
	return refs
}

// mergeOrder returns the rows of segments that keep admits, in the order of
// their keys.
func mergeOrder(segments []*segment, keep func(s *segment, row int) bool) []rowRef {
	var order []rowRef
	next := make([]int, len(segments))
	advance := func(i int) {
		for next[i] < segments[i].rows && !keep(segments[i], next[i]) {
			next[i]++
		}
	}
	for i := range segments {
		advance(i)
	}
	for {
		best := -1
		for i, s := range segments {
			if next[i] < s.rows && (best < 0 || bytes.Compare(s.key(next[i]), segments[best].key(next[best])) < 0) {
				best = i
			}
		}
		if best < 0 {
			return order
		}
		order = append(order, rowRef{uint32(best), uint32(next[best])})
		next[best]++
		advance(best)
	}
}

// segmentWriter writes one segment file, section by section: each is a pass
// over the rows, so that memory does not grow with them.
type segmentWriter struct {
	layout  *layout
	sources []source
	order   []rowRef
	out     *container.Writer
}

// writeSegment writes a new segment file and flushes it with its name.
func writeSegment(fsys disk.FS, path string, l *layout, sources []source, order []rowRef) error {
	return disk.WriteFileIn(fsys, path, 0o644, func(f io.Writer) error {
		w := segmentWriter{l, sources, order, container.NewWriter(f, segmentKind)}
		w.items("keys", func(s source, row int) []byte { return s.key(row) })
		w.items("payloads", func(s source, row int) []byte { return s.payload(row) })
		for number := range l.fields {
			w.column(number)
		}
		return w.out.Close()
	})
}

// items writes a section of items and one of their offsets.
func (w *segmentWriter) items(name string, item func(s source, row int) []byte) {
	w.out.Begin(name)
	at := make([]byte, 0, 8*(len(w.order)+1))
	total := uint64(0)
	for _, r := range w.order {
		at = binary.LittleEndian.AppendUint64(at, total)
		content := item(w.sources[r.source], int(r.row))
		w.out.Write(content)
		total += uint64(len(content))
	}
	w.out.Section(name+".at", binary.LittleEndian.AppendUint64(at, total))
}

// column writes one vector of all points, nothing if no point has it.
func (w *segmentWriter) column(number int) {
	f := w.layout.fields[number]
	name := sectionName(number, "")
	var rows []byte
	has := 0
	for i, r := range w.order {
		if w.sources[r.source].stored(int(r.row), number) != nil {
			rows = binary.LittleEndian.AppendUint32(rows, uint32(i))
			has++
		}
	}
	switch {
	case has == 0:
	case f.kind == sparseField:
		w.items(name, func(s source, row int) []byte { return s.stored(row, number) })
	case f.kind == multiField:
		w.multi(number, name)
	default:
		w.out.Begin(name)
		for _, r := range w.order {
			w.out.Write(w.sources[r.source].stored(int(r.row), number))
		}
		if has < len(w.order) {
			w.out.Section(name+".rows", rows)
		}
	}
}

// multi writes multi-vectors with offsets that count vectors.
func (w *segmentWriter) multi(number int, name string) {
	spec := w.layout.fields[number].spec
	size := spec.Storage.size(spec.Dimensions)
	w.out.Begin(name)
	var at []byte
	total := uint64(0)
	for _, r := range w.order {
		at = binary.LittleEndian.AppendUint64(at, total)
		stored := w.sources[r.source].stored(int(r.row), number)
		w.out.Write(stored)
		total += uint64(len(stored) / size)
	}
	w.out.Section(name+".at", binary.LittleEndian.AppendUint64(at, total))
}

// deletionsKind marks a deletions file: the rows of one segment that are dead.
var deletionsKind = [4]byte{'d', 'e', 'a', 'd'}

// writeDeletions writes the rows that died up to a write.
func writeDeletions(fsys disk.FS, path string, d *deaths, until uint64) error {
	rows, err := d.until(until).ToBytes()
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return disk.WriteFileIn(fsys, path, 0o644, func(f io.Writer) error {
		w := container.NewWriter(f, deletionsKind)
		w.Section("rows", rows)
		return w.Close()
	})
}

// readDeletions marks the rows of a deletions file as dead since seq.
func readDeletions(fsys disk.FS, path string, d *deaths, seq uint64) error {
	data, err := disk.ReadFile(fsys, path)
	if err != nil {
		return fmt.Errorf("open deletions: %w", err)
	}
	dead, err := parseDeletions(data, d.rows)
	if err != nil {
		return corrupt(path, err)
	}
	for _, row := range dead {
		d.mark(int(row), seq)
	}
	return nil
}

// parseDeletions returns the rows that a deletions file names.
func parseDeletions(data []byte, rows int) ([]uint32, error) {
	f, err := container.Open(data, deletionsKind)
	if err != nil {
		return nil, err
	}
	if err := f.Verify("rows"); err != nil {
		return nil, err
	}
	dead, err := readBitmap(f.Section("rows"))
	if err != nil {
		return nil, err
	}
	if !dead.IsEmpty() && int(dead.Maximum()) >= rows {
		return nil, fmt.Errorf("row %d is dead, and the segment has %d", dead.Maximum(), rows)
	}
	return dead.ToArray(), nil
}
