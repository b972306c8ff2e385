package vector

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestReadersSeeWholeBatches writes pairs of points in one batch each, from
// several goroutines, with seals and merges under way, while readers want both
// points of every pair to be equal.
func TestReadersSeeWholeBatches(t *testing.T) {
	c := newCollectionWith(t, Dense(1, L2), Options{SealBytes: 32 << 10, MaxBytes: 4 << 20, SyncEvery: -1})
	ctx, enough := context.WithTimeout(t.Context(), 2*time.Minute)
	defer enough()
	var wait sync.WaitGroup
	var writes, reads atomic.Int64
	for w := range 3 {
		wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				pair := fmt.Sprint(w, "/", n%20)
				err := c.Upsert(ctx,
					Point{ID: Str(pair + "/0"), Vector: []float32{float32(n)}, Payload: Payload{"n": n}},
					Point{ID: Str(pair + "/1"), Vector: []float32{float32(n)}, Payload: Payload{"n": n}})
				if err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				writes.Add(1)
			}
		})
	}
	for range 2 {
		wait.Go(func() {
			for ctx.Err() == nil {
				if err := wantPairs(c); err != nil {
					t.Error(err)
					return
				}
				if reads.Add(1) >= 60 && writes.Load() >= 600 {
					enough()
				}
			}
		})
	}
	wait.Wait()
	if writes.Load() < 600 || reads.Load() < 60 {
		t.Errorf("%d writes and %d reads in two minutes: somebody waits for somebody", writes.Load(), reads.Load())
	}
}

func wantPairs(c *Collection) error {
	s, err := c.Snapshot()
	if err != nil {
		return err
	}
	defer s.Close()
	got := map[string]int64{}
	for p, err := range s.Points(context.Background(), Scroll{}) {
		if err != nil {
			return err
		}
		got[p.ID.String()] = p.Payload["n"].(int64)
	}
	for id, n := range got {
		if other := id[:len(id)-1] + string('0'+'1'-id[len(id)-1]); got[other] != n {
			return fmt.Errorf("%s has %d, and %s has %d", id, n, other, got[other])
		}
	}
	r, err := s.Search(context.Background(), Query{Vector: []float32{0}, K: 1000})
	if err == nil && len(r.Hits) != len(got) {
		err = fmt.Errorf("a search finds %d points, and a scroll %d", len(r.Hits), len(got))
	}
	return err
}

func TestBackupWhileWriting(t *testing.T) {
	c := newCollectionWith(t, Dense(1, L2), Options{SealBytes: 32 << 10, MaxBytes: 4 << 20, SyncEvery: time.Hour})
	for i := range 300 {
		upsert(t, c, Point{ID: Num(uint64(i)), Vector: []float32{1}})
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := 300; ; i++ {
			select {
			case <-stop:
				return
			default:
				if err := c.Upsert(context.Background(), Point{ID: Num(uint64(i)), Vector: []float32{1}}); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	dir := filepath.Join(t.TempDir(), "copy")
	err := c.db.Backup(t.Context(), dir)
	close(stop)
	wait.Wait()
	if err := errors.Join(err, Check(dir)); err != nil {
		t.Fatal(err)
	}
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	copied, err := db.Lookup("test")
	if err != nil {
		t.Fatal(err)
	}
	// Writes came in order, so the copy holds the first n of them.
	n, err := copied.Count(t.Context(), "", nil)
	last, err2 := copied.Get(t.Context(), Num(uint64(n-1)))
	if n < 300 || len(last) != 1 || err != nil || err2 != nil {
		t.Errorf("the copy has %d points, the last of them %v; errors %v, %v", n, last, err, err2)
	}
	if err := c.db.Backup(t.Context(), dir); err == nil {
		t.Error("a backup over another: no error")
	}
}

func TestOnlyOneOpensAFolder(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: got error %v, want ErrLocked", err)
	}
	if err := Check(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("checked while it is open: got error %v, want ErrLocked", err)
	}
	c, err := db.Collection("Ünïcode/Name", Dense(1, L2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Collection("Ünïcode/Name", Dense(2, L2)); !errors.Is(err, ErrSchema) {
		t.Errorf("another schema: got error %v, want ErrSchema", err)
	}
	if names, err := db.Collections(); len(names) != 1 || names[0] != c.Name() || err != nil {
		t.Errorf("collections: got %q, %v", names, err)
	}
	for range 2 {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := c.Upsert(t.Context(), Point{ID: Num(1)}); !errors.Is(err, ErrClosed) {
		t.Errorf("write after Close: got error %v, want ErrClosed", err)
	}
	if _, err := c.Count(t.Context(), "", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("read after Close: got error %v, want ErrClosed", err)
	}
	if db, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Drop("Ünïcode/Name"); err != nil {
		t.Error(err)
	}
	if _, err := db.Lookup("Ünïcode/Name"); !errors.Is(err, ErrNotFound) {
		t.Errorf("after Drop: got error %v, want ErrNotFound", err)
	}
	if err := errors.Join(db.Close(), Check(dir)); err != nil {
		t.Error(err)
	}
}

func TestAWriteBeyondTheCeilingIsRefused(t *testing.T) {
	c := newCollectionWith(t, Dense(1000, L2), Options{MaxBytes: 1 << 20})
	var points []Point
	for i := range 300 {
		points = append(points, Point{ID: Num(uint64(i)), Vector: make([]float32, 1000)})
	}
	if err := c.Upsert(t.Context(), points...); !errors.Is(err, ErrFull) {
		t.Errorf("got error %v, want ErrFull", err)
	}
	for i := range points { // one by one they fit: sealing makes room
		upsert(t, c, points[i])
		if used := c.db.memory.Load(); used > c.db.options.MaxBytes {
			t.Fatalf("%d bytes in memory after %d points, above the ceiling of %d", used, i+1, c.db.options.MaxBytes)
		}
	}
}
