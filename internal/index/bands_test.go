package index_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/index"
)

// wideSets are data whose magnitudes differ too much for one graph, by name.
func wideSets(rows, d int) map[string][]float32 {
	random := rand.New(rand.NewPCG(3, 3))
	sets := map[string][]float32{
		"one far outlier": clustered(1, rows, d),
		"a few outliers":  clustered(2, rows, d),
		"norms":           clustered(3, rows, d),
		"log-normal":      clustered(4, rows, d),
	}
	for i := range d {
		sets["one far outlier"][i] = 1e5
	}
	for row := range rows {
		scale, heavy := float32(math.Exp2(float64(row%20)-10)), float32(math.Exp(3*random.NormFloat64()))
		for i := range d {
			if row%200 == 7 {
				sets["a few outliers"][row*d+i] *= 1e6
			}
			sets["norms"][row*d+i] *= scale
			sets["log-normal"][row*d+i] *= heavy
		}
	}
	return sets
}

// buildBands builds bands that are closed with the test.
func buildBands(t *testing.T, m index.Metric, d int, slab []float32) *index.Bands {
	t.Helper()
	bands := index.MagnitudeBands(m, d, slab)
	if len(bands) < 2 {
		t.Fatalf("%v: %d band", m, len(bands))
	}
	b, err := index.BuildBands(t.Context(), m, d, slab, bands, index.GraphOptions{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestBandsOnWideData(t *testing.T) {
	const rows, d, k, queries = 1500, 16, 10, 20
	for name, slab := range wideSets(rows, d) {
		for _, m := range []index.Metric{index.L2, index.Dot} {
			b := buildBands(t, m, d, slab)
			b.Attach(slab)
			for _, filter := range []*index.Filter{nil, someRows(2, rows, 0.5), someRows(3, rows, 0.03)} {
				sum := 0.0
				for i := range queries {
					query, noise := make([]float32, d), randomSlab(uint64(i), d)
					for j := range query {
						v := slab[(i*97%rows)*d+j]
						query[j] = v + 0.01*noise[j]*float32(math.Abs(float64(v)))
					}
					all := reference(m, d, slab, query, filter)
					hits, _ := b.Search(query, k, index.Params{Filter: filter})
					if len(hits) != min(k, len(all)) {
						t.Fatalf("%s, %v: %d hits", name, m, len(hits))
					}
					sum += recall(hits, all, k)
				}
				if got := sum / queries; got < 0.97 {
					t.Errorf("%s, %v: recall %.3f", name, m, got)
				}
			}
		}
	}
}

func TestOneBandIsEnoughForMostData(t *testing.T) {
	const rows, d = 1000, 16
	for name, slab := range hardSets(rows, d) {
		for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
			wide := m != index.Cosine && (name == "norms" || name == "one far outlier")
			if got := len(index.MagnitudeBands(m, d, slab)); got > 1 && !wide {
				t.Errorf("%s, %v: %d bands", name, m, got)
			}
		}
	}
}

func TestBandsFile(t *testing.T) {
	const rows, d = 500, 8
	slab := wideSets(rows, d)["norms"]
	b := buildBands(t, index.L2, d, slab)
	var file bytes.Buffer
	if n, err := b.WriteTo(&file); err != nil || n != int64(file.Len()) {
		t.Fatal(n, err)
	}
	data := file.Bytes()
	again, err := index.OpenBands(data)
	if err != nil || !index.IsBands(data) {
		t.Fatal(err)
	}
	for i := range 20 {
		query := slab[i*d : (i+1)*d]
		want, _ := b.Search(query, 10, index.Params{})
		got, _ := again.Search(query, 10, index.Params{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("query %d (-built +opened):\n%s", i, diff)
		}
	}
	for at := 8; at < len(data); at += 1 + len(data)/200 {
		damaged := slices.Clone(data)
		damaged[at] ^= 0x10
		if _, err := index.OpenBands(damaged); err == nil && at < len(data)-60 {
			t.Errorf("byte %d of %d changed: no error", at, len(data))
		}
		if _, err := index.OpenBands(data[:at]); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", at, len(data))
		}
		if at+4 < len(data)-64 { // damage that the checksum has been made to fit
			index.PutChecksum(damaged[len(data)-64:], damaged[:len(data)-64])
			if x, err := index.OpenBands(damaged); err == nil {
				x.Search(slab[:d], 10, index.Params{})
			}
		}
	}
}

// TestBandsVersion1 reads a file that version 1 wrote.
func TestBandsVersion1(t *testing.T) {
	const rows, d = 150, 4
	slab := clustered(13, rows, d)
	for i := range 70 * d {
		slab[i] *= 1e6
	}
	var file bytes.Buffer
	if _, err := buildBands(t, index.L2, d, slab).WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	b, err := index.OpenBands(golden(t, "bands.v1", file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	b.Attach(slab)
	for _, row := range []int{3, 149} {
		query := slab[row*d : (row+1)*d]
		hits, _ := b.Search(query, 5, index.Params{})
		checkExact(t, "version 1", index.L2, hits, reference(index.L2, d, slab, query, nil), 5)
	}
}
