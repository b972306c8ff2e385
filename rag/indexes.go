package rag

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector"
)

// Index is one of the indexes in a folder, as its manifest tells.
type Index struct {
	Dir string // OpenCorpus opens it

	// Roots are the files and folders it was made of, and Exclude the patterns
	// of what was left out. An index of version 1 does not tell.
	Roots, Exclude []string

	Embedding           string // name of the embedding model, "" for keywords only
	Documents, Passages int
	Bytes               int64     // on disk
	Used                time.Time // when it was last synced
	Damage              error     // why the rest is not known, or nil
}

// indexDepth is how deep below a folder indexes are looked for.
const indexDepth = 3

// Indexes lists the indexes in a folder and in the folders below it, the last
// used first. A folder that does not exist has none.
func Indexes(folder string) ([]Index, error) {
	var found []Index
	dirs, err := indexDirs(folder, indexDepth)
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	for _, dir := range dirs {
		found = append(found, describeIndex(dir))
	}
	slices.SortFunc(found, func(a, b Index) int { return b.Used.Compare(a.Used) })
	return found, nil
}

// indexDirs finds the directories that hold an index, also one whose first Sync
// was interrupted: it has a lock and no manifest yet.
func indexDirs(folder string, depth int) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, entry := range entries {
		switch {
		case entry.Name() == manifestName, entry.Name() == lockName && !entry.IsDir():
			return []string{folder}, nil
		case entry.IsDir() && depth > 0:
			below, err := indexDirs(filepath.Join(folder, entry.Name()), depth-1)
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, below...)
		}
	}
	return dirs, nil
}

// IsIndex reports whether a directory is an index, whole or not.
func IsIndex(dir string) bool {
	has := func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && !info.IsDir()
	}
	databases, _ := store{disk.OS{}, dir}.databases()
	named, locked := has(manifestName), has(lockName)
	return named && locked || len(databases) > 0 && (named || locked)
}

func describeIndex(dir string) Index {
	s := store{disk.OS{}, dir}
	index := Index{Dir: dir}
	index.Bytes, index.Used = s.usage()
	m, err := s.readManifest()
	if err != nil || m == nil || m.foreign() { // damaged, not finished, or of an older version
		index.Damage = err
		return index
	}
	snap, err := s.openDatabase(m.Database, false)
	if err != nil {
		index.Damage = err
		return index
	}
	defer snap.release()
	index.Roots, index.Exclude = snap.state.Roots, snap.state.Exclude
	index.Documents, index.Passages = snap.state.Documents, snap.state.Passages
	if e := snap.state.Identity.Embedding; e != nil {
		index.Embedding = e.Model
	}
	return index
}

// usage is the size of an index and the time of its last use, which the lock's
// time of change tells.
func (s store) usage() (bytes int64, used time.Time) {
	_ = filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // what is gone meanwhile counts nothing
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		bytes += info.Size()
		if path == s.path(lockName) || used.IsZero() {
			used = info.ModTime()
		}
		return nil
	})
	return bytes, used
}

// Gone reports whether nothing of what the index was made of exists any more.
// It is false where that cannot be told.
func (i Index) Gone() bool {
	for _, root := range i.Roots {
		if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return len(i.Roots) > 0
}

// ErrIndexInUse reports an index that another process is syncing.
var ErrIndexInUse = errors.New("another process is indexing")

// RemoveIndex removes the index in dir, and the folder it lies in if nothing
// else is there. It removes no file but an index's own, and returns
// ErrIndexInUse while a Sync is at work on it. Searches that run go on.
func RemoveIndex(dir string) error {
	s := store{disk.OS{}, dir}
	lock, err := disk.TryLock(s.path(lockName))
	if errors.Is(err, disk.ErrLocked) {
		return fmt.Errorf("remove index %s: %w", dir, ErrIndexInUse)
	}
	if err != nil {
		return fmt.Errorf("remove index %s: %w", dir, err)
	}
	// The manifest goes first, so that what is left after a crash is no index.
	err = s.removeFiles()
	if unlockErr := lock.Unlock(); err == nil {
		err = unlockErr
	}
	if err != nil {
		return fmt.Errorf("remove index %s: %w", dir, err)
	}
	_ = os.Remove(s.path(lockName))
	for range 2 { // the index's folder and that of its documents; not empty, they stay
		_ = os.Remove(dir)
		dir = filepath.Dir(dir)
	}
	return nil
}

func (s store) removeFiles() error {
	if err := s.fs.Remove(s.path(manifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.sweep(0)
	return nil
}

// borrow takes the vectors of passages that lack one from where their keys are
// known: a passage of the same text has the same vector, if the model is the same.
// Those are the old index, what a Sync that ended early left, and the other
// indexes in the folder. One that cannot be read has none.
func (w *vectorizing) borrow(ctx context.Context) error {
	if len(w.waiting) > 0 && w.old.hasVectors() && w.old.state.Identity.sameVectors(w.want) {
		if err := w.takeFrom(ctx, w.old); err != nil {
			return err
		}
	}
	for _, n := range w.unfinished {
		if err := w.takeFromDatabase(ctx, w.store, n); err != nil {
			return err
		}
	}
	if w.Corpus.options.Indexes == "" {
		return nil
	}
	dirs, err := indexDirs(w.Corpus.options.Indexes, indexDepth)
	if err != nil {
		return nil // a folder that cannot be listed has no indexes to borrow from
	}
	for _, dir := range dirs {
		other := store{w.store.fs, dir}
		if m, err := other.readManifest(); err == nil && m != nil && !m.foreign() && dir != filepath.Clean(w.store.dir) {
			if err := w.takeFromDatabase(ctx, other, m.Database); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeFromDatabase takes the vectors of a database, if they may stand beside
// those of the wanted identity.
func (w *vectorizing) takeFromDatabase(ctx context.Context, s store, number uint64) error {
	if len(w.waiting) == 0 {
		return nil
	}
	snap, err := s.openDatabase(number, true)
	if err != nil {
		return nil
	}
	defer snap.release()
	if !snap.hasVectors() || !snap.state.Identity.sameVectors(w.want) {
		return nil
	}
	return w.takeFrom(ctx, snap)
}

// takeFrom takes the vectors of a snapshot.
func (w *vectorizing) takeFrom(ctx context.Context, snap *snapshot) error {
	wanted := vector.Scroll{
		Namespace: passageSpace, With: vector.With{AllVectors: true},
		Filter: vector.All(vector.MatchAny{Key: keyField, Values: w.wanted()}),
	}
	for p, err := range snap.view.Points(ctx, wanted) {
		if err != nil {
			return err
		}
		key, ok := parseKey(fields{p.Payload}.text(keyField))
		if !ok || len(p.Vector) != w.want.Embedding.Dimensions {
			continue
		}
		n, err := w.take(key, p.Vector)
		w.report.Reused += n
		if err != nil {
			return err
		}
	}
	return nil
}
