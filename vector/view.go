package vector

import (
	"slices"
	"sync"
)

// view is the segments of a collection between two changes of them. It is
// immutable but for its count of users.
type view struct {
	segments []*segment // in the order of their numbers
	frozen   []*mutable // sealed in memory, oldest first, on their way to a file
	users    int        // guarded by viewLock.mu
}

// viewLock holds what a snapshot is made of. Its lock is held for moments:
// nothing under it waits or reads a file.
type viewLock struct {
	mu        sync.Mutex
	current   *view
	active    *mutable
	rows      []*row // of active, as far as they have been applied
	published uint64 // the last write that snapshots see
}

// replace puts other segments in place; active may be the one before.
func (v *viewLock) replace(next *view, active *mutable) {
	for _, s := range next.segments {
		s.retain()
	}
	next.users = 1
	v.mu.Lock()
	before := v.current
	v.current = next
	if v.active != active {
		v.active, v.rows = active, active.rows
	}
	v.mu.Unlock()
	v.drop(before)
}

// drop ends one use of a view.
func (v *viewLock) drop(old *view) {
	if old == nil {
		return
	}
	v.mu.Lock()
	old.users--
	last := old.users == 0
	v.mu.Unlock()
	if last {
		for _, s := range old.segments {
			s.release()
		}
	}
}

// close gives up the current view. Snapshots that are open keep theirs.
func (v *viewLock) close() {
	v.mu.Lock()
	before := v.current
	v.current = nil
	v.mu.Unlock()
	v.drop(before)
}

// applied shows snapshots the active segment's rows; they see those that are
// published.
func (v *viewLock) applied(rows []*row) {
	v.mu.Lock()
	v.rows = rows
	v.mu.Unlock()
}

// publish lets snapshots see the writes up to seq.
func (v *viewLock) publish(seq uint64) {
	v.mu.Lock()
	v.published = max(v.published, seq)
	v.mu.Unlock()
}

// Snapshot is a collection at one moment: writes after it do not show. It costs
// next to nothing to take, keeps no writer waiting, and holds back the removal
// of merged files until Close. All methods are safe for concurrent use.
type Snapshot struct {
	c      *Collection
	view   *view
	seq    uint64
	memory []memoryView // oldest first
	layout *layout
	once   sync.Once
}

// memoryView is the rows of an unsealed segment that a snapshot may see.
type memoryView struct {
	*mutable
	rows []*row
}

// Snapshot returns the collection as it is now.
func (c *Collection) Snapshot() (*Snapshot, error) {
	v := &c.view
	s := &Snapshot{c: c, layout: c.layout.Load()}
	v.mu.Lock()
	if v.current == nil {
		v.mu.Unlock()
		return nil, ErrClosed
	}
	s.view, s.seq = v.current, v.published
	s.view.users++
	active, rows := v.active, v.rows
	v.mu.Unlock()
	for _, m := range s.view.frozen {
		s.memory = append(s.memory, memoryView{m, m.rows})
	}
	if rows = bornUntil(rows, s.seq); len(rows) > 0 {
		s.memory = append(s.memory, memoryView{active, rows})
	}
	return s, nil
}

// Close lets go of the snapshot. A second call does nothing.
func (s *Snapshot) Close() {
	s.once.Do(func() { s.c.view.drop(s.view) })
}

// without returns the segments that are not among some others.
func without(segments, others []*segment) []*segment {
	return slices.DeleteFunc(slices.Clone(segments), func(s *segment) bool { return slices.Contains(others, s) })
}
