package disk

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrStopped is what every operation returns from the one that MemFS.StopAt
// named: the program is dead, and nothing it does reaches the device.
var ErrStopped = errors.New("the file system has stopped")

// A MemFS is a file system in memory with a device behind it. What a program
// sees is its memory; what survives Crash is what it flushed: a file's content
// by File.Sync, a folder's names by SyncDir. It serves tests only.
//
// Operations that change something are counted: opening with O_CREATE or
// O_TRUNC, Write, Truncate, Sync, Rename, Remove, MkdirAll and SyncDir. StopAt
// and FailAt name one of them by its number. A MemFS is safe for concurrent
// use.
type MemFS struct {
	mu    sync.Mutex // guards all below, and every node
	root  *memNode
	boots int // crashes so far: a file opened before a crash is dead

	ops      int
	stopAt   int // zero: never
	failAt   int // zero: never
	failWith error
	capacity int64 // negative: no limit
}

// A memNode is a file or, when names is not nil, a folder, as the program sees
// it and as the device has it.
type memNode struct {
	perm    fs.FileMode
	modTime time.Time

	data, synced []byte

	names, syncedNames map[string]*memNode
}

func newMemDir(perm fs.FileMode) *memNode {
	return &memNode{
		perm:        perm,
		modTime:     time.Now(),
		names:       map[string]*memNode{},
		syncedNames: map[string]*memNode{},
	}
}

// NewMemFS returns a file system with an empty root folder, without faults.
func NewMemFS() *MemFS {
	return &MemFS{root: newMemDir(0o755), capacity: -1}
}

// Ops is the number of changing operations so far.
func (m *MemFS) Ops() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops
}

// StopAt makes the n-th changing operation from now, and all after it, fail
// with ErrStopped; a Write that is stopped leaves half of its bytes. Zero takes
// the stop away, and so does a crash.
func (m *MemFS) StopAt(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopAt = 0; n > 0 {
		m.stopAt = m.ops + n
	}
}

// FailAt makes the n-th changing operation from now fail with err, such as
// syscall.EIO, and only that one; a Write that fails leaves half of its bytes.
func (m *MemFS) FailAt(n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failAt, m.failWith = m.ops+n, err
}

// Limit is the number of bytes all files together may hold; what would exceed
// it fails with syscall.ENOSPC after filling what is left. A negative limit is
// none.
func (m *MemFS) Limit(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = bytes
}

// Settle flushes everything, as a test wants it before the part it examines.
func (m *MemFS) Settle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.root.settle()
}

// Crash is a power cut: what was not flushed is gone, open files are dead, and
// faults and stops are off.
func (m *MemFS) Crash() { m.crash(func(n *memNode) { n.names = maps.Clone(n.syncedNames) }) }

// CrashKeepingNames is the other power cut that file systems allow: names
// reached the device without being flushed, contents did not. It shows a rename
// that was not preceded by a Sync.
func (m *MemFS) CrashKeepingNames() {
	m.crash(func(n *memNode) { n.syncedNames = maps.Clone(n.names) })
}

func (m *MemFS) crash(settleNames func(*memNode)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boots++
	m.stopAt, m.failAt, m.capacity = 0, 0, -1
	m.root.crash(settleNames)
}

func (n *memNode) crash(settleNames func(*memNode)) {
	if n.names == nil {
		n.data = append([]byte(nil), n.synced...)
		return
	}
	settleNames(n)
	for _, child := range n.names {
		child.crash(settleNames)
	}
}

func (n *memNode) settle() {
	n.sync()
	for _, child := range n.names {
		child.settle()
	}
}

func (n *memNode) sync() {
	n.synced = append([]byte(nil), n.data...)
	n.syncedNames = maps.Clone(n.names)
}

// size is the bytes below n.
func (n *memNode) size() int64 {
	size := int64(len(n.data))
	for _, child := range n.names {
		size += child.size()
	}
	return size
}

// step counts a changing operation and tells whether it fails.
func (m *MemFS) step(op, name string) error {
	m.ops++
	switch {
	case m.stopAt > 0 && m.ops >= m.stopAt:
		return &fs.PathError{Op: op, Path: name, Err: ErrStopped}
	case m.failAt == m.ops:
		return &fs.PathError{Op: op, Path: name, Err: m.failWith}
	}
	return nil
}

// find returns the node of a name.
func (m *MemFS) find(op, name string) (*memNode, error) {
	n := m.root
	for _, elem := range elements(name) {
		switch child := n.names[elem]; {
		case n.names == nil:
			return nil, &fs.PathError{Op: op, Path: name, Err: syscall.ENOTDIR}
		case child == nil:
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		default:
			n = child
		}
	}
	return n, nil
}

// parent returns the folder a name is in, and its last element.
func (m *MemFS) parent(op, name string) (dir *memNode, base string, err error) {
	elems := elements(name)
	if len(elems) == 0 {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	base = elems[len(elems)-1]
	dir, err = m.find(op, path.Join(elems[:len(elems)-1]...))
	if err == nil && dir.names == nil {
		err = &fs.PathError{Op: op, Path: name, Err: syscall.ENOTDIR}
	}
	return dir, base, err
}

// elements splits a name; absolute and relative names start at the same root.
func elements(name string) []string {
	clean := strings.Trim(path.Clean("/"+filepath.ToSlash(name)), "/")
	if clean == "" {
		return nil
	}
	return strings.Split(clean, "/")
}

// OpenFile is FS.OpenFile.
func (m *MemFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if flag&(os.O_CREATE|os.O_TRUNC) != 0 {
		if err := m.step("open", name); err != nil {
			return nil, err
		}
	}
	dir, base, err := m.parent("open", name)
	if err != nil {
		return nil, err
	}
	writable := flag&(os.O_WRONLY|os.O_RDWR) != 0
	n := dir.names[base]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case n == nil:
		n = &memNode{perm: perm, modTime: time.Now()}
		dir.names[base] = n
	case flag&os.O_EXCL != 0 && flag&os.O_CREATE != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case n.names != nil && writable:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	case flag&os.O_TRUNC != 0:
		n.data = nil
	}
	return &memFile{
		m: m, n: n, name: name, boot: m.boots,
		readable:  flag&os.O_WRONLY == 0,
		writable:  writable,
		appending: flag&os.O_APPEND != 0,
	}, nil
}

// Rename is FS.Rename.
func (m *MemFS) Rename(oldName, newName string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("rename", newName); err != nil {
		return err
	}
	from, oldBase, err := m.parent("rename", oldName)
	if err != nil {
		return err
	}
	to, newBase, err := m.parent("rename", newName)
	if err != nil {
		return err
	}
	n, replaced := from.names[oldBase], to.names[newBase]
	switch {
	case n == nil:
		return &fs.PathError{Op: "rename", Path: oldName, Err: fs.ErrNotExist}
	case replaced != nil && replaced != n && (len(replaced.names) > 0 || (n.names == nil) != (replaced.names == nil)):
		return &fs.PathError{Op: "rename", Path: newName, Err: fs.ErrExist}
	}
	delete(from.names, oldBase)
	to.names[newBase] = n
	return nil
}

// Remove is FS.Remove.
func (m *MemFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("remove", name); err != nil {
		return err
	}
	dir, base, err := m.parent("remove", name)
	if err != nil {
		return err
	}
	switch n := dir.names[base]; {
	case n == nil:
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	case len(n.names) > 0:
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	delete(dir.names, base)
	return nil
}

// MkdirAll is FS.MkdirAll.
func (m *MemFS) MkdirAll(name string, perm fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("mkdir", name); err != nil {
		return err
	}
	n := m.root
	for _, elem := range elements(name) {
		if n.names[elem] == nil {
			n.names[elem] = newMemDir(perm)
		}
		if n = n.names[elem]; n.names == nil {
			return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
		}
	}
	return nil
}

// ReadDir is FS.ReadDir.
func (m *MemFS) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("open", name)
	if err != nil {
		return nil, err
	}
	return n.list(name)
}

// Stat is FS.Stat.
func (m *MemFS) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n.info(path.Base(filepath.ToSlash(name))), nil
}

// SyncDir is FS.SyncDir.
func (m *MemFS) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("sync", name); err != nil {
		return err
	}
	n, err := m.find("sync", name)
	if err != nil {
		return err
	}
	n.syncedNames = maps.Clone(n.names)
	return nil
}

// room is how many of n more bytes fit, and whether all do.
func (m *MemFS) room(n int) (int, error) {
	if m.capacity < 0 {
		return n, nil
	}
	left := max(0, m.capacity-m.root.size())
	if int64(n) > left {
		return int(left), syscall.ENOSPC
	}
	return n, nil
}

var _ FS = (*MemFS)(nil)
