package vector

import (
	"context"
	"errors"
	"testing"
)

// TestMergesStayBelowTheCeiling compacts more points than one segment's graph may be built
// of: they become several segments, each with an index.
func TestMergesStayBelowTheCeiling(t *testing.T) {
	const rows, d = 2000, 32
	schema := Schema{Vectors: map[string]VectorSpec{"": {Dimensions: d, Metric: L2, Index: Graph}}}
	c := newCollectionWith(t, schema, Options{MaxBytes: 1 << 20})
	for from := 0; from < rows; from += 100 {
		var points []Point
		for row := from; row < from+100; row++ {
			x := make([]float32, d)
			x[row%d], x[row*7%d] = float32(row), 1
			points = append(points, Point{ID: Num(uint64(row)), Vector: x})
		}
		upsert(t, c, points...)
	}
	for range 2 { // the second time there is nothing to do
		if err := c.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		most := c.mostRows()
		want := (rows + most - 1) / most
		s, err := c.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := len(s.view.segments); got != want || want < 3 {
			t.Errorf("%d segments of at most %d points, want %d", got, most, want)
		}
		if unindexed(s.view.segments) != nil {
			t.Error("a segment has no index")
		}
	}
	x := make([]float32, d)
	x[1500%d], x[1500*7%d] = 1500, 1
	if r := search(t, c, Query{Vector: x, K: 3}); len(r.Hits) != 3 || r.Hits[0].ID != Num(1500) {
		t.Errorf("hits %v, want 1500 first", r.Hits)
	}
	// Deleted points leave, and fewer segments with them.
	var ids []ID
	for row := range rows / 2 {
		ids = append(ids, Num(uint64(row)))
	}
	if _, err := c.Delete(t.Context(), IDs(ids...)); err != nil {
		t.Fatal(err)
	}
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st, err := c.Statistics(); err != nil || st.Points != rows/2 || st.Deleted != 0 || st.Segments > 2 {
		t.Errorf("after half were deleted: %+v, %v", st, err)
	}
}

func TestPiecesAreEven(t *testing.T) {
	for _, c := range []struct{ n, most, want int }{{0, 10, 1}, {10, 10, 10}, {11, 10, 6}, {100, 33, 25}, {5, 1, 1}} {
		if got := evenly(c.n, c.most); got != c.want {
			t.Errorf("%d rows, at most %d: pieces of %d, want %d", c.n, c.most, got, c.want)
		}
	}
}

// TestDeletionsAreMergedAwayOnce deletes most points of a segment without writing any: compacting
// drops them, and what merges in the background would do comes to an end before and after.
func TestDeletionsAreMergedAwayOnce(t *testing.T) {
	c := newCollectionWith(t, Dense(2, L2), Options{manual: true})
	var ids []ID
	for n := range uint64(100) {
		upsert(t, c, Point{ID: Num(n), Vector: []float32{float32(n), 0}})
		if n%10 > 0 {
			ids = append(ids, Num(n))
		}
	}
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Delete(t.Context(), IDs(ids...)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{len(ids), 0} {
		for merges := 0; ; merges++ {
			more, err := c.mergeOnce(t.Context())
			if err != nil || merges > 3 {
				t.Fatalf("merge %d: %v", merges, err)
			}
			if !more {
				break
			}
		}
		if st, err := c.Statistics(); err != nil || st.Points != 10 || st.Deleted != want {
			t.Errorf("%+v, %v: want %d deleted", st, err, want)
		}
		if err := c.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBuildingAnIndexIsGivenUp ends the context that a build in the background runs under, as
// Close does: the segment stays without an index, and gets one later.
func TestBuildingAnIndexIsGivenUp(t *testing.T) {
	schema := Schema{Vectors: map[string]VectorSpec{"": {Dimensions: 4, Metric: L2, Index: Graph}}}
	c := newCollectionWith(t, schema, Options{manual: true})
	for n := range uint64(200) {
		upsert(t, c, Point{ID: Num(n), Vector: []float32{float32(n), 1, 2, 3}})
	}
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := c.buildIndexes(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want that of the context", err)
	}
	if r := search(t, c, Query{Vector: []float32{7, 1, 2, 3}, K: 1}); r.Hits[0].ID != Num(7) || r.Plan.Strategies["scan"] != 1 {
		t.Errorf("without an index: %v by %v", r.Hits, r.Plan.Strategies)
	}
	if built, err := c.buildIndexes(t.Context()); err != nil || !built {
		t.Errorf("later: built %v, %v", built, err)
	}
	if r := search(t, c, Query{Vector: []float32{7, 1, 2, 3}, K: 1}); r.Hits[0].ID != Num(7) || r.Plan.Strategies["graph"] != 1 {
		t.Errorf("with an index: %v by %v", r.Hits, r.Plan.Strategies)
	}
}
