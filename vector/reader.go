package vector

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/disk"
)

// A read-only collection is opened beside a writer without a lock. What makes
// that safe is the order in which a writer works: files that a manifest names,
// and log files from its first on, are removed only after another manifest has
// taken its place. So a reader that opened everything and then finds the
// manifest unchanged has opened one state; else it begins again. Of the last log
// file it sees a prefix, which ends with a whole write. That write may not have
// been acknowledged yet, so that a power cut can undo what a reader has seen.

// reading is what a read-only collection was opened from.
type reading struct {
	manifest []byte
	logs     []readLog
	torn     bool // the last log ended in a write that was not whole
}

type readLog struct {
	number uint64
	bytes  int64
}

// openReader is openCollection for Options.ReadOnly.
func openReader(db *DB, dir string) (*Collection, error) {
	fsys, path := db.options.fsys, filepath.Join(dir, manifestName)
	data, err := disk.ReadFile(fsys, path)
	for {
		if err != nil {
			return nil, fmt.Errorf("open collection: %w", err)
		}
		c, openErr := openReaderOnce(db, dir, data)
		var again []byte
		if again, err = disk.ReadFile(fsys, path); err == nil && bytes.Equal(again, data) {
			return c, openErr
		}
		if c != nil {
			c.close()
		}
		data = again
	}
}

func openReaderOnce(db *DB, dir string, data []byte) (*Collection, error) {
	m, err := parseManifest(data)
	if err != nil {
		return nil, corrupt(filepath.Join(dir, manifestName), err)
	}
	c, err := (&Collection{
		db: db, dir: dir, fsys: db.options.fsys, manifest: m,
		read: &reading{manifest: data}, failed: ErrReadOnly,
	}).recover()
	var missing *fs.PathError
	if errors.Is(err, fs.ErrNotExist) && errors.As(err, &missing) {
		err = corrupt(missing.Path, errors.New("it is missing"))
	}
	return c, err
}

// Changed reports whether a writer has changed a read-only collection since it
// was opened; it reads two small things and no points. It is false for one that
// is open to be written, which always shows its newest state.
func (c *Collection) Changed() (bool, error) {
	if c.read == nil {
		return false, nil
	}
	data, err := disk.ReadFile(c.fsys, c.path(manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("collection %q: %w", c.name, err)
	}
	if c.read.torn || !bytes.Equal(data, c.read.manifest) {
		return true, nil
	}
	entries, err := c.fsys.ReadDir(c.dir)
	if err != nil {
		return false, fmt.Errorf("collection %q: %w", c.name, err)
	}
	logs := 0
	for _, e := range entries {
		kind, number, ok := parseFileName(e.Name())
		if !ok || kind != "log" || number < c.manifest.Log {
			continue
		}
		info, err := e.Info()
		if err != nil || logs == len(c.read.logs) || (c.read.logs[logs] != readLog{number, info.Size()}) {
			return true, nil
		}
		logs++
	}
	return logs != len(c.read.logs), nil
}

// OnFiles returns the options for a database on another file system, whose work
// is all done in the caller's goroutine: tests stop it at any step. It is for the
// packages of this module.
func (o Options) OnFiles(files disk.FS) Options {
	o.fsys, o.manual = files, true
	return o
}

// CheckFiles is Check on another file system.
func CheckFiles(files disk.FS, dir string) error { return check(files, dir) }
