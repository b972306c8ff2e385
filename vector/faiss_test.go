package vector_test

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/vector"
)

// TestIndexFilesComeBack builds an index with ids, writes it for FAISS, reads it and puts it into a
// collection.
func TestIndexFilesComeBack(t *testing.T) {
	rows := clustered(rand.New(rand.NewPCG(3, 3)), 401, 16)
	var ids []uint64
	for i := range rows[:400] {
		ids = append(ids, uint64(1000-i))
	}
	built, err := vector.BuildIndex("HNSW16", vector.L2, rows[:400], ids)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "index.faiss")
	if err := built.WriteFAISS(path); err != nil {
		t.Fatal(err)
	}
	read, err := vector.ReadFAISS(path)
	if err != nil {
		t.Fatal(err)
	}
	if read.Kind() != "IDMap,HNSW16" || read.Metric() != vector.L2 || read.Len() != 400 || read.Dimensions() != 16 {
		t.Errorf("%s under %s of %d vectors of %d dimensions", read.Kind(), read.Metric(), read.Len(), read.Dimensions())
	}
	hits := func(x *vector.Index) []vector.IndexHit {
		found, err := x.Search(rows[400], 5, vector.Params{EF: 400})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if diff := cmp.Diff(hits(built), hits(read)); diff != "" {
		t.Errorf("the file is searched otherwise (-built +read):\n%s", diff)
	}
	points, err := read.Points()
	if err != nil || len(points) != 400 {
		t.Fatalf("%d points, %v", len(points), err)
	}
	if n, _ := points[0].ID.Number(); n != 601 || !cmp.Equal(points[0].Vector, rows[399]) {
		t.Errorf("the first point is %v", points[0])
	}
	db, err := vector.Open(t.TempDir(), vector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, err := db.Collection("c", vector.Dense(16, vector.L2))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Upsert(t.Context(), points...); err != nil {
		t.Fatal(err)
	}
	for i, h := range search(t, c, vector.Query{Vector: rows[400], K: 5}).Hits {
		if n, _ := h.ID.Number(); n != hits(read)[i].ID {
			t.Errorf("hit %d is %v, in the index %v", i, h.ID, hits(read)[i].ID)
		}
	}
}

// TestFilesOfFAISSAreRead takes vectors out of files that FAISS wrote.
func TestFilesOfFAISSAreRead(t *testing.T) {
	for name, want := range map[string]string{
		"ivf8-flat-l2": "", "idmap-flat-l2": "", "opq4-ivf8-pq4x4-l2": "", "bflat-bits": "", "pca8-flat-l2": "",
		"lsh-l2": "keeps signs only",
	} {
		x, err := vector.ReadFAISS(filepath.Join("..", "internal", "faiss", "testdata", name+".faiss"))
		if err != nil {
			t.Fatal(err)
		}
		points, err := x.Points()
		switch {
		case want != "":
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		case err != nil || len(points) != 600 || len(points[0].Vector) != 16:
			t.Errorf("%s: %d points, %v", name, len(points), err)
		}
	}
}

func TestIndexErrors(t *testing.T) {
	rows := [][]float32{{1, 2}, {3, 4}}
	for kind, want := range map[vector.IndexKind]string{
		"PQ2": "at least 256", "IVF4,Flat": "at least 4", "graph": `"graph"`, "": "not known",
	} {
		if _, err := vector.BuildIndex(kind, vector.L2, rows, nil); !errors.Is(err, vector.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", kind, err, want)
		}
	}
	x, err := vector.BuildIndex("Flat", vector.Cosine, rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Search([]float32{1}, 1, vector.Params{}); !errors.Is(err, vector.ErrInvalid) {
		t.Errorf("a query of one dimension: %v", err)
	}
	if hits, err := x.Search([]float32{3, 4}, 1, vector.Params{}); err != nil || hits[0].ID != 1 || hits[0].Score < 0.9999 {
		t.Errorf("%v, %v", hits, err)
	}
}
