package tokenizer

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/testenv"
)

var languages = []string{"en", "de", "es", "zh"}

// hash is the golden files' hash of ids or offsets.
func hash[T int | int32](numbers []T) string {
	h := fnv.New64a()
	for _, n := range numbers {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], uint32(n))
		h.Write(b[:])
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

func readJSON(tb testing.TB, path string, into any) {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
}

// paragraphs returns the xquad paragraphs of a language, in order.
func paragraphs(tb testing.TB, language string) []string {
	tb.Helper()
	var file struct {
		Data []struct {
			Paragraphs []struct{ Context string }
		}
	}
	readJSON(tb, testenv.Shared(tb, "data", "xquad", "xquad."+language+".json"), &file)
	var out []string
	for _, article := range file.Data {
		for _, p := range article.Paragraphs {
			out = append(out, p.Context)
		}
	}
	return out
}

// chatTokenizer is the default chat model's.
func chatTokenizer(tb testing.TB) *Tokenizer {
	tb.Helper()
	return openGGUF(tb, testenv.Model(tb, testenv.ChatModel, testenv.ChatModelFile))
}

// embedTokenizer is the default embedding model's.
func embedTokenizer(tb testing.TB) *Tokenizer {
	tb.Helper()
	return openJSON(tb, testenv.Model(tb, testenv.EmbedModel, "tokenizer.json"))
}

func openJSON(tb testing.TB, path string) *Tokenizer {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	tok, err := FromJSON(data)
	if err != nil {
		tb.Fatal(err)
	}
	return tok
}

// TestChatTokensEqualLlamaCpp needs llama.cpp's tokens on every xquad
// paragraph; test/oracle/tokens_llamacpp.py made the golden file.
func TestChatTokensEqualLlamaCpp(t *testing.T) {
	tok := chatTokenizer(t)
	var golden map[string]struct {
		Hashes []string
		Whole  [][]int32
	}
	readJSON(t, "testdata/llamacpp_xquad.json", &golden)
	for _, language := range languages {
		want := golden[language]
		texts := paragraphs(t, language)
		if len(texts) != len(want.Hashes) || len(texts) != 240 {
			t.Fatalf("%s: %d paragraphs and %d golden rows, want 240 of both", language, len(texts), len(want.Hashes))
		}
		for i, ids := range want.Whole {
			if diff := cmp.Diff(ids, tok.Encode(texts[i], Options{})); diff != "" {
				t.Errorf("%s paragraph %d (-want +got):\n%s", language, i, diff)
			}
		}
		for i, text := range texts {
			ids := tok.Encode(text, Options{})
			if got := fmt.Sprintf("%d %s", len(ids), hash(ids)); got != want.Hashes[i] {
				t.Errorf("%s paragraph %d: got count and hash %s, want %s, for %q", language, i, got, want.Hashes[i], text)
			}
			if back := tok.Decode(ids); back != text {
				t.Errorf("%s paragraph %d decodes to %q, want %q", language, i, back, text)
			}
		}
	}
}

// TestWordPieceEqualsHuggingFace needs Hugging Face's ids and offsets on 1,960
// real texts and the odd ones; test/oracle/tokens_wordpiece.py made the golden
// file.
func TestWordPieceEqualsHuggingFace(t *testing.T) {
	tok := embedTokenizer(t)
	var golden struct {
		Hashes []string
		Odd    []struct {
			Text    string
			IDs     []int32
			Offsets []int
			Around  []int32
			Decoded string
		}
	}
	readJSON(t, "testdata/wordpiece.json", &golden)
	for _, want := range golden.Odd {
		ids, offsets := flat(tok.EncodeOffsets(want.Text, Options{}))
		if diff := cmp.Diff(want.IDs, ids); diff != "" {
			t.Errorf("%q: ids (-want +got):\n%s", want.Text, diff)
		} else if diff := cmp.Diff(want.Offsets, offsets); diff != "" {
			t.Errorf("%q: offsets (-want +got):\n%s", want.Text, diff)
		}
		if diff := cmp.Diff(want.Around, tok.Encode(want.Text, Options{AddSpecial: true})); diff != "" {
			t.Errorf("%q with [CLS] and [SEP] (-want +got):\n%s", want.Text, diff)
		}
		if got := tok.Decode(want.IDs); got != want.Decoded {
			t.Errorf("%q decodes to %q, want %q", want.Text, got, want.Decoded)
		}
	}
	texts := realTexts(t)
	if len(texts) != len(golden.Hashes) {
		t.Fatalf("%d texts and %d golden rows", len(texts), len(golden.Hashes))
	}
	for i, text := range texts {
		ids, offsets := flat(tok.EncodeOffsets(text, Options{Special: true}))
		if got := fmt.Sprintf("%d %s %s", len(ids), hash(ids), hash(offsets)); got != golden.Hashes[i] {
			t.Errorf("text %d: got count and hashes %s, want %s, for %q", i, got, golden.Hashes[i], text)
		}
	}
}

func flat(pieces []Piece) (ids []int32, offsets []int) {
	ids, offsets = []int32{}, []int{}
	for _, p := range pieces {
		ids = append(ids, p.ID)
		offsets = append(offsets, p.Start, p.End)
	}
	return ids, offsets
}

// realTexts are the texts of test/oracle/tokens_wordpiece.py.
func realTexts(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, language := range languages {
		out = append(out, paragraphs(t, language)...)
	}
	corpus, err := os.ReadFile(testenv.Shared(t, "data", "scifact", "corpus.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(string(corpus), "\n")
	document := func(i int) (d struct{ Title, Text string }) {
		if err := json.Unmarshal([]byte(documents[i]), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	for i := range 400 {
		out = append(out, document(12*i).Text)
	}
	for i := range 200 {
		out = append(out, document(12*i+1).Title)
	}
	var code []struct {
		Chunks []struct{ Content string }
	}
	readJSON(t, testenv.Shared(t, "data", "code-context", "codebase_chunks.json"), &code)
	var chunks []string
	for _, d := range code {
		for _, c := range d.Chunks {
			chunks = append(chunks, c.Content)
		}
	}
	out = append(out, chunks[:200]...)
	for _, name := range []string{"chatlogs", "finance", "pubmed", "state_of_the_union", "wikitexts"} {
		data, err := os.ReadFile(testenv.Shared(t, "data", "chunking", "corpora", name+".md"))
		if err != nil {
			t.Fatal(err)
		}
		text := []rune(string(data))
		for i := range 40 {
			start := i * (len(text) / 40)
			out = append(out, string(text[start:min(start+25*(i+1), len(text))]))
		}
	}
	return out
}
