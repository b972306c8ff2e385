package vector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector/internal/wal"
)

// Sealing turns the points in memory into a segment file, in two steps. First
// the active segment is frozen: a new log file begins, and with it a new active
// segment. Then, in the background, the frozen one is written out and the
// manifest names the segment instead of the log.

// maxFrozen is how many frozen segments may wait; then writers wait too.
const maxFrozen = 2

// sealing lets writers wait for frozen segments to become files.
type sealing struct {
	mu    sync.Mutex
	moved chan struct{} // closed when something was sealed, or failed to be
	err   error         // of the last attempt
}

func (s *sealing) init() { s.moved = make(chan struct{}) }

// wake ends all waits with the outcome of an attempt.
func (s *sealing) wake(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	close(s.moved)
	s.moved = make(chan struct{})
}

// next returns a channel that the next attempt closes.
func (s *sealing) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moved
}

func (s *sealing) outcome() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// makeRoom freezes the active segment when it is large enough, and waits while
// too much waits to be written or the database's memory is used up.
func (c *Collection) makeRoom(ctx context.Context) error {
	for {
		moved := c.sealing.next()
		full, frozen, err := c.freezeIfFull()
		if err != nil || !full {
			return err
		}
		if frozen {
			c.db.background.seal(c)
			continue
		}
		if c.db.options.manual {
			if err := c.sealOne(); err != nil {
				return err
			}
			continue
		}
		c.db.sealOthers(c)
		select {
		case <-moved:
			if err := c.sealing.outcome(); err != nil {
				return fmt.Errorf("make room for a write: %w", err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// freezeIfFull freezes the active segment if it is full; full says that it was,
// frozen that it was frozen.
func (c *Collection) freezeIfFull() (full, frozen bool, err error) {
	c.writer.Lock()
	defer c.writer.Unlock()
	if c.closed {
		return false, false, fmt.Errorf("collection %q: %w", c.name, ErrClosed)
	}
	used := c.active.bytes.Load()
	crowded := c.db.memory.Load() > c.db.options.MaxBytes/2
	waiting := len(c.view.current.frozen)
	switch {
	case used >= c.db.options.SealBytes, crowded && used > 0:
		if waiting >= maxFrozen {
			return true, false, nil
		}
		return true, true, c.freeze()
	case crowded && waiting > 0:
		return true, false, nil
	}
	return false, false, nil
}

// freeze begins a new log file and a new active segment. The log before is
// flushed first: were a later file to survive a power cut and the end of an
// earlier one not, the log would have a hole. The caller holds c.writer.
func (c *Collection) freeze() error {
	c.sync.Lock()
	defer c.sync.Unlock()
	if err := c.flushLog(); err != nil {
		return err
	}
	number := c.newNumber()
	path := c.path(logName(number))
	log, err := wal.Create(c.fsys, c.dir, path)
	if err != nil {
		return err
	}
	c.log.Close() // flushed above
	c.log, c.logPath = log, path
	old := c.active
	old.sealed = c.applied.Load()
	c.active = newMutable(old.layout, number)
	c.active.after = old.sealed
	before := c.view.current
	c.view.replace(&view{segments: before.segments, frozen: append(before.frozen[:len(before.frozen):len(before.frozen)], old)}, c.active)
	return nil
}

// Seal writes all points in memory to a segment file now, and what was deleted since to
// others, as happens by itself when there are enough points.
func (c *Collection) Seal(ctx context.Context) error {
	c.writer.Lock()
	err := c.writable()
	if err == nil && c.applied.Load() > c.active.after {
		err = c.freeze()
	}
	var last *mutable // later ones are not this call's
	if err == nil && len(c.view.current.frozen) > 0 {
		last = c.view.current.frozen[len(c.view.current.frozen)-1]
	}
	c.writer.Unlock()
	for err == nil && last != nil && c.isFrozen(last) {
		if err = ctx.Err(); err == nil {
			err = c.sealOne()
		}
	}
	return err
}

func (c *Collection) isFrozen(m *mutable) bool {
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	return c.view.current != nil && slices.Contains(c.view.current.frozen, m)
}

// waiting is the number of frozen segments.
func (c *Collection) waiting() int {
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	if c.view.current == nil {
		return 0
	}
	return len(c.view.current.frozen)
}

// sealOne writes the oldest frozen segment to a file, if there is one, and
// wakes those who wait for it.
func (c *Collection) sealOne() error {
	c.structure.Lock()
	defer c.structure.Unlock()
	m := c.oldestFrozen()
	if m == nil {
		return nil
	}
	err := c.seal(m)
	if err != nil {
		err = fmt.Errorf("seal a segment of collection %q: %w", c.name, err)
	}
	c.sealing.wake(err)
	return err
}

func (c *Collection) oldestFrozen() *mutable {
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	if c.view.current == nil || len(c.view.current.frozen) == 0 {
		return nil
	}
	return c.view.current.frozen[0]
}

// seal writes a frozen segment. The caller holds c.structure.
func (c *Collection) seal(m *mutable) error {
	rows := living(m.rows, m.sealed)
	var sealed *segment
	if len(rows) > 0 {
		var err error
		if sealed, err = c.newSegment(context.Background(), []source{memorySource(rows)}, memorySource(rows).refs(), false); err != nil {
			return err
		}
	}
	next := c.manifest.clone()
	next.Flushed, next.Log = m.sealed, c.logAfter(m)
	stale, err := c.persistDeaths(next, m.sealed)
	if err == nil && sealed != nil {
		next.Segments = append(next.Segments, manifestSegment{Number: sealed.number, Points: sealed.rows})
	}
	if err == nil {
		err = c.commit(next)
	}
	if err != nil {
		if sealed != nil {
			sealed.release() // the file stays: the manifest may name it after all
		}
		return err
	}
	c.swapSealed(m, sealed, rows)
	stale = append(stale, logName(m.log))
	for _, name := range stale {
		c.remove(name)
	}
	return nil
}

// swapSealed puts a sealed segment in the place of a frozen one.
func (c *Collection) swapSealed(m *mutable, sealed *segment, rows []*row) {
	c.writer.Lock()
	defer c.writer.Unlock()
	before := c.view.current
	next := &view{segments: before.segments, frozen: before.frozen[1:]}
	if sealed != nil {
		for i, v := range rows {
			if died := v.died.Load(); died != 0 { // since it was frozen
				sealed.deaths.mark(i, died)
			}
		}
		next.segments = append(before.segments[:len(before.segments):len(before.segments)], sealed)
	}
	c.view.replace(next, c.active)
	if sealed != nil {
		sealed.release() // the view has it now
	}
	c.db.memory.Add(-m.bytes.Load())
}

// logAfter returns the number of the log file that follows a frozen segment's.
func (c *Collection) logAfter(m *mutable) uint64 {
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	if frozen := c.view.current.frozen; len(frozen) > 1 {
		return frozen[1].log
	}
	return c.view.active.log
}

// newSegment writes a segment file and its index file, and opens them.
func (c *Collection) newSegment(ctx context.Context, sources []source, order []rowRef, vectors bool) (*segment, error) {
	l, number := c.layout.Load(), c.newNumber()
	path := c.path(segmentName(number))
	if err := writeSegment(c.fsys, path, l, sources, order); err != nil {
		return nil, err
	}
	s, err := openSegment(c.fsys, l, number, path)
	if err != nil {
		return nil, err
	}
	s.gone = c.removeSegment
	if err := c.derive(ctx, s, vectors); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// persistDeaths writes deletions files for the segments in which rows died up
// to a write, and notes them in the manifest to come. It returns the files that
// are stale once that manifest is there.
func (c *Collection) persistDeaths(next *manifest, until uint64) (stale []string, err error) {
	for _, s := range c.segments() {
		dead := int(s.deaths.until(until).GetCardinality())
		for i := range next.Segments {
			entry := &next.Segments[i]
			if entry.Number != s.number || entry.Deleted == dead {
				continue
			}
			number := c.newNumber()
			if err := writeDeletions(c.fsys, c.path(deletionsName(s.number, number)), s.deaths, until); err != nil {
				return nil, err
			}
			if entry.Deletions != 0 {
				stale = append(stale, deletionsName(s.number, entry.Deletions))
			}
			entry.Deletions, entry.Deleted = number, dead
		}
	}
	return stale, nil
}

// segments returns the current segments. The caller holds c.structure, so they
// stay.
func (c *Collection) segments() []*segment {
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	if c.view.current == nil {
		return nil
	}
	return c.view.current.segments
}

// commit replaces the manifest. The caller holds c.structure.
func (c *Collection) commit(next *manifest) error {
	next.Next = c.next.Load()
	if err := writeManifest(c.fsys, c.dir, next); err != nil {
		return err
	}
	c.manifest = next
	return nil
}

// remove removes a file that the manifest no longer names. What cannot be
// removed is swept when the collection is opened again.
func (c *Collection) remove(name string) {
	_ = c.fsys.Remove(c.path(name))
}

// removeSegment removes the files of a segment that a merge has replaced.
func (c *Collection) removeSegment(s *segment) {
	c.remove(segmentName(s.number))
	c.remove(indexName(s.number))
	if s.deletions != 0 {
		c.remove(deletionsName(s.number, s.deletions))
	}
}

// exists reports whether a file is there.
func exists(fsys disk.FS, path string) (bool, error) {
	_, err := fsys.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
