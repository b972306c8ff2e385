package disk

import (
	"cmp"
	"io"
	"io/fs"
	"slices"
	"syscall"
	"time"
)

// A memFile is an open file of a MemFS.
type memFile struct {
	m    *MemFS
	n    *memNode
	name string
	boot int // m.boots when it was opened

	pos                           int64
	readable, writable, appending bool
	closed                        bool
}

// use locks the file system and tells whether the file may be used as asked.
// The caller unlocks.
func (f *memFile) use(op string, allowed bool) error {
	f.m.mu.Lock()
	switch {
	case f.closed, f.boot != f.m.boots:
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	case !allowed:
		return &fs.PathError{Op: op, Path: f.name, Err: syscall.EBADF}
	case f.n.names != nil && op != "stat" && op != "close":
		return &fs.PathError{Op: op, Path: f.name, Err: syscall.EISDIR}
	}
	return nil
}

func (f *memFile) Name() string { return f.name }

func (f *memFile) Stat() (fs.FileInfo, error) {
	defer f.m.mu.Unlock()
	if err := f.use("stat", true); err != nil {
		return nil, err
	}
	return f.n.info(f.name), nil
}

func (f *memFile) Close() error {
	defer f.m.mu.Unlock()
	if err := f.use("close", true); err != nil {
		return err
	}
	f.closed = true
	return nil
}

func (f *memFile) Read(p []byte) (int, error) {
	defer f.m.mu.Unlock()
	if err := f.use("read", f.readable); err != nil {
		return 0, err
	}
	n, err := f.n.readAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	defer f.m.mu.Unlock()
	if err := f.use("read", f.readable); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
	}
	return f.n.readAt(p, off)
}

func (n *memNode) readAt(p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	copied := copy(p, n.data[min(off, int64(len(n.data))):])
	if copied < len(p) {
		return copied, io.EOF
	}
	return copied, nil
}

func (f *memFile) Seek(offset int64, whence int) (int64, error) {
	defer f.m.mu.Unlock()
	if err := f.use("seek", true); err != nil {
		return 0, err
	}
	switch whence {
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += int64(len(f.n.data))
	}
	if offset < 0 {
		return 0, &fs.PathError{Op: "seek", Path: f.name, Err: fs.ErrInvalid}
	}
	f.pos = offset
	return offset, nil
}

func (f *memFile) Write(p []byte) (int, error) {
	defer f.m.mu.Unlock()
	if err := f.use("write", f.writable); err != nil {
		return 0, err
	}
	before := f.m.ops
	err := f.m.step("write", f.name)
	if f.appending {
		f.pos = int64(len(f.n.data))
	}
	fits := len(p)
	switch {
	case err == nil:
		grow := max(0, f.pos+int64(len(p))-int64(len(f.n.data)))
		room, full := f.m.room(int(grow))
		if full != nil {
			fits -= int(grow) - room
			err = &fs.PathError{Op: "write", Path: f.name, Err: full}
		}
	case f.m.stopAt > 0 && before+1 > f.m.stopAt: // dead before this write
		fits = 0
	default:
		fits /= 2
	}
	f.write(p[:fits])
	return fits, err
}

func (f *memFile) write(p []byte) {
	if len(p) == 0 {
		return
	}
	end := f.pos + int64(len(p))
	f.n.resize(max(end, int64(len(f.n.data))))
	copy(f.n.data[f.pos:], p)
	f.pos = end
	f.n.modTime = time.Now()
}

func (n *memNode) resize(size int64) {
	if size <= int64(len(n.data)) {
		n.data = n.data[:size:size] // growing again must find zeros
		return
	}
	n.data = append(n.data, make([]byte, size-int64(len(n.data)))...)
}

func (f *memFile) Sync() error {
	defer f.m.mu.Unlock()
	if err := f.use("sync", true); err != nil {
		return err
	}
	if err := f.m.step("sync", f.name); err != nil {
		return err
	}
	f.n.sync()
	return nil
}

func (f *memFile) Truncate(size int64) error {
	defer f.m.mu.Unlock()
	if err := f.use("truncate", f.writable); err != nil {
		return err
	}
	if err := f.m.step("truncate", f.name); err != nil {
		return err
	}
	if grow := size - int64(len(f.n.data)); grow > 0 {
		if _, err := f.m.room(int(grow)); err != nil {
			return &fs.PathError{Op: "truncate", Path: f.name, Err: err}
		}
	}
	f.n.resize(size)
	f.n.modTime = time.Now()
	return nil
}

// A memInfo describes a node as it was when it was asked.
type memInfo struct {
	name    string
	size    int64
	mode    fs.FileMode
	modTime time.Time
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) Mode() fs.FileMode  { return i.mode }
func (i memInfo) ModTime() time.Time { return i.modTime }
func (i memInfo) IsDir() bool        { return i.mode.IsDir() }
func (i memInfo) Sys() any           { return nil }

func (n *memNode) info(name string) fs.FileInfo {
	i := memInfo{name: name, size: int64(len(n.data)), mode: n.perm, modTime: n.modTime}
	if n.names != nil {
		i.mode |= fs.ModeDir
	}
	return i
}

func (n *memNode) list(name string) ([]fs.DirEntry, error) {
	if n.names == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: syscall.ENOTDIR}
	}
	var entries []fs.DirEntry
	for base, child := range n.names {
		entries = append(entries, fs.FileInfoToDirEntry(child.info(base)))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, nil
}
