package vector

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector/internal/wal"
)

// Collection is a set of points with one schema. All methods are safe for
// concurrent use. Reads see every write that was acknowledged before they
// began, and never wait for writes.
type Collection struct {
	db   *DB
	name string
	dir  string
	fsys disk.FS

	// structure is held while the set of files changes: by sealing, by the end
	// of a merge, by new payload indexes. Lock order: structure, writer, sync,
	// view.
	structure sync.Mutex
	manifest  *manifest // as on disk; guarded by structure

	// writer is held while a write is planned, logged and applied.
	writer  sync.Mutex
	log     *wal.Writer // replaced under writer and sync
	logPath string
	active  *mutable      // takes the writes; guarded by writer
	applied atomic.Uint64 // the last write that was applied
	failed  error         // why writing is over; guarded by sync
	closed  bool          // guarded by writer

	sync    sync.Mutex    // held while the log is flushed
	durable atomic.Uint64 // the last write known to be on the device

	view viewLock
	read *reading // how a read-only collection was when it was opened; else nil

	next   atomic.Uint64 // the number of the next file
	layout atomic.Pointer[layout]

	sealing sealing
	merging sync.Mutex // held by the one merge at a time
}

// Name returns the collection's name.
func (c *Collection) Name() string { return c.name }

// Schema returns the collection's schema.
func (c *Collection) Schema() Schema {
	c.structure.Lock()
	defer c.structure.Unlock()
	return c.manifest.Schema.clone()
}

// Damage lists what could not be read when the collection was opened, now or
// earlier. It is empty in all but sad cases.
func (c *Collection) Damage() []Damage {
	c.structure.Lock()
	defer c.structure.Unlock()
	return slices.Clone(c.manifest.Damage)
}

func (c *Collection) path(name string) string { return filepath.Join(c.dir, name) }

// newNumber returns a number that no file of the collection ever had.
func (c *Collection) newNumber() uint64 { return c.next.Add(1) - 1 }

// createCollection makes the folder of a new collection: the manifest, written
// last, is what makes it one.
func createCollection(db *DB, name, dir string, schema Schema) error {
	if err := db.options.fsys.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create collection: %w", err)
	}
	if err := db.options.fsys.SyncDir(db.dir); err != nil { // also after a crash between the two
		return fmt.Errorf("create collection: %w", err)
	}
	return writeManifest(db.options.fsys, dir, &manifest{
		Version: manifestVersion, Name: name, Schema: schema, Next: 1, Log: 1,
	})
}

// openCollection reads a collection's manifest, maps its segments and replays
// its log.
func openCollection(db *DB, dir string) (*Collection, error) {
	m, err := readManifest(db.options.fsys, dir)
	if err != nil {
		return nil, err
	}
	return (&Collection{db: db, dir: dir, fsys: db.options.fsys, manifest: m}).recover()
}

// recover brings a collection with a manifest to life.
func (c *Collection) recover() (_ *Collection, err error) {
	c.name = c.manifest.Name
	l, err := c.manifest.Schema.compile()
	if err != nil {
		return nil, corrupt(c.path(manifestName), err)
	}
	c.layout.Store(l)
	c.sealing.init()
	r := recovery{c: c, manifest: c.manifest.clone()}
	defer func() {
		if err != nil {
			r.abandon()
		}
	}()
	if err := r.run(); err != nil {
		return nil, fmt.Errorf("open collection %q: %w", c.name, err)
	}
	return c, nil
}

func (m *manifest) clone() *manifest {
	n := *m
	n.Segments = slices.Clone(m.Segments)
	n.Damage = slices.Clone(m.Damage)
	return &n
}

// close ends the collection: the log is flushed, and what readers do not use
// any more is unmapped.
func (c *Collection) close() error {
	c.merging.Lock() // waits for a merge
	defer c.merging.Unlock()
	c.structure.Lock()
	defer c.structure.Unlock()
	c.writer.Lock()
	defer c.writer.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.sync.Lock()
	defer c.sync.Unlock()
	err := c.closeLog()
	c.view.close()
	c.db.memory.Add(-c.active.bytes.Load())
	c.sealing.wake(nil)
	if err != nil {
		return fmt.Errorf("close collection %q: %w", c.name, err)
	}
	return nil
}

// closeLog flushes the log and closes it. The caller holds c.sync.
func (c *Collection) closeLog() error {
	if c.read != nil {
		return nil
	}
	err := c.failed
	if err == nil {
		err = c.log.Sync()
	}
	if closeErr := c.log.Close(); closeErr != nil && !errors.Is(closeErr, fs.ErrClosed) {
		err = errors.Join(err, closeErr)
	}
	return err
}

// drop closes the collection and removes its files, the manifest first.
func (c *Collection) drop() error {
	if err := c.close(); err != nil && !errors.Is(err, ErrReadOnly) {
		return err
	}
	return removeCollection(c.fsys, c.dir)
}

// removeCollection removes a collection's folder. It is gone once the manifest
// is.
func removeCollection(fsys disk.FS, dir string) error {
	if err := fsys.Remove(filepath.Join(dir, manifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop collection: %w", err)
	}
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("drop collection: %w", err)
	}
	for _, folder := range []string{filepath.Join(dir, quarantineName), dir} {
		entries, err := fsys.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("drop collection: %w", err)
		}
		for _, e := range entries {
			if err := fsys.Remove(filepath.Join(folder, e.Name())); err != nil {
				return fmt.Errorf("drop collection: %w", err)
			}
		}
		if err := fsys.Remove(folder); err != nil {
			return fmt.Errorf("drop collection: %w", err)
		}
	}
	return nil
}
