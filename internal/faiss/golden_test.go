package faiss

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/index"
)

// What test/oracle/faiss_files.py makes: files of 600 vectors of 16 dimensions, and the 10
// nearest of 20 queries as FAISS finds them.
const (
	goldenRows, goldenDimensions, goldenQueries, goldenK = 600, 16, 20, 10
)

// numbers are the oracle's.
func numbers(count int, seed uint64) []float32 {
	out := make([]float32, count)
	for i := range out {
		seed = seed*6364136223846793005 + 1442695040888963407
		out[i] = float32(seed>>33%65)/8 - 4
	}
	return out
}

func goldenBase() []float32 { return numbers(goldenRows*goldenDimensions, 1) }
func goldenAsked() []float32 {
	return numbers(goldenQueries*goldenDimensions, 2)
}

// answers are what a search of every query found.
type answers struct {
	Spec      string      `json:"spec"`
	Labels    [][]int     `json:"labels"`
	Distances [][]float64 `json:"distances"` // the metric's value as FAISS has it: L2 squared
}

// ask searches for every query with the index's own settings.
func ask(x *Index) answers {
	a := answers{Spec: x.String()}
	q := goldenAsked()
	for i := range goldenQueries {
		hits, _ := x.Search(q[i*goldenDimensions:(i+1)*goldenDimensions], goldenK, index.Params{})
		labels, distances := []int{}, []float64{}
		for _, h := range hits {
			labels = append(labels, h.Row)
			d := float64(h.Score)
			if x.Metric().Distance() {
				d = -d
			}
			distances = append(distances, d)
		}
		a.Labels, a.Distances = append(a.Labels, labels), append(a.Distances, distances)
	}
	return a
}

// compareAnswers fails where distances differ by more than the tolerance, relative to the
// largest, or where other labels are found at distances that stand alone. It returns the share of
// labels that are the same.
func compareAnswers(t *testing.T, got, want answers, tolerance float64) {
	t.Helper()
	for i := range want.Labels {
		g, w := got.Distances[i], want.Distances[i]
		if len(g) != len(w) {
			t.Errorf("query %d: %d hits, want %d", i, len(g), len(w))
			continue
		}
		largest := 0.0
		for _, v := range w {
			largest = max(largest, math.Abs(v))
		}
		near := func(a, b float64) bool { return math.Abs(a-b) <= tolerance*(1+largest) }
		for j := range w {
			if !near(g[j], w[j]) {
				t.Errorf("query %d, hit %d: distance %v, want %v\ngot  %v\nwant %v", i, j, g[j], w[j], got.Labels[i], want.Labels[i])
				break
			}
			alone := j+1 < len(w) && !near(w[j], w[j+1]) && (j == 0 || !near(w[j], w[j-1]))
			if alone && got.Labels[i][j] != want.Labels[i][j] {
				t.Errorf("query %d, hit %d: label %d, want %d", i, j, got.Labels[i][j], want.Labels[i][j])
			}
		}
	}
}

// agreement is the share of labels that are the same.
func agreement(got, want answers) float64 {
	same, all := 0, 0
	for i := range want.Labels {
		all += len(want.Labels[i])
		for _, label := range got.Labels[i] {
			if slices.Contains(want.Labels[i], label) {
				same++
			}
		}
	}
	return float64(same) / float64(all)
}

// sameDistances is the share of distances that are the same.
func sameDistances(got, want answers) float64 {
	same, all := 0, 0
	for i, row := range want.Distances {
		all += len(row)
		for j, d := range row {
			if j < len(got.Distances[i]) && got.Distances[i][j] == d {
				same++
			}
		}
	}
	return float64(same) / float64(all)
}

// golden calls test for every file that FAISS wrote.
func golden(t *testing.T, test func(t *testing.T, data []byte, want answers)) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.faiss")
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".faiss"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := os.ReadFile(strings.TrimSuffix(path, "faiss") + "json")
			if err != nil {
				t.Fatal(err)
			}
			var want answers
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			test(t, data, want)
		})
	}
}

// TestFilesOfFAISSAreSearchedEqually holds searches of files that FAISS wrote to what it finds in
// them.
func TestFilesOfFAISSAreSearchedEqually(t *testing.T) {
	golden(t, func(t *testing.T, data []byte, want answers) {
		x, err := Read(data)
		if err != nil {
			t.Fatal(err)
		}
		if x.Len() != goldenRows || x.Dimensions() != goldenDimensions {
			t.Fatalf("%d vectors of %d dimensions", x.Len(), x.Dimensions())
		}
		got := ask(x)
		switch {
		case strings.HasSuffix(want.Spec, "fs"): // estimated from tables of bytes, which round differently
			if a := agreement(got, want); a < 0.85 {
				t.Errorf("%.3f of the labels agree", a)
			}
			return
		case strings.HasSuffix(want.Spec, "fs,RFlat"): // so that other candidates may come last
			if a := agreement(got, want); a < 0.95 {
				t.Errorf("%.3f of the labels agree", a)
			}
			return
		case strings.HasPrefix(want.Spec, "BHNSW"): // nearly all distances are tied, and the ways through the graph too
			if a := sameDistances(got, want); a < 0.97 {
				t.Errorf("%.3f of the distances are the same", a)
			}
			return
		}
		compareAnswers(t, got, want, 1e-5)
	})
}

// TestFilesComeBack writes what was read and reads it again.
func TestFilesComeBack(t *testing.T) {
	golden(t, func(t *testing.T, data []byte, want answers) {
		x, err := Read(data)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		n, err := x.WriteTo(&b)
		if err != nil || n != int64(b.Len()) {
			t.Fatalf("wrote %d of %d bytes: %v", n, b.Len(), err)
		}
		y, err := Read(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		compareAnswers(t, ask(y), ask(x), 1e-6)
		if y.String() != x.String() {
			t.Errorf("%s came back as %s", x, y)
		}
	})
}
