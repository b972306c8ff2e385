package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeVectors writes a .fvecs file of random vectors.
func writeVectors(t *testing.T, name string, seed uint64, rows, dimensions int) string {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	var b bytes.Buffer
	for range rows {
		binary.Write(&b, binary.LittleEndian, uint32(dimensions))
		for range dimensions {
			binary.Write(&b, binary.LittleEndian, float32(random.NormFloat64()))
		}
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func benchVectorsOutput(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, problems bytes.Buffer
	code = run(t.Context(), append([]string{"bench", "vectors"}, args...), &out, &problems)
	return out.String(), problems.String(), code
}

func TestBenchVectors(t *testing.T) {
	base := writeVectors(t, "base.fvecs", 1, 500, 8)
	queries := writeVectors(t, "query.fvecs", 2, 20, 8)
	for _, spec := range []string{"flat", "graph", "graph,degree=64,efc=50", "lean", "hnsw,m=8", "ivf,lists=10,pq=4", "ivf", "IVF8,PQ4x4fs,RFlat", "HNSW8", "Flat"} {
		for _, keep := range []string{"1", "0.3"} {
			out, problems, code := benchVectorsOutput(t, "--base", base, "--queries", queries, "--index", spec,
				"--ef", "64,200", "--seconds", "0", "--filter-keep", keep, "--json")
			var rows []vectorRow
			if err := json.Unmarshal([]byte(out), &rows); err != nil || code != exitOK || len(rows) != 2 {
				t.Fatalf("%s: exit %d, %v\n%s%s", spec, code, err, out, problems)
			}
			if got := rows[1]; got.Recall < 0.97 || got.QPS <= 0 || got.Index != spec || got.Setting != "ef=200" {
				t.Errorf("%s, %s kept: %+v", spec, keep, got)
			}
		}
	}
}

func TestBenchVectorsSaysWhatIsWrong(t *testing.T) {
	base := writeVectors(t, "base.fvecs", 1, 30, 4)
	other := writeVectors(t, "query.fvecs", 2, 5, 3)
	torn := filepath.Join(t.TempDir(), "torn.fvecs")
	os.WriteFile(torn, []byte{4, 0, 0, 0, 1}, 0o644)
	for args, want := range map[string]string{
		"--index flat --queries " + other:                     "3",
		"--index flat --queries " + torn:                      "not vectors of 4 dimensions",
		"--index tree --queries " + base:                      `"tree" is not known`,
		"--index IVF8,PQ3x --queries " + base:                 `"PQ3x"`,
		"--index graph,size=3 --queries " + base:              `no setting "size"`,
		"--index graph,degree=x --queries " + base:            `degree="x" is no number`,
		"--index graph,degree=33 --queries " + base:           "a degree of 33",
		"--index flat --ef 0 --queries " + base:               "must be positive",
		"--index flat --kernels sse --queries " + base:        "sse",
		"--index flat --truth " + base + " --queries " + base: "want 30 of at least 10",
	} {
		_, problems, code := benchVectorsOutput(t, append([]string{"--base", base}, strings.Fields(args)...)...)
		if code == exitOK || !strings.Contains(problems, want) {
			t.Errorf("%s: exit %d, %q; want %q", args, code, problems, want)
		}
	}
}
