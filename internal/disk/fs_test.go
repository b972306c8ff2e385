package disk_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/disk/disktest"
)

func TestOS(t *testing.T)    { disktest.Run(t, disk.OS{}, t.TempDir()) }
func TestMemFS(t *testing.T) { disktest.Run(t, disk.NewMemFS(), "/") }

func TestMemFSCrashForgetsWhatWasNotFlushed(t *testing.T) {
	m := disk.NewMemFS()
	f := create(t, m, "kept")
	io.WriteString(f, "flushed")
	f.Sync()
	io.WriteString(f, " and not")
	m.SyncDir("/")
	create(t, m, "unnamed").Sync() // its content is safe, its name is not

	m.Crash()

	if got, err := disk.ReadFile(m, "kept"); string(got) != "flushed" || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, "flushed")
	}
	if _, err := m.Stat("unnamed"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a name that was not flushed: got error %v, want fs.ErrNotExist", err)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write to a file opened before the crash: got error %v, want fs.ErrClosed", err)
	}
}

func TestMemFSCrashKeepingNamesLosesContent(t *testing.T) {
	m := disk.NewMemFS()
	io.WriteString(create(t, m, "named"), "not flushed")
	m.CrashKeepingNames()
	if got, err := disk.ReadFile(m, "named"); len(got) != 0 || err != nil {
		t.Errorf("got %q, %v, want an empty file", got, err)
	}
}

func TestMemFSStopsInTheMiddleOfAWrite(t *testing.T) {
	m := disk.NewMemFS()
	f := create(t, m, "torn")
	m.StopAt(1)
	if n, err := io.WriteString(f, "abcdef"); n != 3 || !errors.Is(err, disk.ErrStopped) {
		t.Errorf("got %d, %v, want 3, %v", n, err, disk.ErrStopped)
	}
	if n, err := io.WriteString(f, "ghi"); n != 0 || !errors.Is(err, disk.ErrStopped) {
		t.Errorf("after the stop: got %d, %v, want 0, %v", n, err, disk.ErrStopped)
	}
	if got, _ := disk.ReadFile(m, "torn"); string(got) != "abc" {
		t.Errorf("got %q, want %q", got, "abc")
	}
}

func TestMemFSFillsUp(t *testing.T) {
	m := disk.NewMemFS()
	m.Limit(4)
	f := create(t, m, "f")
	if n, err := io.WriteString(f, "abcdef"); n != 4 || !disk.IsFull(err) {
		t.Errorf("got %d, %v, want 4, no space left", n, err)
	}
	f.Seek(0, io.SeekStart)
	if _, err := io.WriteString(f, "ABCD"); err != nil {
		t.Errorf("overwriting in a full file system: %v", err)
	}
}

func TestMemFSFailsOnce(t *testing.T) {
	m := disk.NewMemFS()
	f := create(t, m, "f")
	m.FailAt(1, syscall.EIO)
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("got error %v, want %v", err, syscall.EIO)
	}
	if err := f.Sync(); err != nil {
		t.Errorf("the operation after the fault: %v", err)
	}
}

func create(t *testing.T, fsys disk.FS, name string) disk.File {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
