package vector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/disk/disktest"
)

// story is writes, seals and merges that a crash may fall into. It remembers
// what was acknowledged.
type story struct {
	acked   map[string]string // ID to payload text: what must be there
	pending map[string]string // what may be there instead: acked and the write under way
}

var storyOptions = Options{manual: true, SealBytes: 4 << 10, MaxBytes: 1 << 20}

func (s *story) open(fsys disk.FS) (*DB, *Collection, error) {
	options := storyOptions
	options.fsys = fsys
	db, err := Open("db", options)
	if err != nil {
		return nil, nil, err
	}
	c, err := db.Collection("story", Schema{
		Vectors:  map[string]VectorSpec{"": {Dimensions: 2, Metric: L2}},
		Keywords: map[string]KeywordSpec{"words": {Keys: []string{"text"}}},
		Payload:  map[string]PayloadIndex{"text": KeywordIndex},
	})
	return db, c, err
}

// write does a write and keeps account of it.
func (s *story) write(change func(map[string]string), do func() error) error {
	s.pending = maps.Clone(s.acked)
	change(s.pending)
	if err := do(); err != nil {
		return err
	}
	s.acked = s.pending
	return nil
}

func (s *story) upsert(c *Collection, text string, ids ...int) error {
	var points []Point
	for _, id := range ids {
		points = append(points, Point{ID: Num(uint64(id)), Vector: []float32{float32(id), 1}, Payload: Payload{"text": text}})
	}
	return s.write(func(m map[string]string) {
		for _, id := range ids {
			m[fmt.Sprint(id)] = text
		}
	}, func() error { return c.Upsert(context.Background(), points...) })
}

func (s *story) delete(c *Collection, ids ...int) error {
	var sel Selection
	for _, id := range ids {
		sel.IDs = append(sel.IDs, Num(uint64(id)))
	}
	return s.write(func(m map[string]string) {
		for _, id := range ids {
			delete(m, fmt.Sprint(id))
		}
	}, func() error {
		_, err := c.Delete(context.Background(), sel)
		return err
	})
}

// tell runs the story until the end or an error.
func (s *story) tell(fsys disk.FS) error {
	ctx := context.Background()
	s.acked, s.pending = map[string]string{}, map[string]string{}
	db, c, err := s.open(fsys)
	if err != nil {
		return err
	}
	defer db.Close() // a program that stopped does not get this far
	steps := []func() error{
		func() error { return s.upsert(c, "one", 1, 2, 3, 4, 5, 6) },
		func() error { return s.delete(c, 6) },
		func() error { return c.Seal(ctx) },
		func() error { return s.upsert(c, "two", 3, 7, 8, 9, 10, 11, 12) },
		func() error { return s.delete(c, 1, 7) },
		func() error { return s.upsert(c, strings.Repeat("a long text ", 300), 20, 21) }, // fills the segment
		func() error { return s.upsert(c, "three", 8, 13) },
		func() error { return c.Seal(ctx) },
		func() error { return s.delete(c, 2) },
		func() error { return c.IndexPayload("text", TextIndex) },
		func() error { return c.Compact(ctx) },
		func() error { return s.upsert(c, "four", 2, 9) },
		db.Close,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// verify opens what a crash has left and wants the acknowledged writes, with
// the one under way as a whole or not at all.
func (s *story) verify(t *testing.T, fsys disk.FS, done bool) {
	t.Helper()
	db, c, err := s.open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	snapshot, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for p, err := range snapshot.Points(context.Background(), Scroll{}) {
		if err != nil {
			t.Fatal(err)
		}
		got[p.ID.String()] = p.Payload["text"].(string)
	}
	snapshot.Close()
	if !maps.Equal(got, s.acked) && (done || !maps.Equal(got, s.pending)) {
		t.Errorf("done %v: got %v, want the acknowledged (-) or also the pending points (+):\n%s", done, got, cmp.Diff(s.acked, s.pending))
	}
	if damage := c.Damage(); len(damage) > 0 {
		t.Errorf("a crash was taken for damage: %+v", damage)
	}
	// Life goes on.
	if err := s.upsert(c, "after", 99); err != nil {
		t.Error(err)
	}
	if err := errors.Join(db.Close(), check(fsys, "db")); err != nil {
		t.Error(err)
	}
}

func (s *story) scenario() disktest.Scenario {
	return disktest.Scenario{During: s.tell, After: s.verify}
}

func TestPowerCutAtEveryOperation(t *testing.T) {
	disktest.Crash(t, new(story).scenario())
}

func TestFaultAtEveryOperation(t *testing.T) {
	for _, fault := range []error{syscall.ENOSPC, syscall.EIO} {
		s := new(story)
		disktest.Fail(t, disktest.Scenario{During: s.tell, After: func(t *testing.T, fsys disk.FS, done bool) {
			fsys.(*disk.MemFS).CrashKeepingNames()
			s.verify(t, fsys, done)
		}}, fault)
	}
}

// TestTornDataAtEveryOperation leaves, after a stop at every operation, what a
// killed process leaves (all that was written) and what a power cut may: any
// part of what was not flushed.
func TestTornDataAtEveryOperation(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := 1; ; n++ {
		var s story
		fsys := disk.NewMemFS()
		fsys.StopAt(n)
		err := s.tell(fsys)
		if err != nil && !errors.Is(err, disk.ErrStopped) {
			t.Fatalf("stopped at operation %d: got error %v", n, err)
		}
		fsys.StopAt(0)
		written := files(t, fsys, "db")
		fsys.CrashKeepingNames()
		flushed := files(t, fsys, "db")
		for cut := range 3 {
			t.Run(fmt.Sprintf("operation %d, cut %d", n, cut), func(t *testing.T) {
				torn := disk.NewMemFS()
				for _, name := range slices.Sorted(maps.Keys(written)) {
					content := written[name]
					if cut > 0 && filepath.Ext(name) == ".log" {
						content = tear(random, flushed[name], content)
					} else if cut > 0 {
						content = flushed[name] // files of WriteFile are flushed before they have their name
					}
					put(t, torn, name, content)
				}
				torn.Settle()
				left := s // verify goes on with the story
				left.verify(t, torn, err == nil)
			})
		}
		if err == nil || t.Failed() {
			return
		}
	}
}

// tear keeps what was flushed and any part of the rest: cut off somewhere, with
// a piece that did not reach the device.
func tear(random *rand.Rand, flushed, written []byte) []byte {
	if len(written) <= len(flushed) {
		return flushed
	}
	end := len(flushed) + random.IntN(len(written)-len(flushed)+1)
	torn := slices.Clone(written[:end])
	if rest := end - len(flushed); rest > 0 && random.IntN(2) == 0 {
		from := len(flushed) + random.IntN(rest)
		clear(torn[from:min(end, from+512)])
	}
	return torn
}

// files reads a folder of folders.
func files(t *testing.T, fsys disk.FS, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return all // the stop was before there was one
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if e.IsDir() {
			maps.Copy(all, files(t, fsys, name))
			continue
		}
		if all[name], err = disk.ReadFile(fsys, name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func put(t *testing.T, fsys disk.FS, name string, content []byte) {
	t.Helper()
	if err := fsys.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
