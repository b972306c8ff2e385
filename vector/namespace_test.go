package vector

import (
	"fmt"
	"runtime"
	"testing"
)

// TestManyNamespaces has a hundred thousand of them, a few points each, partly sealed and
// partly in memory, and searches within single ones.
func TestManyNamespaces(t *testing.T) {
	spaces := 100_000
	if testing.Short() {
		spaces = 10_000
	}
	const each, d, batch = 2, 4, 1000
	dir := t.TempDir()
	db, err := Open(dir, Options{SyncEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Collection("test", Schema{Vectors: map[string]VectorSpec{"": {Dimensions: d, Metric: L2, Index: Flat}}})
	if err != nil {
		t.Fatal(err)
	}
	name := func(i int) string { return fmt.Sprintf("user-%d", i) }
	var points []Point
	write := func(from, to int) {
		for i := from; i < to; i++ {
			for n := range each {
				x := []float32{float32(i % 10), float32(n), 0, 1}
				points = append(points, Point{ID: Num(uint64(n)), Namespace: name(i), Vector: x})
			}
			if len(points) >= batch || i == to-1 {
				upsert(t, c, points...)
				points = points[:0]
			}
		}
	}
	write(0, spaces*9/10)
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(spaces*9/10, spaces)

	check := func() {
		t.Helper()
		for _, i := range []int{0, 1, spaces / 3, spaces*9/10 - 1, spaces * 9 / 10, spaces - 1} {
			r := search(t, c, Query{Namespace: name(i), Vector: []float32{0, 1, 0, 1}, K: 5})
			if len(r.Hits) != each || r.Hits[0].ID != Num(1) || r.Hits[0].Namespace != name(i) {
				t.Errorf("namespace %s: hits %v", name(i), r.Hits)
			}
			if r.Plan.Points != each || r.Plan.Scored > each {
				t.Errorf("namespace %s: looked at more than its points: %+v", name(i), r.Plan)
			}
		}
		if r := search(t, c, Query{Namespace: "user-", Vector: make([]float32, d)}); len(r.Hits) != 0 {
			t.Errorf("a namespace without points, whose name others begin with: %v", r.Hits)
		}
	}
	check()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before := heap()
	if db, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if c, err = db.Lookup("test"); err != nil {
		t.Fatal(err)
	}
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	check()
	if grown := heap() - before; grown > int64(spaces*each*16) { // all are sealed: names are in the file
		t.Errorf("%d namespaces take %d bytes of memory", spaces, grown)
	}
	count := 0
	if err := func() error {
		s, err := c.Snapshot()
		if err != nil {
			return err
		}
		defer s.Close()
		for range s.Namespaces() {
			count++
		}
		return nil
	}(); err != nil || count != spaces {
		t.Errorf("%d namespaces, %v; want %d", count, err, spaces)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Check(dir); err != nil {
		t.Error(err)
	}
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkNamespace searches within one of a hundred thousand namespaces, sealed and in
// memory.
func BenchmarkNamespace(b *testing.B) {
	for _, sealed := range []bool{true, false} {
		c := newCollectionWith(b, Schema{Vectors: map[string]VectorSpec{"": {Dimensions: 16, Metric: L2, Index: Flat}}}, Options{SyncEvery: -1, SealBytes: 1 << 30})
		for i := range 100_000 {
			upsert(b, c, Point{ID: Num(1), Namespace: fmt.Sprint(i), Vector: make([]float32, 16)})
		}
		if sealed {
			if err := c.Compact(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(map[bool]string{true: "sealed", false: "memory"}[sealed], func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				search(b, c, Query{Namespace: fmt.Sprint(n * 7919 % 100_000), Vector: make([]float32, 16)})
			}
		})
	}
}
