package rag

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// Phase is what a Sync is doing.
type Phase string

// The phases of a Sync, in order.
const (
	PhaseScan  Phase = "scan"  // looking for changed files; Total is 0
	PhaseRead  Phase = "read"  // files read and cut into passages
	PhaseEmbed Phase = "embed" // passages embedded
	PhaseWrite Phase = "write" // index files written; Total is 0
)

// Progress tells how far a Sync is.
type Progress struct {
	Phase       Phase
	Done, Total int // files or passages; Total 0 means unknown
}

// SyncOptions steer one Sync.
type SyncOptions struct {
	// Exclude names files and folders to leave out, as .gitignore patterns.
	Exclude []string

	// Progress is called from the goroutine that called Sync, often; nil means
	// nobody listens.
	Progress func(Progress)
}

// FileProblem is a file that is not in the index, and why.
type FileProblem struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`

	// Known says of a file that could not be read that the index held it as such
	// before, so that its user has been told.
	Known bool `json:"known,omitempty"`
}

// SyncReport says what a Sync found and did.
type SyncReport struct {
	Files                     int // with passages in the index now: added, changed and unchanged
	Added, Changed, Unchanged int
	Removed                   int // had passages before

	Passages         int // in the index now
	Embedded, Reused int // passages embedded now, and vectors kept

	Failed  []FileProblem // could not be read or parsed
	Skipped []FileProblem // left out on purpose: hidden, excluded, binary

	Written bool // the index changed
}

// Sync brings the index up to date with the files under roots, which are files
// and folders. Only files whose size or time of change differ are read again,
// and of those only passages that are new are embedded. A file that cannot be
// read is listed in the report and stops nothing.
//
// Sync takes a lock on the directory, so that of two at once the second waits
// and then finds the first one's work done. All that it changes takes effect in
// one step: an error, a cancelled context or a crash leaves the index as it was.
// ErrEmptyCorpus is returned, with the report, when nothing under the roots has
// text; a directory that Sync made for nothing is removed.
func (c *Corpus) Sync(ctx context.Context, roots []string, options SyncOptions) (SyncReport, error) {
	if options.Progress == nil {
		options.Progress = func(Progress) {}
	}
	_, statErr := c.store.fs.Stat(c.store.dir)
	if err := c.store.fs.MkdirAll(c.store.dir, 0o700); err != nil {
		return SyncReport{}, fmt.Errorf("make index directory: %w", err)
	}
	report, err := c.sync(ctx, roots, options)
	if errors.Is(err, ErrEmptyCorpus) && errors.Is(statErr, fs.ErrNotExist) {
		c.store.removeUnwritten()
	}
	return report, err
}

// removeUnwritten removes an index that has nothing but its lock, unless another
// process is at work on it.
func (s store) removeUnwritten() {
	if _, real := s.fs.(disk.OS); !real {
		return
	}
	if entries, err := s.fs.ReadDir(s.dir); err == nil && len(entries) == 1 && entries[0].Name() == lockName {
		_ = RemoveIndex(s.dir) // what stays is listed as an index of no files
	}
}

// sync is Sync in a directory that is there.
func (c *Corpus) sync(ctx context.Context, roots []string, options SyncOptions) (SyncReport, error) {
	unlock, err := c.store.lock(ctx)
	if err != nil {
		return SyncReport{}, fmt.Errorf("wait for another process to finish indexing: %w", err)
	}
	defer unlock()
	if err := c.refresh(); err != nil {
		return SyncReport{}, err
	}
	old, err := c.acquire()
	if err != nil {
		return SyncReport{}, err
	}
	defer old.release()

	s := &syncing{Corpus: c, options: options, old: old, started: time.Now()}
	if s.roots, err = absolute(roots); err != nil {
		return SyncReport{}, err
	}
	if err := s.run(ctx); err != nil {
		return s.report, err
	}
	if s.report.Passages == 0 {
		return s.report, fmt.Errorf("index %v: %w", roots, ErrEmptyCorpus)
	}
	return s.report, nil
}

// lock keeps other writers out. A file system in memory has one process only,
// and its tests one writer.
func (s store) lock(ctx context.Context) (unlock func(), err error) {
	if _, real := s.fs.(disk.OS); !real {
		return func() {}, nil
	}
	l, err := disk.Lock(ctx, s.path(lockName))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	_ = os.Chtimes(s.path(lockName), now, now) // Index.Used
	return func() { _ = l.Unlock() }, nil      // closing the file releases it in any case
}

// refresh takes up what another process has written since, if anything.
func (c *Corpus) refresh() error {
	snap, err := c.acquire()
	if err != nil {
		return err
	}
	defer snap.release()
	c.mu.Lock()
	damaged := c.damage != nil
	c.mu.Unlock()
	if m, err := c.store.readManifest(); err == nil && !damaged && snap.current(m) {
		return nil
	}
	return c.reload()
}

// syncing is one Sync at work.
type syncing struct {
	*Corpus
	options SyncOptions
	roots   []string // absolute
	old     *snapshot
	started time.Time
	report  SyncReport
	state   indexState // what the index shall say of itself

	small      bool     // the changes are written as one batch
	unfinished []uint64 // databases of Syncs that ended early, the oldest first

	files     []fileState // in order of paths
	dirty     bool        // the index must be written
	confirmed bool        // a file that looked changed was read and is not
}

// fileState is a file as the index shall have it.
type fileState struct {
	record   documentRecord
	before   int // its place among the old documents, or -1
	reuse    bool
	passages []passageRecord // unless reused
}

func (s *syncing) run(ctx context.Context) error {
	if s.old.manifest != nil && !s.old.state.Identity.equal(s.want) {
		s.Corpus.options.Log.Info("the index was built with other settings and is built anew", "dir", s.store.dir)
		s.dirty = true
	}
	if err := s.scan(ctx); err != nil {
		return err
	}
	if err := s.read(ctx); err != nil {
		return err
	}
	s.summarize()
	if !s.dirty && !s.confirmed {
		return nil
	}
	written, err := s.write(ctx)
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	s.report.Written = s.dirty
	if err := s.reload(); err != nil {
		return err
	}
	s.store.sweep(written)
	return nil
}

// summarize counts what changed.
func (s *syncing) summarize() {
	r := &s.report
	found := 0 // of the old documents
	for _, f := range s.files {
		old := documentRecord{problem: "not there"}
		if f.before >= 0 {
			old = s.old.documents[f.before]
			found++
		}
		same := f.before >= 0 && f.record.hash == old.hash
		s.dirty = s.dirty || !same
		switch {
		case f.record.problem != "":
			r.Failed = append(r.Failed, FileProblem{f.record.path, f.record.problem, same && old.problem != ""})
			continue
		case old.problem != "":
			r.Added++
		case same:
			r.Unchanged++
		default:
			r.Changed++
		}
		r.Files++
		r.Passages += f.record.count
	}
	r.Removed = s.old.readable() - r.Changed - r.Unchanged
	s.dirty = s.dirty || found < len(s.old.documents)
}
