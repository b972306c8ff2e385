package faiss

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/index"
)

// writeTo makes TestBuiltIndexes leave its files for test/oracle/faiss_files.py check:
//
//	go test ./internal/faiss -run BuiltIndexes -faiss-files DIR
//	python test/oracle/faiss_files.py check DIR
var writeTo = flag.String("faiss-files", "", "folder for the files that TestBuiltIndexes writes")

// buildSpecs are built by TestBuiltIndexes, with the recall that their kind must reach at the
// default settings on data without any structure.
var buildSpecs = []struct {
	spec   string
	metric index.Metric
	recall float64
}{
	{"Flat", index.L2, 1}, {"Flat", index.Dot, 1}, {"Flat", index.L1, 1}, {"Flat", index.Cosine, 1},
	{"IVF8,Flat", index.L2, 0.2}, {"IVF8,Flat", index.Dot, 0.2}, {"IVF8_HNSW4,Flat", index.L2, 0.2}, {"IVF4,Flat", index.Cosine, 0.3},
	{"IVF8,PQ4x4", index.L2, 0.1}, {"IVF8,PQ8", index.L2, 0.2}, {"IVF8,PQ4x4", index.Dot, 0.1}, {"IVF8,SQ8", index.L2, 0.2}, {"IVF8,SQ8", index.Dot, 0.2},
	{"IVF8,SQfp16", index.L2, 0.2}, {"IVF8,PQ4x4fs", index.L2, 0.1}, {"IVF8,PQ8x4fs,RFlat", index.L2, 0.1}, {"IVF8,PQ8x4fs,RFlat", index.Dot, 0.1},
	{"PQ8", index.L2, 0.7}, {"PQ4x4", index.Dot, 0.3}, {"PQ4x4fs", index.L2, 0.2}, {"PQ8,RFlat", index.L2, 0.7},
	{"SQ8", index.L2, 0.97}, {"SQ8", index.Dot, 0.97}, {"SQ4", index.L2, 0.7}, {"SQfp16", index.L2, 1}, {"SQ8", index.Cosine, 0.9},
	{"HNSW8", index.L2, 0.7}, {"HNSW8", index.Dot, 0.7}, {"HNSW8,SQ8", index.L2, 0.7}, {"HNSW8,PQ4x4", index.L2, 0.2}, {"HNSW8", index.Cosine, 0.6},
	{"LSH", index.L2, 0.1}, {"LSH64rt", index.L2, 0.2}, {"LSH8t", index.L2, 0.05},
	{"IDMap,Flat", index.L2, 1}, {"IDMap,PQ8", index.L2, 0.7},
	{"PCA8,Flat", index.L2, 0.2}, {"PCAR8,SQ8", index.L2, 0.2}, {"PCAW16,Flat", index.L2, 0.7}, {"RR16,Flat", index.L2, 1}, {"L2norm,Flat", index.Dot, 0},
	{"OPQ4,PQ4", index.L2, 0.3}, {"OPQ4,IVF8,PQ4", index.L2, 0.1}, {"OPQ4_8,PQ4", index.L2, 0.2},
	{"BFlat", index.Hamming, 1}, {"BHNSW8", index.Hamming, 0.7}, {"IDMap,BFlat", index.Hamming, 1},
}

// exactAnswers compare with every vector.
func exactAnswers(metric index.Metric) answers {
	base := goldenBase()
	q := goldenAsked()
	var a answers
	for i := range goldenQueries {
		query := q[i*goldenDimensions : (i+1)*goldenDimensions]
		hits, _ := index.NewFlat(metric, goldenDimensions, base).Search(query, goldenK, index.Params{})
		var labels []int
		for _, h := range hits {
			labels = append(labels, h.Row)
		}
		a.Labels = append(a.Labels, labels)
	}
	return a
}

// TestBuiltIndexes builds from factory strings, writes, reads and searches.
func TestBuiltIndexes(t *testing.T) {
	for _, test := range buildSpecs {
		t.Run(fmt.Sprintf("%s-%v", test.spec, test.metric), func(t *testing.T) {
			spec, err := Parse(test.spec)
			if err != nil {
				t.Fatal(err)
			}
			x, err := Build(spec, test.metric, goldenDimensions, goldenBase(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := ask(x)
			if test.metric != index.Hamming && test.recall > 0 {
				if recall := agreement(got, exactAnswers(test.metric)); recall < test.recall {
					t.Errorf("recall %.3f, want at least %v", recall, test.recall)
				}
			}
			var b bytes.Buffer
			if _, err := x.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
			y, err := Read(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			compareAnswers(t, ask(y), got, 1e-5)
			leave(t, test.spec, test.metric, b.Bytes(), got)
		})
	}
}

// leave writes a file and what was found in it, if that is wanted.
func leave(t *testing.T, spec string, metric index.Metric, data []byte, found answers) {
	t.Helper()
	if *writeTo == "" {
		return
	}
	path := filepath.Join(*writeTo, strings.ToLower(strings.ReplaceAll(spec, ",", "-"))+"-"+metric.String())
	raw, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{path + ".faiss": data, path + ".json": raw} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
