package rag

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/disk/disktest"
)

// crashing is a Sync on a file system that stops or fails: the index holds the
// handbook, then a file changes and the index is brought up to date.
func crashing(t *testing.T) disktest.Scenario {
	l := newLibrary(t, handbook())
	const dir = "/index"
	open := func(fsys disk.FS) (*Corpus, error) {
		options := l.options
		options.files = fsys
		return OpenCorpus(dir, options)
	}
	sync := func(fsys disk.FS) error {
		c, err := open(fsys)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Sync(t.Context(), []string{l.root}, SyncOptions{})
		return err
	}
	const before, after = "one and a half times", "paid twice"
	text := func(t *testing.T, fsys disk.FS) string {
		c, err := open(fsys)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		r, err := c.Search(t.Context(), "overtime", SearchOptions{K: 1})
		if err != nil {
			t.Fatalf("search what the crash left: %v", err)
		}
		return r.Hits[0].Text
	}
	return disktest.Scenario{
		Before: func(fsys disk.FS) error {
			l.write("pay.txt", handbook()["pay.txt"])
			if err := sync(fsys); err != nil {
				return err
			}
			l.write("pay.txt", "Overtime is paid twice.")
			return nil
		},
		During: sync,
		After: func(t *testing.T, fsys disk.FS, done bool) {
			fsys.(*disk.MemFS).FailAt(0, nil) // what comes now must succeed
			got := text(t, fsys)
			if !strings.Contains(got, after) && (done || !strings.Contains(got, before)) {
				t.Errorf("the index has %q, done is %v", got, done)
			}
			if err := (store{fsys, dir}).check(); err != nil {
				t.Errorf("the index is not whole: %v", err)
			}
			if err := sync(fsys); err != nil {
				t.Errorf("sync after the crash: %v", err)
			}
			if got := text(t, fsys); !strings.Contains(got, after) {
				t.Errorf("synced again, the index has %q", got)
			}
			onlyOneGeneration(t, fsys, dir)
		},
	}
}

// onlyOneGeneration fails when files of a dead generation were left.
func onlyOneGeneration(t *testing.T, fsys disk.FS, dir string) {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) != 1+len(partKinds) {
		t.Errorf("the directory holds %v, want the manifest and %d parts", names, len(partKinds))
	}
}

func TestACrashLeavesTheOldIndexOrTheNew(t *testing.T) { disktest.Crash(t, crashing(t)) }

func TestAFullDiskLeavesTheOldIndexOrTheNew(t *testing.T) {
	disktest.Fail(t, crashing(t), syscall.ENOSPC)
}

func TestADamagedIndexIsMadeAgain(t *testing.T) {
	l := newLibrary(t, handbook())
	l.synced().Close()
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() == lockName {
			continue
		}
		for _, damage := range []struct {
			name string
			do   func(path string) error
		}{
			{"a byte changed", flipMiddleByte},
			{"cut short", func(path string) error { return os.Truncate(path, 5) }},
			{"emptied", func(path string) error { return os.Truncate(path, 0) }},
		} {
			t.Run(filepath.Ext(entry.Name())+" "+damage.name, func(t *testing.T) {
				// The generation may have changed since the listing.
				path := currentFile(t, l.dir, filepath.Ext(entry.Name()))
				if err := damage.do(path); err != nil {
					t.Fatal(err)
				}
				if err := Check(l.dir); err == nil {
					t.Error("Check finds nothing")
				}
				c := l.open()
				var damaged *CorruptError
				if _, err := c.Search(t.Context(), "leave", SearchOptions{}); !errors.As(err, &damaged) || damaged.Path != path {
					t.Errorf("Search = %v, want a *CorruptError of %s", err, path)
				}
				if got := l.sync(c); !got.Written || got.Added != 3 {
					t.Errorf("sync says %+v, want everything made again", got)
				}
				if got := l.found(c, "leave", 1); got != "leave.md" {
					t.Errorf("found %s, want leave.md", got)
				}
			})
		}
	}
	if err := os.Remove(currentFile(t, l.dir, ".vectors")); err != nil {
		t.Fatal(err)
	}
	if err := Check(l.dir); err == nil {
		t.Error("Check does not miss a file")
	}
	l.synced()
}

func flipMiddleByte(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[len(data)/2] ^= 1
	return os.WriteFile(path, data, 0o600)
}

// currentFile is the index's file with an extension.
func currentFile(t *testing.T, dir, extension string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err != nil || len(found) != 1 {
		t.Fatalf("files *%s in %s: %v, %v; want one", extension, dir, found, err)
	}
	return found[0]
}
