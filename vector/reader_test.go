package vector

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openedToRead opens a database's collection read-only.
func openedToRead(t *testing.T, dir, name string) (*DB, *Collection) {
	t.Helper()
	db, err := Open(dir, Options{ReadOnly: true, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return db, c
}

func TestAReaderSeesOneMoment(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Collection("films", Dense(2, L2))
	if err != nil {
		t.Fatal(err)
	}
	point := func(n uint64) Point { return Point{ID: Num(n), Vector: []float32{float32(n), 0}} }
	upsert(t, c, point(1), point(2))
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	upsert(t, c, point(3)) // in the log only

	before := listing(t, dir)
	reading, r := openedToRead(t, dir, "films")
	sees := func(want string) {
		t.Helper()
		if got := ids(search(t, r, Query{Vector: []float32{0, 0}}).Hits); got != want {
			t.Errorf("the reader sees %s, want %s", got, want)
		}
	}
	changed := func(want bool) {
		t.Helper()
		if got, err := r.Changed(); got != want || err != nil {
			t.Errorf("Changed = %v, %v; want %v", got, err, want)
		}
	}
	sees("1 2 3")
	changed(false)
	for what, err := range map[string]error{
		"upsert":  r.Upsert(t.Context(), point(9)),
		"seal":    r.Seal(t.Context()),
		"compact": r.Compact(t.Context()),
		"index":   r.IndexPayload("year", NumberIndex),
		"drop":    reading.Drop("films"),
		"back up": reading.Backup(t.Context(), filepath.Join(t.TempDir(), "copy")),
	} {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: got error %v, want ErrReadOnly", what, err)
		}
	}
	if _, err := reading.Collection("others", Dense(2, L2)); !errors.Is(err, ErrNotFound) {
		t.Errorf("a collection that is not there: got error %v, want ErrNotFound", err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the reader changed the folder from\n%s to\n%s", before, after)
	}

	upsert(t, c, point(4))
	changed(true)
	if err := c.Compact(t.Context()); err != nil { // removes the files that the reader has mapped
		t.Fatal(err)
	}
	sees("1 2 3")
	changed(true)
	if err := reading.Close(); err != nil {
		t.Error(err)
	}
	reading, r = openedToRead(t, dir, "films")
	sees("1 2 3 4")
	if err := errors.Join(reading.Close(), db.Close(), Check(dir)); err != nil {
		t.Error(err)
	}
}

// listing is the names and sizes of all files below a folder.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, infoErr := d.Info()
			b.WriteString(path + " " + info.ModTime().String() + "\n")
			err = infoErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAReaderOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := Open(dir, Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

// A reader names what is damaged or missing and leaves it where it is.
func TestAReaderMendsNothing(t *testing.T) {
	for _, kind := range []string{"seg", "idx", "del", "log", "json"} {
		for _, damage := range []struct {
			name string
			do   func(path string) error
		}{
			{"a byte changed", func(path string) error {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				data[len(data)/2] ^= 1
				return os.WriteFile(path, data, 0o600)
			}},
			{"missing", os.Remove},
		} {
			if damage.name == "missing" && (kind == "log" || kind == "json") {
				continue // then there is no write, or no collection
			}
			t.Run(kind+" "+damage.name, func(t *testing.T) {
				dir := t.TempDir()
				db, err := Open(dir, Options{})
				if err != nil {
					t.Fatal(err)
				}
				schema := Dense(2, L2)
				schema.Keywords = map[string]KeywordSpec{"text": {Keys: []string{"text"}}}
				c, err := db.Collection("films", schema)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 3 {
					upsert(t, c, Point{ID: Num(uint64(i)), Vector: []float32{1, 2}, Payload: Payload{"text": "a film"}})
				}
				if err := c.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := c.Delete(t.Context(), IDs(Num(1))); err != nil {
					t.Fatal(err)
				}
				if err := c.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
				upsert(t, c, Point{ID: Num(7), Vector: []float32{1, 2}}, Point{ID: Num(8), Vector: []float32{1, 2}})
				upsert(t, c, Point{ID: Num(9), Vector: []float32{1, 2}})
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				paths, err := filepath.Glob(filepath.Join(dir, "films", "*."+kind))
				if err != nil || len(paths) != 1 {
					t.Fatalf("files of kind %s: %q, %v; want one", kind, paths, err)
				}
				if err := damage.do(paths[0]); err != nil {
					t.Fatal(err)
				}
				before := listing(t, dir)
				reading, err := Open(dir, Options{ReadOnly: true, Verify: true})
				if err != nil {
					t.Fatal(err)
				}
				_, err = reading.Lookup("films")
				if damaged, ok := errors.AsType[*CorruptError](err); !ok || damaged.Path != paths[0] {
					t.Errorf("got error %v, want a *CorruptError of %s", err, paths[0])
				}
				if err := reading.Close(); err != nil {
					t.Error(err)
				}
				if after := listing(t, dir); after != before {
					t.Errorf("the reader changed the folder from\n%s to\n%s", before, after)
				}
			})
		}
	}
}

// TestReadersBesideAWriter opens a database again and again while another
// process writes to it, seals and merges. Every batch of the writer sets two
// points to one number: a reader must see both or neither, and never less than
// one before it saw.
func TestReadersBesideAWriter(t *testing.T) {
	dir := t.TempDir()
	writer := exec.Command(os.Args[0], "write-until-killed", dir, "1")
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	defer writer.Wait()
	defer writer.Process.Kill()
	lines := bufio.NewScanner(out)
	least := 0
	for round := range 30 {
		for range 40 { // the writer goes on while its acknowledgements are taken
			if !lines.Scan() || !strings.HasPrefix(lines.Text(), "ack ") {
				t.Fatalf("round %d: the writer said %q", round, lines.Text())
			}
		}
		db, c := openedToRead(t, dir, "killed")
		newest := 0
		for w := range killWorkers {
			for slot := range killPoints {
				points, err := c.Get(t.Context(), killPoint(w, slot, 0).ID, killPoint(w, slot, 1).ID)
				if err != nil {
					t.Fatal(err)
				}
				if len(points) == 0 {
					continue
				}
				first := points[0].Payload["n"].(int64)
				if len(points) != 2 || points[1].Payload["n"].(int64) != first {
					t.Fatalf("round %d: half a batch: %v", round, points)
				}
				newest = max(newest, int(first))
			}
		}
		if newest < least {
			t.Errorf("round %d: the newest write is %d, and an earlier reader saw %d", round, newest, least)
		}
		least = newest
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if least == 0 {
		t.Error("no reader saw a write")
	}
	if st, err := filepath.Glob(filepath.Join(dir, "killed", "*.seg")); err != nil || len(st) == 0 {
		t.Errorf("the writer sealed nothing: %q, %v", st, err)
	}
}
