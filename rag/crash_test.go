package rag

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
			onlyOneDatabase(t, fsys, dir)
		},
	}
}

// onlyOneDatabase fails when files of dead writers were left.
func onlyOneDatabase(t *testing.T, fsys disk.FS, dir string) {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) != 2 || !databaseNames.MatchString(names[0]) || names[1] != manifestName {
		t.Errorf("the directory holds %v, want one database and the manifest", names)
	}
}

func TestACrashLeavesTheOldIndexOrTheNew(t *testing.T) { disktest.Crash(t, crashing(t)) }

func TestAFullDiskLeavesTheOldIndexOrTheNew(t *testing.T) {
	disktest.Fail(t, crashing(t), syscall.ENOSPC)
}

// indexFiles are the files of an index that hold anything, as patterns.
var indexFiles = []string{
	manifestName, "*.db/" + collectionName + "/manifest.json", "*.db/" + collectionName + "/*.seg", "*.db/" + collectionName + "/*.idx",
	"*.db/" + collectionName + "/*.log",
}

func TestADamagedIndexIsMadeAgain(t *testing.T) {
	for _, pattern := range indexFiles {
		for _, damage := range []struct {
			name string
			do   func(path string) error
		}{
			{"a byte changed", flipMiddleByte},
			{"cut short", func(path string) error { return os.Truncate(path, 5) }},
			{"emptied", func(path string) error { return os.Truncate(path, 0) }},
			{"missing", os.Remove},
		} {
			isLog, isManifest := strings.HasSuffix(pattern, ".log"), strings.HasSuffix(pattern, ".json")
			if isLog && damage.name != "a byte changed" || isManifest && damage.name == "missing" {
				continue // that is an index of before, or none
			}
			t.Run(path.Base(pattern)+" "+damage.name, func(t *testing.T) {
				l := newLibrary(t, handbook())
				l.sync(l.synced())
				for range 2 { // two changes in the log, so that the first is followed by something
					l.write("pay.txt", handbook()["pay.txt"]+time.Now().String())
					l.synced().Close()
				}
				path := currentFile(t, l.dir, pattern)
				if isLog {
					damage.do = flipFirstByte
				}
				if err := damage.do(path); err != nil {
					t.Fatal(err)
				}
				if err := Check(l.dir); err == nil {
					t.Error("Check finds nothing")
				}
				c := l.open()
				damaged, ok := errors.AsType[*CorruptError](searchError(c))
				if !ok || damaged.Path != path {
					t.Errorf("Search = %v, want a *CorruptError of %s", searchError(c), path)
				}
				if got := l.sync(c); !got.Written || got.Added != 3 {
					t.Errorf("sync says %+v, want everything made again", got)
				}
				if got := l.found(c, "leave", 1); got != "leave.md" {
					t.Errorf("found %s, want leave.md", got)
				}
				onlyLiveFiles(t, l.dir)
			})
		}
	}
}

func searchError(c *Corpus) error {
	_, err := c.Search(context.Background(), "leave", SearchOptions{})
	return err
}

func flipMiddleByte(path string) error { return flipByte(path, func(size int) int { return size / 2 }) }

// flipFirstByte damages the first write of a log, which others follow.
func flipFirstByte(path string) error { return flipByte(path, func(int) int { return 8 }) }

func flipByte(path string, at func(size int) int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[at(len(data))] ^= 1
	return os.WriteFile(path, data, 0o600)
}

// currentFile is the index's one file of a pattern.
func currentFile(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("files %s in %s: %v, %v; want one", pattern, dir, found, err)
	}
	return found[0]
}
