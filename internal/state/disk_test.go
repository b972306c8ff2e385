//go:build linux

package state

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/ragstone/ragstone/internal/disk"
)

// lossyDisk is a file system of SQLite that remembers what of its databases and
// their logs has been synced, and what has been written since, which a power
// loss may take. It is SQLite's own for the operating system, with some
// functions put in front of it: a VFS shim, as SQLite's documentation of its OS
// interface calls it (sqlite.org/vfs.html, section 2.3).
type lossyDisk struct {
	mu    sync.Mutex // guards what follows, and is held while a file changes
	files map[string]*lossyFile
}

// lossyFile is the contents of a file: those that are sure, and the changes
// since.
type lossyFile struct {
	synced  []byte
	changes []change
}

// change is a write or, without data, a truncation to offset.
type change struct {
	offset int64
	data   []byte
}

func (c change) apply(contents []byte) []byte {
	if c.data == nil {
		return contents[:min(int64(len(contents)), c.offset)]
	}
	if missing := c.offset + int64(len(c.data)) - int64(len(contents)); missing > 0 {
		contents = append(contents, make([]byte, missing)...)
	}
	copy(contents[c.offset:], c.data)
	return contents
}

// sector is what a disk writes whole or not at all.
const sector = 512

// afterPowerLoss is what the disk may hold once the power is gone: all that was
// synced, and of what was not any part, in any order.
func (d *lossyDisk) afterPowerLoss(random *rand.Rand) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	survived := map[string][]byte{}
	for name, f := range d.files {
		contents := slices.Clone(f.synced)
		for _, c := range f.changes {
			switch random.IntN(4) {
			case 0: // lost
			case 1: // torn
				for at := 0; at < len(c.data); at += sector {
					if random.IntN(2) == 0 {
						contents = change{c.offset + int64(at), c.data[at:min(at+sector, len(c.data))]}.apply(contents)
					}
				}
			default:
				contents = c.apply(contents)
			}
		}
		survived[filepath.Base(name)] = contents
	}
	return survived
}

// note remembers a change of a file, and runs it.
func (d *lossyDisk) note(name string, c change, run func() int32) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	rc := run()
	if rc == sqlite3.SQLITE_OK {
		f := d.files[name]
		f.changes = append(f.changes, c)
	}
	return rc
}

// sync makes all changes of a file sure.
func (d *lossyDisk) sync(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	for _, c := range f.changes {
		f.synced = c.apply(f.synced)
	}
	f.changes = nil
}

// open begins to remember a file, if it is new.
func (d *lossyDisk) open(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[name] == nil {
		contents, _ := os.ReadFile(name)
		d.files[name] = &lossyFile{synced: contents}
	}
}

// lossyVFS is the name the shim has in SQLite. SQLite has one such list in a
// process, and so have we one disk.
const lossyVFS = "lossy"

var lossy = &lossyDisk{files: map[string]*lossyFile{}}

// shim is what SQLite is told of: copies of its own tables of functions, with
// ours in them. SQLite keeps pointers to it.
var shim struct {
	once   sync.Once
	system uintptr // SQLite's own vfs
	vfs    sqlite3.Tsqlite3_vfs

	mu      sync.Mutex                               // guards methods
	methods map[uintptr]*sqlite3.Tsqlite3_io_methods // ours, by SQLite's, which differ by kind of file

	files sync.Map // shimFile of open files, by SQLite's pointers to them

	// Ours, which their pointers do not keep alive.
	open     func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	write    func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	truncate func(*libc.TLS, uintptr, int64) int32
	sync     func(*libc.TLS, uintptr, int32) int32
}

// shimFile is an open file, and SQLite's own methods for it.
type shimFile struct {
	name  string
	below *sqlite3.Tsqlite3_io_methods
}

// function is a C function pointer, as the translated SQLite has it, to f.
func function[F any](f *F) uintptr { return *(*uintptr)(unsafe.Pointer(f)) }

// called is the Go function that such a pointer is to.
func called[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ uintptr }{p})) }

// at is what a C pointer is to.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// registerLossy tells SQLite of the disk.
func registerLossy() {
	shim.once.Do(func() {
		tls := libc.NewTLS()
		defer tls.Close()
		shim.system = sqlite3.Xsqlite3_vfs_find(tls, 0)
		shim.methods = map[uintptr]*sqlite3.Tsqlite3_io_methods{}
		shim.vfs = *at[sqlite3.Tsqlite3_vfs](shim.system)
		name, err := libc.CString(lossyVFS)
		if err != nil {
			panic(err)
		}
		shim.open, shim.write, shim.truncate, shim.sync = shimOpen, shimWrite, shimTruncate, shimSync
		shim.vfs.FzName, shim.vfs.FxOpen = name, function(&shim.open)
		if rc := sqlite3.Xsqlite3_vfs_register(tls, uintptr(unsafe.Pointer(&shim.vfs)), 0); rc != sqlite3.SQLITE_OK {
			panic("SQLite does not take the file system")
		}
	})
}

// shimOpen opens a file as SQLite does and, if it is a database or its log,
// puts our methods before its own.
func shimOpen(tls *libc.TLS, _, path, file uintptr, flags int32, flagsOut uintptr) int32 {
	open := called[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](at[sqlite3.Tsqlite3_vfs](shim.system).FxOpen)
	rc := open(tls, shim.system, path, file, flags, flagsOut)
	if rc != sqlite3.SQLITE_OK || flags&(sqlite3.SQLITE_OPEN_MAIN_DB|sqlite3.SQLITE_OPEN_WAL) == 0 {
		return rc
	}
	f := shimFile{libc.GoString(path), at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](file).FpMethods)}
	lossy.open(f.name)
	shim.files.Store(file, f)
	shim.mu.Lock()
	defer shim.mu.Unlock()
	below := at[sqlite3.Tsqlite3_file](file).FpMethods
	ours := shim.methods[below]
	if ours == nil {
		copied := *f.below
		ours = &copied
		ours.FxWrite, ours.FxTruncate, ours.FxSync = function(&shim.write), function(&shim.truncate), function(&shim.sync)
		shim.methods[below] = ours
	}
	at[sqlite3.Tsqlite3_file](file).FpMethods = uintptr(unsafe.Pointer(ours))
	return rc
}

func opened(file uintptr) shimFile {
	f, _ := shim.files.Load(file)
	return f.(shimFile)
}

func shimWrite(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	c := change{offset, slices.Clone(unsafe.Slice(at[byte](data), n))}
	f := opened(file)
	return lossy.note(f.name, c, func() int32 {
		return called[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.below.FxWrite)(tls, file, data, n, offset)
	})
}

func shimTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f := opened(file)
	return lossy.note(f.name, change{offset: size}, func() int32 {
		return called[func(*libc.TLS, uintptr, int64) int32](f.below.FxTruncate)(tls, file, size)
	})
}

// lossyFS is the same disk for what is written without SQLite: of names, which
// it makes and removes at once, a removed one may come back after a power loss.
type lossyFS struct{ disk.OS }

func (l lossyFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	f, err := l.OS.OpenFile(name, flag, perm)
	if err != nil || flag&os.O_WRONLY == 0 {
		return f, err
	}
	lossy.open(name)
	return &lossyAppender{File: f}, nil
}

func (l lossyFS) Remove(name string) error {
	lossy.mu.Lock()
	if rand.IntN(2) == 0 {
		delete(lossy.files, name)
	}
	lossy.mu.Unlock()
	return l.OS.Remove(name)
}

// lossyAppender is a file that is appended to.
type lossyAppender struct {
	disk.File
	end int64
}

func (f *lossyAppender) Write(p []byte) (n int, err error) {
	lossy.note(f.Name(), change{f.end, slices.Clone(p)}, func() int32 {
		if n, err = f.File.Write(p); err != nil {
			return sqlite3.SQLITE_IOERR
		}
		return sqlite3.SQLITE_OK
	})
	f.end += int64(n)
	return n, err
}

func (f *lossyAppender) Sync() error {
	lossy.sync(f.Name())
	return nil
}

// shimSync spares the disk below: that it is asked is what counts.
func shimSync(_ *libc.TLS, file uintptr, _ int32) int32 {
	lossy.sync(opened(file).name)
	return sqlite3.SQLITE_OK
}
