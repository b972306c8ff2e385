package rag

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// shelf is a folder of indexes beside a library's documents.
func shelf(t *testing.T) (*library, string) {
	l := newLibrary(t, handbook())
	folder := t.TempDir()
	l.options.Indexes = folder
	l.dir = filepath.Join(folder, "a", "words")
	return l, folder
}

func TestIndexesShareVectors(t *testing.T) {
	l, folder := shelf(t)
	l.synced()
	embedded := l.embedder.texts.Load()

	l.dir = filepath.Join(folder, "b", "words")
	c := l.open()
	report, err := c.Sync(t.Context(), []string{filepath.Join(l.root, "code")}, SyncOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.embedder.texts.Load() - embedded; got != 0 || report.Embedded != 0 || report.Reused != report.Passages {
		t.Errorf("a folder inside an indexed one: %d texts embedded, the report says %+v; want none", got, report)
	}
	if got := l.found(c, "maxIdleConns", 1); got != "code/server.go" {
		t.Errorf("found %s, want code/server.go", got)
	}

	l.write("code/new.txt", "Words that no index has.")
	if report, err = c.Sync(t.Context(), []string{filepath.Join(l.root, "code")}, SyncOptions{}); err != nil || report.Embedded != 1 {
		t.Errorf("a new file: %+v, %v; want one passage embedded", report, err)
	}
}

func TestNothingStaysOfAnEmptyFolder(t *testing.T) {
	l, folder := shelf(t)
	c := l.open()
	if _, err := c.Sync(t.Context(), []string{t.TempDir()}, SyncOptions{}); !errors.Is(err, ErrEmptyCorpus) {
		t.Errorf("Sync = %v, want ErrEmptyCorpus", err)
	}
	if indexes, err := Indexes(folder); err != nil || len(indexes) > 0 {
		t.Errorf("indexes %+v, %v; want none", indexes, err)
	}
	l.sync(c) // the same corpus, once there is something
	if indexes, err := Indexes(folder); err != nil || len(indexes) != 1 {
		t.Errorf("indexes %+v, %v; want one", indexes, err)
	}
}

func TestIndexesOfAnotherModelShareNothing(t *testing.T) {
	l, folder := shelf(t)
	l.synced()
	l.dir = filepath.Join(folder, "b", "words")
	l.options.Embedding = l.embedder.embedding("w2")
	if got := l.sync(l.open()); got.Reused != 0 {
		t.Errorf("sync says %+v, want all embedded by the other model", got)
	}
}

func TestADamagedIndexSharesNothing(t *testing.T) {
	l, folder := shelf(t)
	l.synced().Close()
	if err := flipMiddleByte(currentFile(t, l.dir, "*.db/"+collectionName+"/*.seg")); err != nil {
		t.Fatal(err)
	}
	l.dir = filepath.Join(folder, "b", "words")
	if got := l.sync(l.open()); got.Reused != 0 || got.Embedded != got.Passages {
		t.Errorf("sync says %+v, want all embedded", got)
	}
}

func TestIndexesAreListedAndRemoved(t *testing.T) {
	l, folder := shelf(t)
	l.synced().Close()
	first := l.dir
	used := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(first, lockName), used, used); err != nil {
		t.Fatal(err)
	}
	l.dir = filepath.Join(folder, "b", "words")
	l.synced().Close()

	listed, err := Indexes(folder)
	if err != nil || len(listed) != 2 {
		t.Fatalf("Indexes = %+v, %v; want two", listed, err)
	}
	old := listed[1]
	if old.Dir != first || !old.Used.Equal(used) || old.Embedding != "words" || old.Documents != 3 || old.Passages == 0 ||
		old.Bytes == 0 || len(old.Roots) != 1 || old.Roots[0] != l.root || old.Damage != nil || old.Gone() {
		t.Errorf("the older index is %+v", old)
	}

	lock, err := disk.TryLock(filepath.Join(first, lockName))
	if err != nil {
		t.Fatal(err)
	}
	if err := RemoveIndex(first); !errors.Is(err, ErrIndexInUse) {
		t.Errorf("RemoveIndex while it is synced = %v, want ErrIndexInUse", err)
	}
	if err := errors.Join(lock.Unlock(), RemoveIndex(first)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(first)); !os.IsNotExist(err) {
		t.Errorf("the folder of the removed index is still there: %v", err)
	}
	if err := Check(l.dir); err != nil {
		t.Errorf("the other index: %v", err)
	}
	l.dir = first
	if got := l.sync(l.open()); got.Embedded != 0 || !got.Written {
		t.Errorf("indexed again: %+v, want its vectors from the other index", got)
	}
}

func TestRemovingAnIndexLeavesOtherFiles(t *testing.T) {
	l, _ := shelf(t)
	l.synced().Close()
	mine := filepath.Join(l.dir, "notes.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := RemoveIndex(l.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("a file that is no part of the index was removed: %v", err)
	}
}

func TestAnIndexOfFilesThatAreGone(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		roots []string
		want  bool
	}{
		{nil, false},
		{[]string{filepath.Join(dir, "gone")}, true},
		{[]string{filepath.Join(dir, "gone"), dir}, false},
	} {
		if got := (Index{Roots: test.roots}).Gone(); got != test.want {
			t.Errorf("Gone of %v = %v, want %v", test.roots, got, test.want)
		}
	}
}
