package vector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/disk"
)

// DB is an open folder of collections. All methods are safe for concurrent use.
type DB struct {
	dir     string
	options Options
	lock    *disk.FileLock // nil on file systems in memory

	background *background
	memory     atomic.Int64 // of all points that are not sealed

	mu     sync.Mutex // guards what follows
	open   map[string]*Collection
	closed bool
}

const lockName = "lock"

// Open opens the database in a folder, making it where it is absent. One DB at
// a time may have it open to write: ErrLocked says that another one has. Others
// may read meanwhile: see Options.ReadOnly. A folder can be copied while nobody
// has it open; see Backup for one that is open.
func Open(dir string, options Options) (*DB, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, fmt.Errorf("open database %s: %w", dir, err)
	}
	db := &DB{dir: dir, options: options, open: map[string]*Collection{}}
	if options.ReadOnly {
		if _, err := options.fsys.ReadDir(dir); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
		db.background = startBackground(db)
		return db, nil
	}
	if err := makeDir(options.fsys, dir); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if _, real := options.fsys.(disk.OS); real {
		lock, err := disk.TryLock(filepath.Join(dir, lockName))
		if errors.Is(err, disk.ErrLocked) {
			err = ErrLocked
		}
		if err != nil {
			return nil, fmt.Errorf("open database %s: %w", dir, err)
		}
		db.lock = lock
	}
	db.background = startBackground(db)
	return db, nil
}

// makeDir makes a folder where it is absent, and flushes its name in any case:
// who made it may have been killed before.
func makeDir(fsys disk.FS, dir string) error {
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(dir))
}

// Close flushes and closes all collections and waits for work in the
// background. A second call does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	open := db.collections()
	db.mu.Unlock()
	db.background.stop()
	var problems []error
	for _, c := range open {
		problems = append(problems, c.close())
	}
	if db.lock != nil {
		problems = append(problems, db.lock.Unlock())
	}
	return errors.Join(problems...)
}

// collections returns the open ones. The caller holds db.mu.
func (db *DB) collections() []*Collection { return slices.Collect(maps.Values(db.open)) }

// Collection returns the collection of a name, making it where it is absent.
// It fails with ErrSchema if there is one with other vectors or keyword
// indexes; payload indexes may differ. Names have 1 to 80 bytes.
func (db *DB) Collection(name string, schema Schema) (*Collection, error) {
	if _, err := schema.compile(); err != nil {
		return nil, invalid("collection %q: %w", name, err)
	}
	if name == "" || len(name) > maxCollectionName {
		return nil, invalid("a collection's name of %d bytes: want 1 to %d", len(name), maxCollectionName)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	c, err := db.get(name)
	if errors.Is(err, ErrNotFound) && !db.options.ReadOnly {
		if err := createCollection(db, name, db.folder(name), schema); err != nil {
			return nil, fmt.Errorf("collection %q: %w", name, err)
		}
		return db.get(name)
	}
	if err != nil {
		return nil, err
	}
	if have := c.Schema(); !have.compatible(schema) {
		return nil, fmt.Errorf("collection %q: %w: it has %s", name, ErrSchema, have)
	}
	return c, nil
}

// Lookup returns the collection of a name, or ErrNotFound.
func (db *DB) Lookup(name string) (*Collection, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.get(name)
}

// get opens a collection once. The caller holds db.mu.
func (db *DB) get(name string) (*Collection, error) {
	if db.closed {
		return nil, fmt.Errorf("collection %q: %w", name, ErrClosed)
	}
	if c := db.open[name]; c != nil {
		return c, nil
	}
	dir := db.folder(name)
	there, err := exists(db.options.fsys, filepath.Join(dir, manifestName))
	if err != nil {
		return nil, fmt.Errorf("collection %q: %w", name, err)
	}
	if !there {
		return nil, fmt.Errorf("collection %q: %w", name, ErrNotFound)
	}
	open := openCollection
	if db.options.ReadOnly {
		open = openReader
	}
	c, err := open(db, dir)
	if err != nil {
		return nil, err
	}
	db.open[name] = c
	db.background.seal(c) // and then what a merge left undone
	return c, nil
}

// Drop removes a collection and its files. Snapshots of it must be closed.
func (db *DB) Drop(name string) error {
	if db.options.ReadOnly {
		return fmt.Errorf("drop collection %q: %w", name, ErrReadOnly)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	c, err := db.get(name)
	if err != nil {
		return err
	}
	delete(db.open, name)
	return c.drop()
}

// Collections lists the names of all collections, sorted.
func (db *DB) Collections() ([]string, error) {
	entries, err := db.options.fsys.ReadDir(db.dir)
	if err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	var names []string
	for _, e := range entries {
		name, ok := collectionName(e.Name())
		if !ok || !e.IsDir() {
			continue
		}
		if there, err := exists(db.options.fsys, filepath.Join(db.dir, e.Name(), manifestName)); err != nil {
			return nil, fmt.Errorf("list collections: %w", err)
		} else if there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// maxCollectionName keeps the folder's name, three bytes for each of the
// name's at worst, within what file systems allow.
const maxCollectionName = 80

// plainBytes stand for themselves in a folder's name. Capitals do not, since
// some file systems do not tell them from small letters.
const plainBytes = "abcdefghijklmnopqrstuvwxyz0123456789-_"

// folder is where a collection's files are: its name, with every byte that is
// not plain as % and two digits.
func (db *DB) folder(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if strings.IndexByte(plainBytes, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return filepath.Join(db.dir, b.String())
}

// collectionName is the inverse of folder.
func collectionName(folder string) (string, bool) {
	var b strings.Builder
	for rest := folder; rest != ""; {
		switch {
		case strings.IndexByte(plainBytes, rest[0]) >= 0:
			b.WriteByte(rest[0])
			rest = rest[1:]
		case rest[0] == '%' && len(rest) >= 3:
			var c byte
			if _, err := fmt.Sscanf(rest[1:3], "%02x", &c); err != nil {
				return "", false
			}
			b.WriteByte(c)
			rest = rest[3:]
		default:
			return "", false
		}
	}
	return b.String(), folder != ""
}

// sealOthers asks for memory that other collections hold.
func (db *DB) sealOthers(c *Collection) {
	db.mu.Lock()
	others := db.collections()
	db.mu.Unlock()
	for _, other := range others {
		if other != c {
			db.background.sealAll(other)
		}
	}
	db.background.seal(c)
}

// Backup copies the database to a new folder while it is in use. Each
// collection is copied as it was at one moment during the call. The folder must
// be empty or absent; it is a database when Backup returns nil.
func (db *DB) Backup(ctx context.Context, dir string) error {
	if db.options.ReadOnly {
		return fmt.Errorf("back up: %w", ErrReadOnly)
	}
	fsys := db.options.fsys
	if err := makeDir(fsys, dir); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if entries, err := fsys.ReadDir(dir); err != nil || len(entries) > 0 {
		return fmt.Errorf("back up to %s: the folder is not empty, or cannot be read: %w", dir, errors.Join(err, fs.ErrExist))
	}
	names, err := db.Collections()
	if err != nil {
		return err
	}
	for _, name := range names {
		c, err := db.Lookup(name)
		if errors.Is(err, ErrNotFound) {
			continue // dropped meanwhile
		}
		if err == nil {
			err = c.backup(ctx, filepath.Join(dir, filepath.Base(c.dir)))
		}
		if err != nil {
			return fmt.Errorf("back up collection %q: %w", name, err)
		}
	}
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}

// backup seals what is in memory and copies the segments, which stay while they
// are held, and last the manifest.
func (c *Collection) backup(ctx context.Context, dir string) error {
	if err := c.Seal(ctx); err != nil {
		return err
	}
	c.structure.Lock()
	m := c.manifest.clone()
	segments := c.segments()
	for _, s := range segments {
		s.retain()
	}
	// Deletions files are small, but unlike segments they go when a later one
	// comes: they are copied before the lock is let go.
	err := c.fsys.MkdirAll(dir, 0o755)
	for _, e := range m.Segments {
		if err == nil && e.Deletions != 0 {
			name := deletionsName(e.Number, e.Deletions)
			err = copyFile(c.fsys, c.path(name), c.fsys, filepath.Join(dir, name))
		}
	}
	c.structure.Unlock()
	defer func() {
		for _, s := range segments {
			s.release()
		}
	}()
	for _, s := range segments {
		for _, name := range []string{segmentName(s.number), indexName(s.number)} {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = copyFile(c.fsys, c.path(name), c.fsys, filepath.Join(dir, name))
			}
		}
	}
	if err != nil {
		return err
	}
	m.Log = m.Next // none of the logs is copied
	return writeManifest(c.fsys, dir, m)
}

// copyFile copies a file durably.
func copyFile(from disk.FS, source string, to disk.FS, target string) error {
	in, err := from.OpenFile(source, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	return disk.WriteFileIn(to, target, 0o644, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}
