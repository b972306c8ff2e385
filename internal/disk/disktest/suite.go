package disktest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/disk"
)

// Run checks that an implementation keeps the contract of disk.FS, in the
// folder dir, which must be there and empty.
func Run(t *testing.T, fsys disk.FS, dir string) {
	at := func(elem ...string) string { return filepath.Join(append([]string{dir}, elem...)...) }

	t.Run("a missing file", func(t *testing.T) {
		_, openErr := fsys.OpenFile(at("missing"), os.O_RDONLY, 0)
		_, statErr := fsys.Stat(at("missing"))
		_, listErr := fsys.ReadDir(at("missing"))
		_, parentErr := fsys.OpenFile(at("missing", "file"), os.O_WRONLY|os.O_CREATE, 0o644)
		for what, err := range map[string]error{
			"open": openErr, "stat": statErr, "list": listErr, "create below": parentErr,
			"remove": fsys.Remove(at("missing")), "rename": fsys.Rename(at("missing"), at("other")),
		} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: got error %v, want fs.ErrNotExist", what, err)
			}
		}
	})

	t.Run("write, seek, cut, append, read", func(t *testing.T) {
		f := must(t)(fsys.OpenFile(at("file"), os.O_RDWR|os.O_CREATE, 0o644))
		write(t, f, "hello world")
		must(t)(f, f.Truncate(5))
		if _, err := f.Seek(7, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		write(t, f, "!")
		must(t)(f, f.Sync())
		part := make([]byte, 4)
		if n, err := f.ReadAt(part, 6); n != 2 || err != io.EOF {
			t.Errorf("ReadAt over the end: got %d, %v, want 2, EOF", n, err)
		}
		must(t)(f, f.Close())
		if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("closed twice: got error %v, want fs.ErrClosed", err)
		}

		f = must(t)(fsys.OpenFile(at("file"), os.O_WRONLY|os.O_APPEND, 0))
		write(t, f, "?")
		if _, err := f.Read(part); err == nil {
			t.Error("read from a file opened for writing: no error")
		}
		must(t)(f, f.Close())
		wantFile(t, fsys, at("file"), "hello\x00\x00!?")
	})

	t.Run("create exclusively, truncate at opening", func(t *testing.T) {
		if _, err := fsys.OpenFile(at("file"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); !errors.Is(err, fs.ErrExist) {
			t.Errorf("got error %v, want fs.ErrExist", err)
		}
		f := must(t)(fsys.OpenFile(at("file"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644))
		must(t)(f, f.Close())
		wantFile(t, fsys, at("file"), "")
	})

	t.Run("rename replaces, folders hold names", func(t *testing.T) {
		for _, name := range []string{"b", "a"} {
			if err := fsys.MkdirAll(at("sub", "deep"), 0o755); err != nil {
				t.Fatal(err)
			}
			f := must(t)(fsys.OpenFile(at("sub", name), os.O_WRONLY|os.O_CREATE, 0o644))
			write(t, f, name)
			must(t)(f, f.Close())
		}
		if err := fsys.Remove(at("sub")); err == nil {
			t.Error("remove of a folder that is not empty: no error")
		}
		if err := fsys.Rename(at("sub", "b"), at("sub", "a")); err != nil {
			t.Fatal(err)
		}
		if err := fsys.SyncDir(at("sub")); err != nil {
			t.Fatal(err)
		}
		wantFile(t, fsys, at("sub", "a"), "b")
		entries, err := fsys.ReadDir(at("sub"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
			if e.IsDir() != (e.Name() == "deep") {
				t.Errorf("%s: IsDir is %v", e.Name(), e.IsDir())
			}
		}
		if diff := cmp.Diff([]string{"a", "deep"}, got); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		if err := fsys.Remove(at("sub", "deep")); err != nil {
			t.Error(err)
		}
	})
}

// must returns a function that fails the test on an error and else passes the
// file on.
func must(t *testing.T) func(disk.File, error) disk.File {
	return func(f disk.File, err error) disk.File {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
}

func write(t *testing.T, f disk.File, s string) {
	t.Helper()
	if n, err := io.WriteString(f, s); n != len(s) || err != nil {
		t.Fatalf("write %q: got %d, %v", s, n, err)
	}
}

func wantFile(t *testing.T, fsys disk.FS, name, want string) {
	t.Helper()
	got, err := disk.ReadFile(fsys, name)
	if err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
	}
}
