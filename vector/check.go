package vector

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/vector/internal/container"
	"github.com/ragstone/ragstone/vector/internal/wal"
)

// Check verifies all files of a database that nobody has open: checksums,
// structure, the order of keys, that every vector is finite and every payload
// can be read, and that the log follows on the segments. It changes nothing. It
// returns all problems found, joined; each is a *CorruptError unless a file
// could not be read at all. A torn tail of the last log is no problem; damage
// that an opening has set aside and noted is. A database that somebody has open
// to write is not checked: the error is ErrLocked.
func Check(dir string) error {
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); err == nil { // a copy may have none
		lock, err := disk.TryLock(path)
		if errors.Is(err, disk.ErrLocked) {
			return fmt.Errorf("check database %s: %w", dir, ErrLocked)
		}
		if err == nil { // a file that cannot be written has no writer to wait for
			defer lock.Unlock()
		}
	}
	return check(disk.OS{}, dir)
}

func check(fsys disk.FS, dir string) error {
	db := &DB{dir: dir, options: Options{fsys: fsys}}
	names, err := db.Collections()
	if err != nil {
		return err
	}
	var problems []error
	for _, name := range names {
		k := checker{fsys: fsys, dir: db.folder(name)}
		k.collection()
		problems = append(problems, k.problems...)
	}
	return errors.Join(problems...)
}

// checker collects the problems of one collection.
type checker struct {
	fsys     disk.FS
	dir      string
	layout   *layout
	problems []error
	live     map[string]uint64 // key of a living point to its segment
}

func (k *checker) path(name string) string { return filepath.Join(k.dir, name) }

// report notes what is wrong with a file, if anything is.
func (k *checker) report(name string, err error) {
	if err == nil {
		return
	}
	if _, named := errors.AsType[*CorruptError](err); !named {
		err = corrupt(k.path(name), err)
	}
	k.problems = append(k.problems, err)
}

func (k *checker) collection() {
	m, err := readManifest(k.fsys, k.dir)
	if err != nil {
		k.problems = append(k.problems, err)
		return
	}
	if k.layout, err = m.Schema.compile(); err != nil {
		k.report(manifestName, err)
		return
	}
	for _, d := range m.Damage {
		k.report(d.File, fmt.Errorf("set aside when it was opened: %s", d.Reason))
	}
	k.live = map[string]uint64{}
	for _, e := range m.Segments {
		k.segment(m, e)
	}
	k.logs(m)
}

func (k *checker) segment(m *manifest, e manifestSegment) {
	name := segmentName(e.Number)
	s, err := openSegment(k.fsys, k.layout, e.Number, k.path(name))
	if err != nil {
		k.report(name, err)
		return
	}
	defer s.release()
	k.report(name, s.file.Verify())
	if s.rows != e.Points {
		k.report(name, fmt.Errorf("it has %d points, and the manifest says %d", s.rows, e.Points))
	}
	if e.Deletions != 0 {
		deletions := deletionsName(e.Number, e.Deletions)
		k.report(deletions, readDeletions(k.fsys, k.path(deletions), s.deaths, m.Flushed))
		if dead := int(s.deaths.count.Load()); dead != e.Deleted {
			k.report(deletions, fmt.Errorf("it has %d points, and the manifest says %d", dead, e.Deleted))
		}
	}
	k.report(name, k.rows(s))
	k.report(indexName(e.Number), k.derived(s))
}

// rows checks every point of a segment.
func (k *checker) rows(s *segment) error {
	var before []byte
	for row := range s.rows {
		key := s.key(row)
		if _, _, ok := parseKey(key); !ok {
			return fmt.Errorf("row %d has the key %x", row, key)
		}
		if row > 0 && bytes.Compare(before, key) >= 0 {
			return fmt.Errorf("row %d has a key that does not follow on the one before", row)
		}
		before = key
		r := s.record(row)
		if len(r.payload) > 0 {
			if _, err := r.payload.Decode(); err != nil {
				return fmt.Errorf("row %d: %w", row, err)
			}
		}
		if err := k.layout.checkFields(r); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		if !s.deaths.visible(row, endless) {
			continue
		}
		if other, twice := k.live[string(key)]; twice {
			return fmt.Errorf("row %d is alive in segment %d too", row, other)
		}
		k.live[string(key)] = s.number
	}
	return nil
}

// checkFields checks the vectors of a point.
func (l *layout) checkFields(r record) error {
	for number, stored := range r.fields {
		f := l.fields[number]
		if stored == nil {
			continue
		}
		if err := f.checkStored(stored); err != nil {
			return err
		}
		switch f.kind {
		case sparseField:
			if _, err := decodeSparse(stored).sorted(); err != nil {
				return fmt.Errorf("sparse vector %q: %w", f.name, err)
			}
		default:
			for _, x := range f.spec.decode(stored) {
				if err := index.CheckFinite(x); err != nil {
					return fmt.Errorf("vector %q: %w", f.name, err)
				}
			}
		}
	}
	return nil
}

// derived checks the index file of a segment.
func (k *checker) derived(s *segment) error {
	path := k.path(indexName(s.number))
	data, unmap, err := mapped(k.fsys, path)
	if err != nil {
		return fmt.Errorf("%w; opening the database makes it again", err)
	}
	defer unmap()
	f, err := container.Open(data, indexKind)
	if err != nil {
		return err
	}
	if err := f.Verify(); err != nil {
		return err
	}
	d, err := parseDerived(data, k.layout, s, false)
	if err != nil {
		return err
	}
	for i, x := range d.keywords {
		if err := x.Verify(); err != nil {
			return fmt.Errorf("keyword index %q: %w", k.layout.keywords[i].name, err)
		}
	}
	for number, g := range d.indexes {
		if g == nil {
			continue
		}
		if g.open(&s.columns[number]) == nil {
			return fmt.Errorf("the index of vector %q cannot be read", k.layout.fields[number].name)
		}
	}
	for name, x := range d.payload {
		for i := range x.terms.len() {
			rows, err := readBitmap(x.bitmaps.item(i))
			if err == nil && !rows.IsEmpty() && int(rows.Maximum()) >= s.rows {
				err = fmt.Errorf("row %d of %d", rows.Maximum(), s.rows)
			}
			if err != nil {
				return fmt.Errorf("section %q: %w", name, err)
			}
		}
	}
	return nil
}

// logs checks that the log files follow on the segments without a gap.
func (k *checker) logs(m *manifest) {
	entries, err := k.fsys.ReadDir(k.dir)
	if err != nil {
		k.report(manifestName, err)
		return
	}
	var numbers []uint64
	for _, e := range entries {
		if kind, number, ok := parseFileName(e.Name()); ok && kind == "log" && number >= m.Log {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	next := m.Flushed + 1
	for i, number := range numbers {
		name := logName(number)
		data, err := disk.ReadFile(k.fsys, k.path(name))
		if err != nil {
			k.report(name, err)
			continue
		}
		result, err := wal.Replay(data, next, func(r wal.Record) error { return k.layout.checkWrite(r.Payload) })
		k.report(name, err)
		for _, d := range result.Damage {
			k.report(name, fmt.Errorf("writes %d to %d at offset %d cannot be read", d.First, d.Last, d.Offset))
		}
		if result.Torn > 0 && i < len(numbers)-1 {
			k.report(name, fmt.Errorf("its last %d bytes cannot be read, and a later log goes on", result.Torn))
		}
		next = result.Next
	}
}
