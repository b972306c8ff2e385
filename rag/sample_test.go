package rag

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sampleDir holds an index of a version: the handbook, as it lay in /handbook.
func sampleDir(version string) string { return filepath.Join("testdata", "corpus-"+version) }

func TestVersion3IsRead(t *testing.T) {
	l := newLibrary(t, handbook())
	l.write("page.html", "<html>\n<body>\n<p>Visitors sign\nthe book at the gate.</p>")
	if *update {
		writeSample(l)
	}
	dir := t.TempDir() // Check takes a lock
	if err := os.CopyFS(dir, os.DirFS(sampleDir("v3"))); err != nil {
		t.Fatal(err)
	}
	if err := Check(dir); err != nil {
		t.Fatal(err)
	}
	c, err := OpenCorpus(sampleDir("v3"), l.options)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.want = c.current.state.Identity // whatever reader and chunker have become since
	hit := l.search(c, "How many days of leave does a new hire get?", 1).Hits[0]
	if hit.Path != "/handbook/leave.md" || hit.Line != 5 || strings.Join(hit.Headings, "/") != "Handbook/Leave" {
		t.Errorf("got %+v, want line 5 of /handbook/leave.md, under Handbook/Leave", hit)
	}
	if want := handbook()["leave.md"][hit.Start:hit.End]; hit.Text != want {
		t.Errorf("text is %q, want %q", hit.Text, want)
	}
	hit = l.search(c, "where visitors sign", 1).Hits[0]
	if at := strings.Index(hit.Text, "the book"); hit.Line != 3 || hit.PlaceAt(at) != (Place{Line: 4}) {
		t.Errorf("%q begins on line %d, and byte %d is at %+v; want lines 3 and 4", hit.Text, hit.Line, at, hit.PlaceAt(at))
	}
}

// An index of version 1 or 2 is no error: it is built anew, and its files go.
func TestOlderVersionsAreBuiltAnew(t *testing.T) {
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) {
			l := newLibrary(t, handbook())
			if err := os.CopyFS(l.dir, os.DirFS(sampleDir(version))); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(l.dir, "pending"), []byte("vectors"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := Check(l.dir); err != nil {
				t.Errorf("Check = %v, want nothing to say about an index that will be built anew", err)
			}
			c := l.open()
			if _, err := c.Search(t.Context(), "leave", SearchOptions{}); !errors.Is(err, ErrStale) {
				t.Errorf("Search = %v, want ErrStale", err)
			}
			if got := l.sync(c); !got.Written || got.Added != 3 || got.Embedded != got.Passages {
				t.Errorf("sync says %+v, want everything made anew", got)
			}
			if got := l.found(c, "leave", 1); got != "leave.md" {
				t.Errorf("found %s, want leave.md", got)
			}
			onlyLiveFiles(t, l.dir)
		})
	}
}

// writeSample indexes the handbook under other paths, so that the index names
// nothing of the machine it was made on.
func writeSample(l *library) {
	l.Helper()
	l.synced()
	snap, err := store{disk.OS{}, l.dir}.open()
	if err != nil {
		l.Fatal(err)
	}
	defer snap.release()
	if err := errors.Join(os.RemoveAll(sampleDir("v3")), os.MkdirAll(sampleDir("v3"), 0o755)); err != nil {
		l.Fatal(err)
	}
	s := &syncing{
		Corpus: &Corpus{store: store{disk.OS{}, sampleDir("v3")}, options: l.options, want: snap.state.Identity},
		old:    emptySnapshot(nil), started: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), roots: []string{"/handbook"},
	}
	s.Corpus.options.Embedding = l.options.Embedding
	s.options.Progress = func(Progress) {}
	for i := range snap.documents {
		d := snap.documents[i]
		records, err := snap.documentPassages(l.Context(), &d)
		if err != nil {
			l.Fatal(err)
		}
		d.path = "/handbook" + filepath.ToSlash(strings.TrimPrefix(d.path, l.root))
		s.files = append(s.files, fileState{record: d, before: -1, passages: records})
	}
	number, err := s.write(l.Context())
	if err == nil {
		err = os.Remove(filepath.Join(s.store.database(number), "lock")) // readers need none
	}
	if err != nil {
		l.Fatal(err)
	}
	err = filepath.WalkDir(sampleDir("v3"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o644)
	})
	if err != nil {
		l.Fatal(err)
	}
}
