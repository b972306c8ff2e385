package disk

import (
	"io"
	"io/fs"
	"os"
)

// FS is the part of a file system that durable code is written against. Names
// are as package os takes them. Errors are those of package os: *fs.PathError
// or *os.LinkError around fs.ErrNotExist, syscall.ENOSPC and so on.
type FS interface {
	// OpenFile opens a file with the flags of os.OpenFile.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)

	// Rename moves a file, replacing what has the new name. It is atomic, and
	// durable once SyncDir has flushed the folder of the new name.
	Rename(oldName, newName string) error

	// Remove removes a file or an empty folder.
	Remove(name string) error

	// MkdirAll makes a folder and its missing parents.
	MkdirAll(name string, perm fs.FileMode) error

	// ReadDir lists a folder, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)

	// Stat describes a file or folder.
	Stat(name string) (fs.FileInfo, error)

	// SyncDir flushes a folder: the names made, renamed and removed in it.
	SyncDir(name string) error
}

// File is an open file of an FS. It is not safe for concurrent use, except
// ReadAt.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Seeker
	io.Closer

	// Name is the name the file was opened with.
	Name() string

	// Stat describes the file.
	Stat() (fs.FileInfo, error)

	// Sync flushes the content to the device.
	Sync() error

	// Truncate cuts the file or extends it with zeros.
	Truncate(size int64) error
}

// OS is the operating system's file system.
type OS struct{}

// OpenFile is os.OpenFile.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not a File around a nil *os.File
	}
	return f, nil
}

// Rename is os.Rename.
func (OS) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// Remove is os.Remove.
func (OS) Remove(name string) error { return os.Remove(name) }

// MkdirAll is os.MkdirAll.
func (OS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }

// ReadDir is os.ReadDir.
func (OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// Stat is os.Stat.
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// SyncDir flushes a folder. On Windows it does nothing: NTFS journals names by
// itself and offers no such call.
func (OS) SyncDir(name string) error { return syncDir(name) }

// ReadFile returns the content of a file, as os.ReadFile does.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
