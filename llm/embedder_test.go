package llm

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/model"
	"github.com/ragstone/ragstone/internal/testenv"
)

// summingEncoder gives a sequence the normalised counts of its tokens modulo
// four, and remembers its batches.
type summingEncoder struct {
	mu      sync.Mutex
	batches [][]int // lengths of the sequences
}

func (s *summingEncoder) encode(_ context.Context, sequences []model.Sequence) ([][]float32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lengths []int
	var vectors [][]float32
	for _, sequence := range sequences {
		tokens := sequence.Tokens
		lengths = append(lengths, len(tokens))
		var v [4]float64
		for _, id := range tokens {
			v[id%4]++
		}
		norm := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2] + v[3]*v[3])
		vector := make([]float32, 4)
		for i := range v {
			vector[i] = float32(v[i] / norm)
		}
		vectors = append(vectors, vector)
	}
	s.batches = append(s.batches, lengths)
	return vectors, nil
}

func openSumming(t *testing.T, window int) (*LocalEmbedder, *summingEncoder) {
	t.Helper()
	s := &summingEncoder{}
	e := newEmbedder(newTurns(s.encode, func() {}), byteVocabulary{addsBegin: true}, 4, Info{Context: window})
	t.Cleanup(func() { e.Close() })
	return e, s
}

func TestEmbedRefusesWhatDoesNotFit(t *testing.T) {
	e, _ := openSumming(t, 10)
	if _, err := e.Embed(t.Context(), []string{strings.Repeat("x", 9)}); err != nil {
		t.Errorf("a text of exactly the window: %v", err)
	}
	_, err := e.Embed(t.Context(), []string{"short", strings.Repeat("x", 10)})
	var tooLong *ContextLengthError
	if !errors.As(err, &tooLong) || *tooLong != (ContextLengthError{Limit: 10, Requested: 11}) {
		t.Errorf("got error %v, want a ContextLengthError of 11 to 10", err)
	}
}

func TestEmbedLongPoolsWindows(t *testing.T) {
	e, s := openSumming(t, 17) // 16 and the token before every text; windows overlap by 2
	long := strings.Repeat("abcd", 5) + "dddddddddddd"
	vectors, err := e.EmbedLong(t.Context(), []string{long})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]int{{5, 17, 17}}, s.batches); diff != "" {
		t.Errorf("windows of %d tokens (-want +got):\n%s", len(long), diff)
	}
	var want [4]float64
	for _, w := range []string{long[:16], long[14:30], long[28:]} {
		v, err := e.Embed(t.Context(), []string{w})
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range v[0] {
			want[i] += float64(len(w)+1) * float64(x)
		}
	}
	norm := math.Sqrt(want[0]*want[0] + want[1]*want[1] + want[2]*want[2] + want[3]*want[3])
	for i, x := range vectors[0] {
		if math.Abs(float64(x)-want[i]/norm) > 1e-6 {
			t.Errorf("number %d: got %v, want %v", i, x, want[i]/norm)
		}
	}

	cut, err := e.EmbedCut(t.Context(), []string{long})
	if err != nil {
		t.Fatal(err)
	}
	head, _ := e.Embed(t.Context(), []string{long[:16]})
	if diff := cmp.Diff(head, cut); diff != "" {
		t.Errorf("EmbedCut differs from the window's vector (-want +got):\n%s", diff)
	}
}

func TestEmbedKeepsOrderAndSortsBatches(t *testing.T) {
	e, s := openSumming(t, 3000)
	texts := []string{strings.Repeat("a", 2500), "b", strings.Repeat("c", 2000), "dd", ""}
	vectors, err := e.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		alone, err := e.Embed(t.Context(), []string{text})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(alone[0], vectors[i]); diff != "" {
			t.Errorf("text %d: alone and among others (-alone +among):\n%s", i, diff)
		}
	}
	if diff := cmp.Diff([][]int{{1, 2, 3, 2001}, {2501}}, s.batches[:2]); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestClosedEmbedder(t *testing.T) {
	e, _ := openSumming(t, 10)
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Error(err)
	}
	if _, err := e.Embed(t.Context(), []string{"a"}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestMiniLM(t *testing.T) {
	e, err := OpenEmbedder(t.Context(), testenv.Model(t, testenv.EmbedModel), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Window() != 256 || e.Dimensions() != 384 || e.Count("hello world") != 4 {
		t.Errorf("got window %d, %d dimensions, %d tokens; want 256, 384, 4", e.Window(), e.Dimensions(), e.Count("hello world"))
	}
	long := "Cats are small animals. " + strings.Repeat("They sleep through most of the day. ", 60)
	vectors, err := e.EmbedLong(t.Context(), []string{"How long do cats sleep?", long, "The price of copper fell again."})
	if err != nil {
		t.Fatal(err)
	}
	near, far := cosine(vectors[0], vectors[1]), cosine(vectors[0], vectors[2])
	if near < far+0.3 {
		t.Errorf("the question is at cosine %.3f from the text on it, %.3f from another", near, far)
	}
	if n := cosine(vectors[1], vectors[1]); math.Abs(n-1) > 1e-5 {
		t.Errorf("a pooled vector has squared length %v", n)
	}
	identity, err := e.Identity()
	if err != nil || !strings.HasSuffix(identity, " pooling=mean normalized=true window=256") {
		t.Errorf("identity: got %q, %v", identity, err)
	}
	_, err = OpenEmbedder(t.Context(), testenv.Model(t, testenv.EmbedModel), Options{MaxMemory: 1e6})
	var tooLarge *MemoryError
	if !errors.As(err, &tooLarge) || tooLarge.Limit != 1e6 || tooLarge.Need < 50e6 {
		t.Errorf("in one megabyte: got %v, want a MemoryError with both numbers", err)
	}
}

func cosine(a, b []float32) float64 {
	var dot float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
	}
	return dot
}
