package vector

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ragstone/ragstone/internal/disk"
)

// damagedWorld is a collection of two segments, deletions and a log, on a file
// system in memory, closed.
func damagedWorld(t testing.TB) disk.FS {
	t.Helper()
	fsys := disk.NewMemFS()
	db, c := openIn(t, fsys)
	for i := range 30 {
		upsert(t, c, Point{ID: Num(uint64(i)), Vector: []float32{float32(i)}, Payload: Payload{"n": i}})
		if i == 9 || i == 19 {
			if err := c.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if i == 14 {
			if _, err := c.Delete(t.Context(), IDs(Num(3))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(db.Close(), check(fsys, "db")); err != nil {
		t.Fatal(err)
	}
	return fsys
}

func openIn(t testing.TB, fsys disk.FS) (*DB, *Collection) {
	t.Helper()
	db, err := Open("db", Options{fsys: fsys, manual: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Collection("c", Schema{
		Vectors: map[string]VectorSpec{"": {Dimensions: 1, Metric: L2}},
		Payload: map[string]PayloadIndex{"n": NumberIndex},
	})
	if err != nil {
		t.Fatal(err)
	}
	return db, c
}

// fileWith returns the name of the n-th file of a kind.
func fileWith(t testing.TB, fsys disk.FS, ext string, n int) string {
	t.Helper()
	entries, err := fsys.ReadDir("db/c")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ext {
			if n == 0 {
				return filepath.Join("db/c", e.Name())
			}
			n--
		}
	}
	t.Fatalf("no file %s", ext)
	return ""
}

// edit rewrites a file.
func edit(t *testing.T, fsys disk.FS, name string, with func([]byte) []byte) {
	t.Helper()
	data, err := disk.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(with(data)); err != nil {
		t.Fatal(err)
	}
}

func flip(at int) func([]byte) []byte {
	return func(data []byte) []byte {
		if at < 0 {
			at += len(data)
		}
		data[at] ^= 0xff
		return data
	}
}

func TestDamageIsSetAsideAndReported(t *testing.T) {
	for _, c := range []struct {
		name    string
		ext     string
		nth     int
		edit    func([]byte) []byte
		points  int // that are left; 29 were there
		damage  string
		aside   bool
		checked bool // Check finds it before the database is opened
	}{
		{"a segment's footer", ".seg", 0, flip(-1), 20, "no footer", true, true},
		{"a segment's keys", ".seg", 1, flip(64), 19, "checksum", true, true},
		{"a segment cut short", ".seg", 0, func(b []byte) []byte { return b[:len(b)/2] }, 20, "no footer", true, true},
		{"an empty segment", ".seg", 0, func([]byte) []byte { return nil }, 20, "no header", true, true},
		{"deletions", ".del", 0, flip(70), 30, "deleted points are back", true, true},
		{"an index", ".idx", 0, flip(70), 29, "", false, true},
		{"the middle of the log", ".log", 0, flip(40), 28, "writes 22 to 22", true, true},
		{"the end of the log", ".log", 0, flip(-1), 28, "", false, false}, // a torn tail
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := damagedWorld(t)
			name := fileWith(t, fsys, c.ext, c.nth)
			edit(t, fsys, name, c.edit)
			if err := check(fsys, "db"); (err != nil) != c.checked || err != nil && !strings.Contains(err.Error(), filepath.Base(name)) {
				t.Errorf("check before opening: got %v, want one that names %s: %v", err, name, c.checked)
			}
			for range 2 { // the second opening finds nothing new
				db, collection := openIn(t, fsys)
				if n, err := collection.Count(t.Context(), "", nil); n != c.points || err != nil {
					t.Errorf("got %d points, %v, want %d", n, err, c.points)
				}
				got := fmt.Sprint(collection.Damage())
				if c.damage == "" && got != "[]" || !strings.Contains(got, c.damage) || len(collection.Damage()) > 1 {
					t.Errorf("damage: got %s, want %q", got, c.damage)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			aside, _ := exists(fsys, filepath.Join("db/c/quarantine", filepath.Base(name)))
			if aside != c.aside {
				t.Errorf("in quarantine: %v, want %v", aside, c.aside)
			}
			if err := check(fsys, "db"); (err != nil) != (c.damage != "") {
				t.Errorf("check afterwards: got %v, want the damage %q", err, c.damage)
			}
		})
	}
}

// TestEveryFlippedByteIsFound flips single bytes of all files: opening and
// reading must not panic, and Check must find those that matter.
func TestEveryFlippedByteIsFound(t *testing.T) {
	for _, ext := range []string{".seg", ".idx", ".del", ".log", ".json"} {
		missed, flipped := 0, 0
		fsys := damagedWorld(t)
		name := fileWith(t, fsys, ext, 0)
		whole, err := disk.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(whole); at += 1 + len(whole)/150 {
			edit(t, fsys, name, func([]byte) []byte {
				data := append([]byte(nil), whole...)
				data[at] ^= 0x10
				return data
			})
			flipped++
			if check(fsys, "db") == nil {
				missed++
			}
		}
		// Padding between sections and the last record of the log are not covered.
		if limit := flipped / 2; missed > limit {
			t.Errorf("%s: %d of %d flipped bytes were not found, want at most %d", ext, missed, flipped, limit)
		}
	}
}

func TestAFullDiskLosesNothing(t *testing.T) {
	fsys := disk.NewMemFS()
	db, err := Open("db", Options{fsys: fsys, manual: true, SealBytes: 16 << 10, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Collection("c", Dense(1, L2))
	if err != nil {
		t.Fatal(err)
	}
	fsys.Limit(60 << 10)
	acked := 0
	full := 0
	for i := range 2000 {
		err := c.Upsert(t.Context(), Point{ID: Num(uint64(i)), Vector: []float32{1}})
		switch {
		case err == nil:
			acked++
		case errors.Is(err, syscall.ENOSPC):
			if full++; full == 20 {
				fsys.Limit(-1) // somebody made room
			}
		default:
			t.Fatal(err)
		}
	}
	if full < 20 || acked < 1000 {
		t.Errorf("%d writes were refused and %d done, want 20 or more and the rest", full, acked)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	fsys.Crash()
	if err := check(fsys, "db"); err != nil {
		t.Error(err)
	}
	if db, err = Open("db", Options{fsys: fsys, manual: true}); err != nil {
		t.Fatal(err)
	}
	if c, err = db.Lookup("c"); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Count(t.Context(), "", nil); n != acked || err != nil {
		t.Errorf("got %d points, %v, want the %d acknowledged", n, err, acked)
	}
}

func TestAFailedFlushEndsWriting(t *testing.T) {
	fsys := disk.NewMemFS()
	db, c := openIn(t, fsys)
	upsert(t, c, Point{ID: Num(1)})
	fsys.FailAt(2, syscall.EIO) // the flush after the write
	if err := c.Upsert(t.Context(), Point{ID: Num(2)}); !errors.Is(err, syscall.EIO) || !errors.Is(err, ErrReadOnly) {
		t.Fatalf("got error %v, want EIO and ErrReadOnly", err)
	}
	if err := c.Upsert(t.Context(), Point{ID: Num(3)}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("the next write: got error %v, want ErrReadOnly", err)
	}
	if got, err := c.Get(t.Context(), Num(1), Num(2)); len(got) != 1 || err != nil {
		t.Errorf("got %v, %v, want the acknowledged point only", got, err)
	}
	if err := db.Close(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("close: got error %v, want ErrReadOnly", err)
	}
}

func FuzzRecord(f *testing.F) {
	l, err := Schema{
		Vectors: map[string]VectorSpec{"a": {Dimensions: 2}, "b": {Dimensions: 1, Multi: true, Storage: Int8}},
		Sparse:  []string{"s"},
	}.compile()
	if err != nil {
		f.Fatal(err)
	}
	p := Point{ID: Num(1), Vectors: map[string][]float32{"a": {1, 2}}, Multi: map[string][][]float32{"b": {{1}, {2}}},
		Sparse: map[string]Sparse{"s": {Indices: []uint32{1}, Values: []float32{2}}}, Payload: Payload{"x": 1}}
	record, err := l.encodePoint(nil, &p)
	if err != nil {
		f.Fatal(err)
	}
	write := appendBytes(appendBytes([]byte{opUpsert}, appendKey(nil, "ns", Num(1))), record)
	f.Add(append(write, append([]byte{opDelete}, appendBytes(nil, appendKey(nil, "", Str("x")))...)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = l.checkWrite(data)
		_ = l.changes(data, func(c change) {
			if !c.deleted {
				var p Point
				_ = l.decodePoint(&p, c.record, With{AllVectors: true})
			}
		})
	})
}

func FuzzFiles(f *testing.F) {
	fsys := damagedWorld(f)
	for _, ext := range []string{".seg", ".idx", ".del"} {
		if data, err := disk.ReadFile(fsys, fileWith(f, fsys, ext, 0)); err == nil {
			f.Add(data)
		}
	}
	l, err := Schema{
		Vectors: map[string]VectorSpec{"": {Dimensions: 1, Metric: L2}},
		Payload: map[string]PayloadIndex{"n": NumberIndex},
	}.compile()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = parseManifest(data)
		_, _ = parseDeletions(data, 10)
		_, _ = parsePayloadIndex(KeywordIndex, data, 10)
		_, _ = parseSparse(data, 10)
		s := &segment{layout: l}
		if s.load(aligned(data)) == nil {
			for row := range s.rows {
				_, _, _ = parseKey(s.key(row))
				_, _ = s.record(row).payload.Decode()
			}
		}
		s = &segment{layout: l, number: 2, rows: 10}
		if d, err := parseDerived(aligned(data), l, s, false); err == nil {
			d.payload[payloadName([]string{"n"}, NumberIndex)].addTerm(newRowSet(s.rows), []byte("x"))
		}
	})
}
