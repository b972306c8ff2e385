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

func TestVersion2IsRead(t *testing.T) {
	l := newLibrary(t, handbook())
	l.write("page.html", "<html>\n<body>\n<p>Visitors sign\nthe book at the gate.</p>")
	if *update {
		writeSample(l)
	}
	// Opening takes no lock and writes nothing, so the sample is read in place.
	if err := Check(sampleDir("v2")); err != nil {
		t.Fatal(err)
	}
	c, err := OpenCorpus(sampleDir("v2"), l.options)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.want = c.current.manifest.Identity // whatever reader and chunker have become since
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

// An index of version 1 has the passages of an older reader: it is whole, but
// must be built anew, and its vectors serve again.
func TestVersion1IsTakenUp(t *testing.T) {
	l := newLibrary(t, handbook())
	if err := Check(sampleDir("v1")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(l.dir, os.DirFS(sampleDir("v1"))); err != nil {
		t.Fatal(err)
	}
	c := l.open()
	if _, err := c.Search(t.Context(), "leave", SearchOptions{}); !errors.Is(err, ErrStale) {
		t.Errorf("Search = %v, want ErrStale", err)
	}
	if got := l.sync(c); !got.Written || got.Embedded != 0 || got.Reused != got.Passages {
		t.Errorf("sync says %+v, want all vectors kept", got)
	}
}

// writeSample indexes the handbook and writes the index under other paths, so
// that it names nothing of the machine it was made on.
func writeSample(l *library) {
	l.Helper()
	c := l.synced()
	snap := c.current
	g := &generation{table: snap.table, keywords: snap.keywords, manifest: snap.manifest}
	for i := range g.table.documents {
		d := &g.table.documents[i]
		g.texts = append(g.texts, snap.text[d.start:d.start+d.length])
		d.path = "/handbook" + filepath.ToSlash(strings.TrimPrefix(d.path, l.root))
	}
	for id := range snap.passages {
		g.vectors = append(g.vectors, snap.vectors.Vector(id)...)
	}
	g.manifest.Roots = []string{"/handbook"}
	g.manifest.Parts, g.manifest.Written = nil, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	if err := os.MkdirAll(sampleDir("v2"), 0o755); err != nil {
		l.Fatal(err)
	}
	if err := g.write(store{disk.OS{}, sampleDir("v2")}); err != nil {
		l.Fatal(err)
	}
	err := filepath.WalkDir(sampleDir("v2"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o644)
	})
	if err != nil {
		l.Fatal(err)
	}
}
