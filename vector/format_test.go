package vector

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/disk"
)

var writeSample = flag.Bool("write.sample", false, "write testdata/v1 anew; only before version 1 is released")

const sampleDir = "testdata/v1"

// sampleSchema and samplePoint are what testdata/v1 holds: every storage, kind
// of vector, kind of ID and payload index, in two segments, deletions and a log.
// Graphs have a sample of their own beside package index.
var sampleSchema = Schema{
	Vectors: map[string]VectorSpec{
		"": {Dimensions: 3, Metric: L2}, "half": {Dimensions: 3, Storage: Float16}, "byte": {Dimensions: 3, Storage: Int8},
		"bits": {Dimensions: 70, Metric: Hamming, Storage: Binary}, "tokens": {Dimensions: 2, Metric: Dot, Multi: true},
		"four": {Dimensions: 4, Metric: L2},
	},
	Sparse:   []string{"terms"},
	Keywords: map[string]KeywordSpec{"words": {Keys: []string{"text"}}},
	Payload: map[string]PayloadIndex{
		"color": KeywordIndex, "n": NumberIndex, "at": TimeIndex, "place": GeoIndex, "text": TextIndex,
	},
}

func samplePoint(i int) Point {
	f := float32(i)
	bits := make([]float32, 70)
	bits[i] = 1
	p := Point{
		ID: Num(uint64(i)), Vector: []float32{f, 1, 0},
		Vectors: map[string][]float32{"half": {f, 0.5, 1}, "byte": {f, -1, 0}, "bits": bits, "four": {f, f, 0, 1}},
		Multi:   map[string][][]float32{"tokens": {{f, 0}, {0, 1}}},
		Sparse:  map[string]Sparse{"terms": {Indices: []uint32{uint32(i), 1000}, Values: []float32{1, f + 1}}},
		Payload: Payload{
			"color": []any{"red", "green"}[i%2], "n": int64(i), "at": fmt.Sprintf("2026-11-%02d", i+1),
			"place": map[string]any{"lat": float64(i) + 0.5, "lon": 10.25}, "text": fmt.Sprintf("point number%d", i),
		},
	}
	switch i % 3 {
	case 1:
		p.ID, p.Namespace = Str(fmt.Sprint("s", i)), "tenant"
	case 2:
		p.ID = UUID([16]byte{byte(i), 15: 1})
	}
	return p
}

// writeSampleTo writes the sample: points 0 to 19, of which 3 is deleted and 4
// has lost its color.
func writeSampleTo(t *testing.T, dir string) {
	t.Helper()
	db, err := Open(dir, Options{manual: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Collection("sample", sampleSchema)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		upsert(t, c, samplePoint(i))
		if i == 6 || i == 13 {
			if err := c.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if i == 10 {
			if _, err := c.Delete(t.Context(), IDs(Num(3))); err != nil {
				t.Fatal(err)
			}
		}
	}
	sel := Selection{Namespace: "tenant", IDs: []ID{Str("s4")}}
	if _, err := c.Update(t.Context(), sel, Patch{Remove: []string{"color"}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, lockName)); err != nil {
		t.Fatal(err)
	}
}

// TestVersion1CanBeRead opens the kept database of version 1.
func TestVersion1CanBeRead(t *testing.T) {
	if *writeSample {
		if err := os.RemoveAll(sampleDir); err != nil {
			t.Fatal(err)
		}
		writeSampleTo(t, sampleDir)
	}
	if err := Check(sampleDir); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range files(t, disk.OS{}, sampleDir) {
		target := filepath.Join(dir, strings.TrimPrefix(name, filepath.Clean(sampleDir)))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := disk.WriteFile(target, 0o644, func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
			t.Fatal(err)
		}
	}
	db, err := Open(dir, Options{manual: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Collection("sample", sampleSchema)
	if err != nil {
		t.Fatal(err)
	}
	compareSample(t, c)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := Check(dir); err != nil {
		t.Error(err)
	}
}

func compareSample(t *testing.T, c *Collection) {
	t.Helper()
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 20 {
		want := samplePoint(i)
		got, err := s.Get(t.Context(), want.Namespace, With{AllVectors: true}, want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			if len(got) > 0 {
				t.Errorf("point 3 was deleted: got %v", got)
			}
			continue
		}
		if i == 4 {
			delete(want.Payload, "color")
		}
		if len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("point %d: got %v, want %v", i, got, want)
		}
	}
	for what, q := range map[string]Query{
		"6 0":   {Vector: []float32{6, 1, 0}, K: 1},
		"12 0":  {Vector: []float32{12, 12, 0, 1}, Using: "four", K: 1},
		"9 9":   {Sparse: &Sparse{Indices: []uint32{9}, Values: []float32{9}}, Using: "terms", K: 1},
		"18 37": {Multi: [][]float32{{2, 0}, {0, 1}}, Using: "tokens", K: 1},
	} {
		if r := search(t, c, q); fmt.Sprint(r.Hits[0].ID, r.Hits[0].Score) != what {
			t.Errorf("search by %q: got %v %v, want %s", q.Using, r.Hits[0].ID, r.Hits[0].Score, what)
		}
	}
	for want, f := range map[int]*Filter{
		7: All(Match{"color", "red"}), 3: All(Range{Key: "n", GT: 14}, Range{Key: "n", LT: 19}, Not(Match{"n", 16})), 1: All(MatchText{"text", "number12"}),
		2: All(Range{Key: "at", LT: "2026-11-06"}), 4: All(GeoBox{Key: "place", North: 7, South: 0, West: 10, East: 11}),
	} {
		if n, err := c.Count(t.Context(), "", f); n != want || err != nil {
			t.Errorf("%+v: got %d, %v, want %d", f, n, err, want)
		}
	}
}
