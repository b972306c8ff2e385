package rag

import (
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

// sampleDir holds an index of version 1: the handbook, as it lay in /handbook.
var sampleDir = filepath.Join("testdata", "corpus-v1")

func TestVersion1IsStillRead(t *testing.T) {
	l := newLibrary(t, handbook())
	if *update {
		writeSample(l)
	}
	// Opening takes no lock and writes nothing, so the sample is read in place.
	if err := Check(sampleDir); err != nil {
		t.Fatal(err)
	}
	c, err := OpenCorpus(sampleDir, l.options)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hit := l.search(c, "How many days of leave does a new hire get?", 1).Hits[0]
	if hit.Path != "/handbook/leave.md" || hit.Line != 5 || strings.Join(hit.Headings, "/") != "Handbook/Leave" {
		t.Errorf("got %+v, want line 5 of /handbook/leave.md, under Handbook/Leave", hit)
	}
	if want := handbook()["leave.md"][hit.Start:hit.End]; hit.Text != want {
		t.Errorf("text is %q, want %q", hit.Text, want)
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
	g.manifest.Parts, g.manifest.Written = nil, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	if err := os.MkdirAll(sampleDir, 0o755); err != nil {
		l.Fatal(err)
	}
	if err := g.write(store{disk.OS{}, sampleDir}); err != nil {
		l.Fatal(err)
	}
	err := filepath.WalkDir(sampleDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o644)
	})
	if err != nil {
		l.Fatal(err)
	}
}
