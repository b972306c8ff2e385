package index_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"testing"

	"github.com/ragstone/ragstone/internal/index"
)

var update = flag.Bool("update", false, "write the files of the present version in testdata")

// golden returns the content of testdata/name.gz, which update replaces.
func golden(t *testing.T, name string, present []byte) []byte {
	t.Helper()
	path := "testdata/" + name + ".gz"
	if *update {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		z.Write(present)
		z.Close()
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestGraphVersions reads files that every version wrote. That building gives the same bytes
// today is not asked.
func TestGraphVersions(t *testing.T) {
	for _, c := range []struct {
		name             string
		rows, dimensions int
		options          index.GraphOptions
	}{
		{"graph.v1", 60, 6, index.GraphOptions{}},
		{"lean.v1", 60, 6, index.GraphOptions{Lean: true}},
		{"lean.v2", 20, 512, index.GraphOptions{Lean: true}},
	} {
		name, dimensions, slab, o := c.name, c.dimensions, clustered(11, c.rows, c.dimensions), c.options
		file := golden(t, name, written(t, buildGraph(t, index.Dot, dimensions, slab, o)))
		g, err := index.OpenGraph(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		g.Attach(slab)
		query := clustered(12, 1, dimensions)
		hits, _ := g.Search(query, 5, index.Params{})
		checkExact(t, name, index.Dot, hits, reference(index.Dot, dimensions, slab, query, nil), 5)
	}
}
