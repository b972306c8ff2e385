package model

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/testenv"
)

// miniLM loads the default embedding model.
func miniLM(t testing.TB, threads int) *Encoder {
	t.Helper()
	pool := kernel.NewPool(threads)
	t.Cleanup(pool.Close)
	e, err := LoadEncoder(testenv.Model(t, testenv.EmbedModel), EncoderOptions{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// goldenVectors is what test/oracle/minilm.py wrote.
type goldenVectors struct {
	IDs    [][]int32 `json:"ids"`
	Scales []float32 `json:"scales"`
	Texts  []struct {
		File             string
		Item, Start, End int
	} `json:"texts"`
	steps []int16
}

func readGoldenVectors(t *testing.T) goldenVectors {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "minilm.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	head, planes, _ := bytes.Cut(data, []byte("\n"))
	var g goldenVectors
	if err := json.Unmarshal(head, &g); err != nil {
		t.Fatal(err)
	}
	n := len(planes) / 2
	for i := range n {
		g.steps = append(g.steps, int16(uint16(planes[i])|uint16(planes[n+i])<<8))
	}
	return g
}

// vector returns the vector of a text.
func (g *goldenVectors) vector(i int) []float32 {
	width := len(g.steps) / len(g.IDs)
	v := make([]float32, width)
	for j, s := range g.steps[i*width:][:width] {
		v[j] = float32(s) * g.Scales[i]
	}
	return v
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// The best level takes all texts, the others a sample, of short texts where it is
// plain Go, which is thirty times slower.
func TestMiniLMEqualsSentenceTransformers(t *testing.T) {
	e := miniLM(t, 2)
	golden := readGoldenVectors(t)
	if len(golden.IDs) != 1000 {
		t.Fatalf("%d texts in the golden file, want 1,000", len(golden.IDs))
	}
	atEachLevel(t, func(t *testing.T) {
		step, longest := 17, 256
		switch kernel.Current() {
		case kernel.Plain:
			step, longest = 41, 32
		case kernel.Best():
			step = 1
		}
		var texts []int
		var ids [][]int32
		for i := 0; i < len(golden.IDs); i += step {
			if len(golden.IDs[i]) <= longest {
				texts, ids = append(texts, i), append(ids, golden.IDs[i])
			}
		}
		vectors, err := e.Encode(context.Background(), ids)
		if err != nil {
			t.Fatal(err)
		}
		worst := 1.0
		for k, i := range texts {
			c := cosine(vectors[k], golden.vector(i))
			worst = min(worst, c)
			if !(c >= 0.9999) {
				t.Errorf("text %d (%+v), %d tokens: cosine %.6f, want 0.9999", i, golden.Texts[i], len(ids[k]), c)
			}
			if length := kernel.Dot(vectors[k], vectors[k]); math.Abs(float64(length)-1) > 1e-5 {
				t.Errorf("text %d: squared length %v, want 1", i, length)
			}
		}
		t.Logf("%d texts, worst cosine %.7f", len(texts), worst)
	})
}

func TestAVectorDoesNotDependOnItsBatchOrTheThreads(t *testing.T) {
	one, three := miniLM(t, 1), miniLM(t, 3)
	golden := readGoldenVectors(t)
	r := rand.New(rand.NewPCG(1, 2))
	alone := map[int][]float32{}
	var texts []int
	for range 24 {
		i := r.IntN(len(golden.IDs))
		v, err := one.Encode(context.Background(), golden.IDs[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		texts, alone[i] = append(texts, i), v[0]
	}
	for _, size := range []int{1, 5, 24} {
		for batch := range slices.Chunk(texts, size) {
			var ids [][]int32
			for _, i := range batch {
				ids = append(ids, golden.IDs[i])
			}
			for name, e := range map[string]*Encoder{"one thread": one, "three threads": three} {
				vectors, err := e.Encode(context.Background(), ids)
				if err != nil {
					t.Fatal(err)
				}
				for k, i := range batch {
					if !slices.Equal(vectors[k], alone[i]) {
						t.Fatalf("text %d, %d tokens, in a batch of %d on %s: not the bits it has alone", i, len(ids[k]), size, name)
					}
				}
			}
		}
	}
}

func TestEncodeMayRunConcurrently(t *testing.T) {
	e := tinyEncoder(t, tinyFiles(), 2)
	want, err := e.Encode(context.Background(), [][]int32{{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for range 8 {
		go func() {
			var err error
			for i := range 50 {
				got, encodeErr := e.Encode(context.Background(), [][]int32{{int32(i % 9), 5}, {1, 2, 3}, {4}})
				if encodeErr != nil || !slices.Equal(got[1], want[0]) {
					err = fmt.Errorf("got %v, %v; want %v", got, encodeErr, want[0])
				}
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestEncodeRefusesWhatItCannotTake(t *testing.T) {
	e := tinyEncoder(t, tinyFiles(), 1)
	for name, c := range map[string]struct {
		ids  []int32
		want string
	}{
		"nothing":         {nil, "sequence 1 is empty"},
		"a negative id":   {[]int32{-1}, "token -1"},
		"an id too large": {[]int32{10}, "token 10; the vocabulary has 10"},
		"too many tokens": {make([]int32, 9), "9 tokens, the model's context is 8"},
	} {
		if _, err := e.Encode(context.Background(), [][]int32{{1}, c.ids}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	var limit *ContextError
	_, err := e.Encode(context.Background(), [][]int32{make([]int32, 9)})
	if !errors.As(err, &limit) || limit.Tokens != 9 || limit.Limit != 8 {
		t.Errorf("too many tokens: got %v, want a ContextError with 9 and 8", err)
	}
	if vectors, err := e.Encode(context.Background(), nil); err != nil || len(vectors) != 0 {
		t.Errorf("no sequences: got %v, %v", vectors, err)
	}
}

func TestEncodeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, threads := range []int{1, 2} {
		e := tinyEncoder(t, tinyFiles(), threads)
		if _, err := e.Encode(ctx, [][]int32{{1}, {2}, {3}, {4}}); !errors.Is(err, context.Canceled) {
			t.Errorf("%d threads: got %v", threads, err)
		}
	}
}

func TestEncodeNamesTheLayerThatOverflows(t *testing.T) {
	files := tinyFiles()
	files.tensors["encoder.layer.1.output.dense.bias"].values[3] = float32(math.Inf(1))
	e := tinyEncoder(t, files, 1)
	if _, err := e.Encode(context.Background(), [][]int32{{1, 2}}); err == nil || !strings.Contains(err.Error(), "layer 1") {
		t.Errorf("got %v, want layer 1 named", err)
	}
}
