package faiss

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/index"
)

// file returns a golden file.
func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".faiss"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTornFilesAreRefused cuts every golden file off at many places.
func TestTornFilesAreRefused(t *testing.T) {
	golden(t, func(t *testing.T, data []byte, _ answers) {
		for n := 0; n < len(data); n += 1 + n/40 {
			if _, err := Read(data[:n]); err == nil {
				t.Fatalf("%d of %d bytes are read as an index", n, len(data))
			}
		}
		if _, err := Read(append(bytes.Clone(data), 0)); err == nil || !strings.Contains(err.Error(), "left over") {
			t.Errorf("a byte too many: %v", err)
		}
	})
}

// TestUnsupportedPartsAreNamed changes files into what is not supported.
func TestUnsupportedPartsAreNamed(t *testing.T) {
	put := func(name string, at int, value uint32) []byte {
		data := bytes.Clone(file(t, name))
		binary.LittleEndian.PutUint32(data[at:], value)
		return data
	}
	renamed := func(name, code string) []byte { return append([]byte(code), file(t, name)[4:]...) }
	const metricAt = 4 + 4 + 8 + 16 + 1
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"kind":         {renamed("flat-l2", "INSf"), "IndexNSGFlat (INSf) is not supported"},
		"unknown kind": {renamed("flat-l2", "abcd"), `"abcd" begins no index`},
		"metric":       {put("flat-l2", metricAt, 22), "metric JensenShannon is not supported"},
		"scalar kind":  {put("sq8-l2", metricAt+4, 6), "QT_6bit are not supported"},
		"untrained":    {append(append(bytes.Clone(file(t, "flat-l2")[:metricAt-1]), 0), file(t, "flat-l2")[metricAt:]...), "not trained"},
		"dimensions":   {put("flat-l2", 4, 1<<20), "1048576 dimensions"},
		"rows":         {put("flat-l2", 8, 601), "want 9616"},
		"bits":         {put("pq2-l2", metricAt+4+16, 6), "6 bits are not supported"},
		"not a number": {put("flat-l2", metricAt+4+8, 0x7fc00000), "finite"},
	} {
		_, err := Read(test.data)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want %s", name, err, test.want)
		}
	}
}

// FuzzRead wants any bytes to be refused or to be an index that can be searched and written.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"pq4x4fs-l2", "lsh-l2", "bflat-bits"} {
		f.Add(file(f, name))
	}
	for _, spec := range []string{"HNSW2", "IVF2_HNSW2,Flat", "IVF2,SQ8", "PCA2,HNSW2,SQ8", "LSH8rt", "IDMap,Flat", "SQ8,RFlat", "L2norm,SQfp16"} {
		f.Add(small(f, spec, index.L2))
	}
	f.Add(small(f, "BHNSW2", index.Hamming))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Read(data)
		if err != nil {
			return
		}
		query := make([]float32, x.Dimensions())
		for _, p := range []index.Params{{}, {EF: 3, NProbe: 3, Filter: index.FilterOf(0, 2)}, {Exact: true}} {
			hits, _ := x.Search(query, 3, p)
			for _, h := range hits {
				if !p.Filter.Has(h.Row) {
					t.Errorf("label %d was found, which the filter does not admit", h.Row)
				}
			}
		}
		x.Each(func(int, []float32) {})
		var b bytes.Buffer
		if _, err := x.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(b.Bytes()); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}

// small returns the file of an index of eight vectors of eight dimensions.
func small(f *testing.F, text string, metric index.Metric) []byte {
	f.Helper()
	spec, err := Parse(text)
	if err != nil {
		f.Fatal(err)
	}
	x, err := Build(spec, metric, 8, numbers(64, 3), Options{})
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := x.WriteTo(&b); err != nil {
		f.Fatal(err)
	}
	return b.Bytes()
}
