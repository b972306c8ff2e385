package index_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/index"
)

// written returns a graph's file.
func written(t testing.TB, g *index.Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := g.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo: %d of %d bytes, %v", n, b.Len(), err)
	}
	return b.Bytes()
}

func TestGraphFile(t *testing.T) {
	graphFile(t, 300, 33)
	graphFile(t, 40, 512) // a lean graph has rows
}

func graphFile(t *testing.T, rows, dimensions int) {
	slab, query := clustered(1, rows, dimensions), clustered(2, 1, dimensions)
	for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
		for i := range 8 {
			n, lean := []int{0, 1, 40, rows}[i/2], i%2 == 1
			g := buildGraph(t, m, dimensions, slab[:n*dimensions], index.GraphOptions{Degree: 64, Seed: 3, Lean: lean})
			file := written(t, g)
			opened, err := index.OpenGraph(file)
			if err != nil {
				t.Fatalf("%v, %d rows: %v", m, n, err)
			}
			if opened.Len() != n || opened.Metric() != m || opened.Dimensions() != dimensions || opened.Bytes() != g.Bytes() {
				t.Errorf("%v, %d rows: opened %d rows of %d, %v, %d bytes", m, n, opened.Len(), opened.Dimensions(), opened.Metric(), opened.Bytes())
			}
			want, _ := g.Search(query, 10, index.Params{})
			got, _ := opened.Search(query, 10, index.Params{})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v, %d rows (-built +opened):\n%s", m, n, diff)
			}
			opened.Close()
			if !bytes.Equal(written(t, g), file) {
				t.Errorf("%v, %d rows: writing twice gives other bytes", m, n)
			}
		}
	}
}

func TestGraphFileDamaged(t *testing.T) {
	for _, lean := range []bool{false, true} {
		damageGraph(t, written(t, buildGraph(t, index.L2, 8, clustered(1, 50, 8), index.GraphOptions{Lean: lean})))
	}
	damageGraph(t, written(t, buildGraph(t, index.L2, 512, clustered(1, 5, 512), index.GraphOptions{Lean: true})))
}

func damageGraph(t *testing.T, file []byte) {
	for _, at := range []int{0, 9, 16, 70, 130, 5000, len(file) - 70, len(file) - 64} {
		damaged := bytes.Clone(file)
		damaged[at] ^= 4
		_, err := index.OpenGraph(damaged)
		if _, ok := errors.AsType[*index.FormatError](err); !ok {
			t.Errorf("byte %d changed: %v, want a FormatError", at, err)
		}
	}
	for _, n := range []int{0, 7, 191, len(file) - 1} {
		if _, err := index.OpenGraph(file[:n]); err == nil {
			t.Errorf("%d of %d bytes: no error", n, len(file))
		}
	}
}

// FuzzOpenGraph opens files with a right checksum and anything else.
func FuzzOpenGraph(f *testing.F) {
	for _, m := range []index.Metric{index.L2, index.Dot} {
		file := written(f, buildGraph(f, m, 2, clustered(1, 3, 2), index.GraphOptions{Lean: m == index.Dot}))
		f.Add(file[:len(file)-64], uint16(0), byte(0))
	}
	query := []float32{1, 2}
	f.Fuzz(func(t *testing.T, body []byte, at uint16, change byte) {
		if int(at) < len(body) {
			body[at] ^= change
		}
		g, err := index.OpenGraph(sealed(body))
		if err != nil {
			return
		}
		if g.Dimensions() == len(query) {
			g.Search(query, 3, index.Params{})
			g.Search(query, 1, index.Params{Filter: index.FilterOf(0, 1)})
		}
	})
}

// sealed appends the trailer that makes a body's checksum right.
func sealed(body []byte) []byte {
	trailer := make([]byte, 64)
	index.PutChecksum(trailer, body)
	return append(bytes.Clone(body), trailer...)
}
