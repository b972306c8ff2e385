package vector

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector/internal/wal"
)

// quarantineName is the folder, in a collection's, of files that could not be
// read.
const quarantineName = "quarantine"

// recovery opens a collection: it sweeps what the manifest does not name, maps
// the segments, replays the logs, and sets damaged files aside.
type recovery struct {
	c        *Collection
	manifest *manifest
	segments []*segment
	logs     []uint64
	changed  bool     // the manifest differs from the file
	damaged  []string // log files to set aside once their points are sealed
	problem  error    // of a read-only collection: the first damage
}

// abandon closes what was opened before something failed.
func (r *recovery) abandon() {
	if r.c.log != nil {
		r.c.log.Close()
	}
	if r.c.view.current != nil {
		r.c.view.close()
		return
	}
	for _, s := range r.segments {
		s.release()
	}
}

func (r *recovery) run() error {
	c := r.c
	if err := r.scan(); err != nil {
		return err
	}
	for _, entry := range slices.Clone(r.manifest.Segments) {
		if err := r.openSegment(entry); err != nil {
			return err
		}
	}
	first := r.manifest.Log
	c.active = newMutable(c.layout.Load(), first)
	c.active.after = r.manifest.Flushed
	c.view.replace(&view{segments: r.segments}, c.active)
	for _, s := range r.segments {
		s.release() // the view has them
	}
	c.applied.Store(r.manifest.Flushed)
	if err := r.replay(); err != nil {
		return err
	}
	if r.problem != nil {
		return r.problem
	}
	c.durable.Store(c.applied.Load())
	c.view.publish(c.applied.Load())
	c.view.applied(c.active.rows)
	return r.settle()
}

// scan lists the folder: log files to replay, the highest number, and files
// that nothing names, which it removes.
func (r *recovery) scan() error {
	c := r.c
	if c.read == nil {
		if err := disk.Sweep(c.fsys, c.dir, 0); err != nil {
			return err
		}
	}
	entries, err := c.fsys.ReadDir(c.dir)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, s := range r.manifest.Segments {
		named[segmentName(s.Number)] = true
		named[indexName(s.Number)] = true
		if s.Deletions != 0 {
			named[deletionsName(s.Number, s.Deletions)] = true
		}
	}
	next := r.manifest.Next
	for _, e := range entries {
		kind, number, ok := parseFileName(e.Name())
		if !ok {
			continue
		}
		next = max(next, number+1)
		if kind == "log" && number >= r.manifest.Log {
			r.logs = append(r.logs, number)
		} else if !named[e.Name()] && c.read == nil {
			if err := c.fsys.Remove(c.path(e.Name())); err != nil {
				return fmt.Errorf("sweep: %w", err)
			}
		}
	}
	slices.Sort(r.logs)
	c.next.Store(next)
	return nil
}

// openSegment maps one segment with its deletions and indexes. A damaged
// segment is set aside.
func (r *recovery) openSegment(entry manifestSegment) error {
	c := r.c
	s, err := openSegment(c.fsys, c.layout.Load(), entry.Number, c.path(segmentName(entry.Number)))
	if err == nil && c.db.options.Verify {
		if bad := s.file.Verify(); bad != nil {
			s.release()
			err = corrupt(s.path, bad)
		}
	}
	if lost(err) {
		return r.loseSegment(entry, err)
	}
	if err != nil {
		return err
	}
	s.gone, s.deletions = c.removeSegment, entry.Deletions
	if s.rows != entry.Points {
		s.release()
		return r.loseSegment(entry, fmt.Errorf("it has %d points, and the manifest says %d", s.rows, entry.Points))
	}
	r.segments = append(r.segments, s)
	if entry.Deletions != 0 {
		name := deletionsName(entry.Number, entry.Deletions)
		err := readDeletions(c.fsys, c.path(name), s.deaths, r.manifest.Flushed)
		if lost(err) {
			err = r.loseDeletions(s, entry, name, err)
		}
		if err != nil {
			return err
		}
	}
	return c.loadDerived(s)
}

// lost reports whether an error means that a file's content is gone for good.
func lost(err error) bool {
	_, damaged := errors.AsType[*CorruptError](err)
	return damaged || errors.Is(err, fs.ErrNotExist)
}

func (r *recovery) loseSegment(entry manifestSegment, cause error) error {
	r.manifest.Segments = slices.DeleteFunc(r.manifest.Segments, func(e manifestSegment) bool { return e.Number == entry.Number })
	return r.lose(segmentName(entry.Number), cause, entry.Points-entry.Deleted)
}

// loseDeletions brings deleted points back, except those that a later segment
// or write has replaced.
func (r *recovery) loseDeletions(s *segment, entry manifestSegment, name string, cause error) error {
	for i := range r.manifest.Segments {
		if e := &r.manifest.Segments[i]; e.Number == entry.Number {
			e.Deletions, e.Deleted = 0, 0
		}
	}
	s.deletions = 0
	return r.lose(name, fmt.Errorf("%s; up to %d deleted points are back", reason(cause), entry.Deleted), 0)
}

// lose records damage and sets the file aside.
func (r *recovery) lose(name string, cause error, points int) error {
	if r.c.read != nil {
		return corrupt(r.c.path(name), errors.New(reason(cause)))
	}
	r.changed = true
	d := Damage{File: name, Reason: reason(cause), Points: points}
	if !slices.Contains(r.manifest.Damage, d) {
		r.manifest.Damage = append(r.manifest.Damage, d)
	}
	return r.quarantine(name)
}

// reason is what is wrong with a file, without its path.
func reason(cause error) string {
	if e, ok := errors.AsType[*CorruptError](cause); ok {
		return e.Reason
	}
	return cause.Error()
}

// quarantine moves a file, if it is there, out of the way.
func (r *recovery) quarantine(name string) error {
	c := r.c
	from := c.path(name)
	if there, err := exists(c.fsys, from); err != nil || !there {
		return err
	}
	folder := c.path(quarantineName)
	if err := c.fsys.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("set %s aside: %w", name, err)
	}
	if err := c.fsys.Rename(from, filepath.Join(folder, name)); err != nil {
		return fmt.Errorf("set %s aside: %w", name, err)
	}
	return errors.Join(c.fsys.SyncDir(folder), c.fsys.SyncDir(c.dir))
}

// replay reads the logs into memory, each into a segment of its own, and opens
// the last one to go on.
func (r *recovery) replay() error {
	c := r.c
	for i, number := range r.logs {
		name := logName(number)
		data, err := disk.ReadFile(c.fsys, c.path(name))
		if err != nil {
			return err
		}
		if c.read != nil {
			c.read.logs = append(c.read.logs, readLog{number, int64(len(data))})
		}
		if i > 0 {
			c.active.sealed = c.applied.Load()
			before := c.view.current
			next := newMutable(c.layout.Load(), number)
			next.after = c.active.sealed
			c.view.replace(&view{segments: before.segments, frozen: append(before.frozen, c.active)}, next)
			c.active = next
		}
		c.active.log = number
		result, err := r.replayLog(name, data)
		if err != nil {
			return err
		}
		last := i == len(r.logs)-1
		if !last && result.Torn > 0 {
			r.damage(name, fmt.Errorf("its last %d bytes cannot be read, and a later log goes on", result.Torn))
		}
		if last {
			return r.goOn(name, result)
		}
	}
	return r.begin()
}

// replayLog applies the writes of one log file that are not in the segments.
func (r *recovery) replayLog(name string, data []byte) (wal.Result, error) {
	c := r.c
	next := c.applied.Load() + 1
	if first, ok := wal.First(data); ok && first > next {
		r.damage(name, fmt.Errorf("writes %d to %d are missing before its first", next, first-1))
		next = first
	}
	result, err := wal.Replay(data, next, func(record wal.Record) error {
		if err := c.apply(record.Seq, record.Payload); err != nil {
			r.damage(name, err)
		}
		c.applied.Store(record.Seq)
		return nil
	})
	for _, d := range result.Damage {
		r.damage(name, fmt.Errorf("writes %d to %d at offset %d cannot be read", d.First, d.Last, d.Offset))
		c.applied.Store(max(c.applied.Load(), d.Last))
	}
	return result, err
}

// damage records what is wrong with a log file, which is set aside later: its
// readable writes are needed until they are sealed.
func (r *recovery) damage(name string, cause error) {
	if r.c.read != nil {
		r.problem = cmp.Or(r.problem, error(corrupt(r.c.path(name), cause)))
		return
	}
	r.changed = true
	d := Damage{File: name, Reason: cause.Error(), Points: -1}
	if !slices.Contains(r.manifest.Damage, d) {
		r.manifest.Damage = append(r.manifest.Damage, d)
	}
	if !slices.Contains(r.damaged, name) {
		r.damaged = append(r.damaged, name)
	}
}

// goOn opens the last log for more writes.
func (r *recovery) goOn(name string, result wal.Result) (err error) {
	if r.c.read != nil {
		r.c.read.torn = result.Torn > 0
		return nil
	}
	r.c.logPath = r.c.path(name)
	r.c.log, err = wal.Append(r.c.fsys, r.c.logPath, result.Size)
	return err
}

// begin makes the first log of a collection that has none.
func (r *recovery) begin() (err error) {
	c := r.c
	if c.read != nil {
		return nil
	}
	number := c.newNumber()
	c.active.log = number
	c.logPath = c.path(logName(number))
	c.log, err = wal.Create(c.fsys, c.dir, c.logPath)
	return err
}

// settle brings the files in line with what was found: after damage, the points
// of the logs are sealed, so that damaged logs are no longer needed.
func (r *recovery) settle() error {
	c := r.c
	c.manifest = r.manifest
	if !r.changed {
		return nil
	}
	if len(r.damaged) > 0 {
		c.writer.Lock()
		err := c.freeze()
		c.writer.Unlock()
		if err != nil {
			return err
		}
		for c.waiting() > 0 {
			if err := r.sealAside(); err != nil {
				return err
			}
		}
		return nil
	}
	return c.commit(r.manifest.clone())
}

// sealAside seals the oldest frozen segment and keeps its log in quarantine if
// it is damaged.
func (r *recovery) sealAside() error {
	c := r.c
	name := logName(c.oldestFrozen().log)
	if slices.Contains(r.damaged, name) {
		folder := c.path(quarantineName)
		if err := c.fsys.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("set %s aside: %w", name, err)
		}
		if err := copyFile(c.fsys, c.path(name), c.fsys, filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("set %s aside: %w", name, err)
		}
	}
	return c.sealOne()
}
