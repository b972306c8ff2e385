package llm

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/model"
	"github.com/ragstone/ragstone/internal/testenv"
	"github.com/ragstone/ragstone/internal/tokenizer"
)

// goldenSentences is what sentence-transformers makes of some texts with the
// tiny models in testdata, to which testenv.WriteWeights makes the tensors;
// test/oracle/sentences.py wrote all of them.
type goldenSentences struct {
	Tensors                 map[string]map[string][]int // shapes, by file and name
	Texts                   []string
	Encode, Query, Document [][]float32
	Pairs                   [][2]int
	Scores                  []float32
}

func readGoldenSentences(t *testing.T) goldenSentences {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "sentences.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g goldenSentences
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// folder makes the folder of one of the models.
func (g *goldenSentences) folder(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for file, shapes := range g.Tensors {
		testenv.WriteWeights(t, filepath.Join(dir, filepath.FromSlash(file)), shapes)
	}
	return filepath.Join(dir, name)
}

func openTiny(t *testing.T, o Options) *LocalEmbedder {
	t.Helper()
	golden := readGoldenSentences(t)
	e, err := OpenEmbedder(t.Context(), golden.folder(t, "embedder"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestEmbedderUsesItsPromptsAndModules(t *testing.T) {
	golden := readGoldenSentences(t)
	e := openTiny(t, Options{})
	short := golden.Texts[:len(golden.Texts)-1] // the last is beyond the window
	for name, c := range map[string]struct {
		embed func(context.Context, []string) ([][]float32, error)
		texts []string
		want  [][]float32
	}{
		"as usual":       {e.Embed, short, golden.Encode},
		"long ones cut":  {e.EmbedCut, golden.Texts, golden.Encode},
		"questions":      {e.EmbedQuery, short, golden.Query},
		"passages":       {e.EmbedPassage, short, golden.Document},
		"with a prefix":  {e.EmbedBare, []string{"query: " + short[0]}, golden.Query},
		"another prefix": {e.EmbedBare, []string{e.PassagePrefix() + short[0]}, golden.Document},
	} {
		got, err := c.embed(t.Context(), c.texts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, v := range got {
			if len(v) != 20 || cosine(v, c.want[i]) < 1-1e-6 {
				t.Errorf("%s, text %d: got %v, want %v", name, i, v, c.want[i])
			}
		}
	}
	if e.Window() != 40 || e.Dimensions() != 20 || e.QueryPrefix() != "query: " || e.PassagePrefix() != "passage: " {
		t.Errorf("window %d, %d dimensions, prefixes %q and %q; want 40, 20, \"query: \" and \"passage: \"",
			e.Window(), e.Dimensions(), e.QueryPrefix(), e.PassagePrefix())
	}
}

func TestPrecisionIsTheCallersChoice(t *testing.T) {
	golden := readGoldenSentences(t)
	e := openTiny(t, Options{Precision: "int8"})
	got, err := e.EmbedQuery(t.Context(), golden.Texts[:1])
	if err != nil {
		t.Fatal(err)
	}
	if c := cosine(got[0], golden.Query[0]); c < 0.99 || c > 1-1e-7 || e.Precision() != "int8" {
		t.Errorf("cosine %v to the exact vector in precision %q, want near it and not at it, and int8", c, e.Precision())
	}
	if p := openTiny(t, Options{}).Precision(); p != "f32" {
		t.Errorf("the usual precision is %q, want f32", p)
	}
	if _, err := OpenEmbedder(t.Context(), golden.folder(t, "embedder"), Options{Precision: "int7"}); err == nil {
		t.Error("int7: no error")
	}
}

func TestRerankerScoresAsCrossEncoder(t *testing.T) {
	golden := readGoldenSentences(t)
	r, err := OpenReranker(t.Context(), golden.folder(t, "reranker"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i, p := range golden.Pairs {
		got, err := r.Rerank(t.Context(), golden.Texts[p[0]], []string{golden.Texts[p[1]]})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(got[0]-golden.Scores[i])) > 1e-5 {
			t.Errorf("%q with %q: got %v, want %v", golden.Texts[p[0]], golden.Texts[p[1]], got[0], golden.Scores[i])
		}
	}
	together, err := r.Rerank(t.Context(), golden.Texts[0], golden.Texts)
	if err != nil {
		t.Fatal(err)
	}
	for i := range golden.Texts {
		alone, err := r.Rerank(t.Context(), golden.Texts[0], golden.Texts[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		if alone[0] != together[i] {
			t.Errorf("text %d: %v alone, %v among others", i, alone[0], together[i])
		}
	}
}

// lengthVocabulary has one token a byte, and pairs with three tokens around.
type lengthVocabulary struct{}

func (lengthVocabulary) Encode(text string, _ tokenizer.Options) []int32 {
	return make([]int32, len(text))
}
func (lengthVocabulary) Pair(first, second []int32) (ids, types []int32) {
	n := 3 + len(first) + len(second)
	return make([]int32, n), make([]int32, n)
}
func (lengthVocabulary) PairOverhead() int { return 3 }

func TestRerankerRefusesWhatItMayNotShorten(t *testing.T) {
	lengths := func(_ context.Context, pairs []model.Sequence) ([][]float32, error) {
		var out [][]float32
		for _, p := range pairs {
			out = append(out, []float32{float32(len(p.Tokens))})
		}
		return out, nil
	}
	for _, shorten := range []bool{false, true} {
		r := newReranker(newTurns(lengths, func() {}), lengthVocabulary{}, pairing{shorten: shorten}, false, Info{Context: 10})
		got, err := r.Rerank(t.Context(), "abcd", []string{"x", "xyz", "wxyz"})
		var tooLong *ContextLengthError
		if shorten && (err != nil || !slices.Equal(got, []float32{8, 10, 10})) {
			t.Errorf("shortened: got %v, %v; want 8, 10 and 10 tokens", got, err)
		}
		if !shorten && (!errors.As(err, &tooLong) || *tooLong != (ContextLengthError{Limit: 10, Requested: 11})) {
			t.Errorf("not shortened: got %v, %v; want a ContextLengthError of 11 to 10", got, err)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Error(err)
		}
		if _, err := r.Rerank(t.Context(), "a", []string{"b"}); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: got %v", err)
		}
	}
}

// The numbers are those of Hugging Face's tokenizers.
func TestLongestFirst(t *testing.T) {
	for _, c := range [][5]int{
		{10, 3, 8, 5, 3}, {3, 10, 8, 3, 5}, {10, 10, 7, 3, 4}, {9, 10, 7, 3, 4}, {10, 9, 7, 4, 3}, {4, 4, 8, 4, 4}, {6, 6, 1, 0, 1},
	} {
		if n, m := longestFirst(c[0], c[1], c[2]); n != c[3] || m != c[4] {
			t.Errorf("%d and %d in %d: got %d and %d, want %d and %d", c[0], c[1], c[2], n, m, c[3], c[4])
		}
	}
}

func TestPromptsAreTheFilesOrTheMakers(t *testing.T) {
	const search = "Represent this sentence for searching relevant passages: "
	for _, c := range []struct {
		name string
		file model.Prompts
		want prompts
	}{
		{"all-MiniLM-L6-v2", model.Prompts{}, prompts{}},
		{"bge-small-en-v1.5", model.Prompts{}, prompts{query: search}},
		{"bge-small-en-v1.5", model.Prompts{ByName: map[string]string{"query": "", "document": ""}}, prompts{query: search}},
		{"bge-m3", model.Prompts{}, prompts{}},
		{"hf/intfloat/multilingual-e5-small", model.Prompts{}, prompts{query: "query: ", passage: "passage: "}},
		{"multilingual-e5-large-instruct", model.Prompts{}, prompts{}},
		{"snowflake-arctic-embed-s", model.Prompts{}, prompts{query: search}},
		{"snowflake-arctic-embed-l-v2.0", model.Prompts{}, prompts{query: "query: "}},
		{"nomic-embed-text-v1.5", model.Prompts{}, prompts{query: "search_query: ", passage: "search_document: "}},
		{"mine", model.Prompts{ByName: map[string]string{"query": "Q ", "passage": "P ", "x": "X "}, Default: "x"}, prompts{"X ", "Q ", "P "}},
	} {
		if diff := cmp.Diff(c.want, newPrompts(c.name, c.file), cmp.AllowUnexported(prompts{})); diff != "" {
			t.Errorf("%s, %v (-want +got):\n%s", c.name, c.file, diff)
		}
	}
}
