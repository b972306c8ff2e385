package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/disk/disktest"
)

// old and new exceed WriteFile's buffer, so that a crash can fall between two
// writes.
var (
	oldContent = bytes.Repeat([]byte("old "), 40_000)
	newContent = bytes.Repeat([]byte("newer "), 40_000)
)

func writeContent(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		for part := range chunks(content, 50_000) {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	}
}

func chunks(b []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 && yield(b[:min(size, len(b))]) {
			b = b[min(size, len(b)):]
		}
	}
}

// replaceFile is the scenario every durability test here runs: a file with old
// content is given new content.
func replaceFile(after func(t *testing.T, fsys disk.FS, done bool)) disktest.Scenario {
	return disktest.Scenario{
		Before: func(fsys disk.FS) error {
			return errors.Join(fsys.MkdirAll("dir", 0o755),
				disk.WriteFileIn(fsys, "dir/file", 0o644, writeContent(oldContent)))
		},
		During: func(fsys disk.FS) error {
			return disk.WriteFileIn(fsys, "dir/file", 0o644, writeContent(newContent))
		},
		After: after,
	}
}

func TestWriteFileCrashLeavesOldOrNew(t *testing.T) {
	disktest.Crash(t, replaceFile(func(t *testing.T, fsys disk.FS, done bool) {
		wantOldOrNew(t, fsys, done)
		if err := disk.Sweep(fsys, "dir", 0); err != nil {
			t.Error(err)
		}
		wantNames(t, fsys, "dir", "file")
	}))
}

func TestWriteFileFaultLeavesOldOrNewAndNoTemp(t *testing.T) {
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC} {
		disktest.Fail(t, replaceFile(func(t *testing.T, fsys disk.FS, done bool) {
			wantOldOrNew(t, fsys, done)
			wantNames(t, fsys, "dir", "file")
		}), fault)
	}
}

func TestWriteFileOnAFullDisk(t *testing.T) {
	m := disk.NewMemFS()
	if err := disk.WriteFileIn(m, "file", 0o644, writeContent(oldContent)); err != nil {
		t.Fatal(err)
	}
	m.Limit(int64(len(oldContent) + len(newContent)/2))
	err := disk.WriteFileIn(m, "file", 0o644, writeContent(newContent))
	if !disk.IsFull(err) {
		t.Errorf("got error %v, want no space left", err)
	}
	wantNames(t, m, "/", "file")
	if got, _ := disk.ReadFile(m, "file"); !bytes.Equal(got, oldContent) {
		t.Errorf("got %.20q…, want the old content", got)
	}
}

func TestWriteFileAbandonedByItsCaller(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	gaveUp := errors.New("gave up")
	err := disk.WriteFile(path, 0o600, func(w io.Writer) error {
		io.WriteString(w, "half")
		return gaveUp
	})
	if !errors.Is(err, gaveUp) {
		t.Errorf("got error %v, want %v", err, gaveUp)
	}
	func() {
		defer func() { recover() }()
		disk.WriteFile(path, 0o600, func(io.Writer) error { panic("bug") })
	}()
	wantNames(t, disk.OS{}, dir)
}

func TestWriteFileOnTheRealFileSystem(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for i := range 3 {
		want := fmt.Sprint("content ", i)
		if err := disk.WriteFile(path, 0o600, writeContent([]byte(want))); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != want || err != nil {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	wantNames(t, disk.OS{}, dir, "file")
	err := disk.WriteFile(filepath.Join(dir, "missing", "file"), 0o600, writeContent(nil))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing folder: got error %v, want fs.ErrNotExist", err)
	}
}

func TestSweepSparesTheLivingAndTheForeign(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".ragstone-a.0123.tmp", ".ragstone-b.4567.tmp", "notes.tmp", ".ragstone-keep"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, ".ragstone-a.0123.tmp"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := disk.Sweep(disk.OS{}, dir, time.Hour); err != nil {
		t.Error(err)
	}
	wantNames(t, disk.OS{}, dir, ".ragstone-b.4567.tmp", ".ragstone-keep", "notes.tmp")
	if err := disk.Sweep(disk.OS{}, filepath.Join(dir, "missing"), 0); err != nil {
		t.Errorf("a missing folder: %v", err)
	}
}

func wantOldOrNew(t *testing.T, fsys disk.FS, done bool) {
	t.Helper()
	got, err := disk.ReadFile(fsys, "dir/file")
	isOld, isNew := bytes.Equal(got, oldContent), bytes.Equal(got, newContent)
	if err != nil || !isNew && (done || !isOld) {
		t.Errorf("got %d bytes %.20q…, %v; want the new content, or the old unless done (done is %v)", len(got), got, err, done)
	}
}

func wantNames(t *testing.T, fsys disk.FS, dir string, want ...string) {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}
