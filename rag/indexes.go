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

func describeIndex(dir string) Index {
	s := store{disk.OS{}, dir}
	index := Index{Dir: dir}
	index.Bytes, index.Used = s.usage()
	m, err := s.readManifest()
	if err != nil || m == nil { // damaged, or not finished
		index.Damage = err
		return index
	}
	index.Roots, index.Exclude = m.Roots, m.Exclude
	index.Documents, index.Passages = m.Documents, m.Passages
	if m.Identity.Embedding != nil {
		index.Embedding = m.Identity.Embedding.Model
	}
	return index
}

// usage is the size of an index and the time of its last use, which the lock's
// time of change tells.
func (s store) usage() (bytes int64, used time.Time) {
	entries, _ := os.ReadDir(s.dir)
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			continue
		}
		bytes += info.Size()
		if entry.Name() == lockName || used.IsZero() {
			used = info.ModTime()
		}
	}
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
	s.removePending()
	return nil
}

// borrow takes the vectors of missing passages from the other indexes in the
// folder: a passage of the same text has the same vector, if the model is the
// same. An index that cannot be read has none.
func (s *syncing) borrow(ctx context.Context, missing map[passageKey][]int, take func(passageKey, []float32)) {
	dirs, err := indexDirs(s.Corpus.options.Indexes, indexDepth)
	if err != nil {
		return
	}
	left := len(missing)
	for _, dir := range dirs {
		if ctx.Err() != nil || left == 0 {
			return
		}
		if dir == filepath.Clean(s.store.dir) {
			continue
		}
		snap, err := store{s.store.fs, dir}.openVectors(s.want)
		if err != nil {
			continue
		}
		seen := map[passageKey]bool{}
		for id, p := range snap.passages {
			if _, ok := missing[p.key]; ok && !seen[p.key] {
				seen[p.key] = true
				take(p.key, snap.vectors.Vector(id))
				left--
			}
		}
		snap.release()
	}
}

var errOtherVectors = errors.New("no vectors of this model")

// openVectors opens the passages and vectors of an index, if its vectors may
// stand beside those of the wanted identity.
func (s store) openVectors(want identity) (*snapshot, error) {
	m, err := s.readManifest()
	if err != nil {
		return nil, err
	}
	if m == nil || m.Identity.Embedding == nil || !m.Identity.sameVectors(want) {
		return nil, errOtherVectors
	}
	snap := &snapshot{manifest: m}
	snap.users.Store(1)
	if err := errors.Join(s.loadTable(snap), s.loadVectors(snap)); err != nil {
		snap.release()
		return nil, err
	}
	return snap, nil
}
