package tokenizer

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/testenv"
)

// vocabularyAbsent are the vectors of the shared test data whose vocabulary is
// not part of it. test/oracle/vocabularies.sh fetches those and runs them too.
var vocabularyAbsent = []string{
	"command-r", "deepseek-coder", "deepseek-llm", "falcon", "llama-bpe", "mpt", "qwen2", "refact", "starcoder",
}

// TestVectorsOfLlamaCpp runs llama.cpp's own tokenizer tests: texts and the
// ids they must give.
func TestVectorsOfLlamaCpp(t *testing.T) {
	dir := testenv.Shared(t, "data", "tokenizers")
	inputs, err := filepath.Glob(filepath.Join(dir, "ggml-vocab-*.gguf.inp"))
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no vectors in %s (%v)", dir, err)
	}
	for _, input := range inputs {
		vocabulary := strings.TrimSuffix(input, ".inp")
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(vocabulary), "ggml-vocab-"), ".gguf")
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(vocabulary); err != nil && slices.Contains(vocabularyAbsent, name) {
				t.Skip("the data has vectors but no vocabulary")
			}
			runVectors(t, vocabulary)
		})
	}
}

func runVectors(t *testing.T, vocabulary string) {
	t.Helper()
	tok := openGGUF(t, vocabulary)
	texts, ids := readVectors(t, vocabulary)
	for i, text := range texts {
		got := tok.Encode(text, Options{})
		if diff := cmp.Diff(ids[i], got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// vocabulariesUnlike says where a vocabulary is not held to llama.cpp.
var vocabulariesUnlike = map[string]string{
	"bert-bge": "WordPiece is Hugging Face's here, which keeps marks that have a width",
	"aquila":   "the file names no pre-tokeniser",
	"gpt-neox": "the file names no pre-tokeniser",
}

// oneDiffers is a text that llama.cpp cuts unlike DeepSeek's own expression:
// two spaces before an ideographic one.
var oneDiffers = map[string]int{"deepseek-llm": 1}

// TestVocabulariesOfLlamaCpp needs llama.cpp's ids on the xquad paragraphs and on
// odd and random texts; test/oracle/tokens_vocabularies.py made the golden file.
func TestVocabulariesOfLlamaCpp(t *testing.T) {
	var golden map[string]map[string]string
	readJSON(t, "testdata/llamacpp_vocabularies.json", &golden)
	texts := readHuggingFace(t).Texts
	dir := testenv.Shared(t, "data", "tokenizers")
	for name, want := range golden {
		vocabulary := filepath.Join(dir, "ggml-vocab-"+name+".gguf")
		if _, err := os.Stat(vocabulary); err != nil || vocabulariesUnlike[name] != "" {
			continue // see vocabularyAbsent
		}
		t.Run(name, func(t *testing.T) {
			tok := openGGUF(t, vocabulary)
			for _, language := range languages {
				var all []int32
				for _, text := range paragraphs(t, language) {
					all = append(all, tok.Encode(text, Options{})...)
				}
				if got := shortHash(all); got != want[language] {
					t.Errorf("the xquad paragraphs in %s differ", language)
				}
			}
			differ := 0
			for i, hash := range strings.Fields(want["odd"]) {
				if ids := tok.Encode(texts[i], Options{}); shortHash(ids) != hash {
					if differ++; differ > oneDiffers[name] {
						t.Errorf("text %d, %q: %q is wrong", i, texts[i], spellings(tok, ids))
					}
				}
			}
		})
	}
}

func openGGUF(tb testing.TB, path string) *Tokenizer {
	tb.Helper()
	f, err := gguf.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	tok, err := FromGGUF(f)
	if err != nil {
		tb.Fatal(err)
	}
	return tok
}

// readVectors reads texts separated by a marker line, and a line of ids for
// each.
func readVectors(t *testing.T, vocabulary string) (texts []string, ids [][]int32) {
	t.Helper()
	input, err := os.ReadFile(vocabulary + ".inp")
	if err != nil {
		t.Fatal(err)
	}
	output, err := os.ReadFile(vocabulary + ".out")
	if err != nil {
		t.Fatal(err)
	}
	texts = strings.Split(string(input), "\n__ggml_vocab_test__\n")
	for _, line := range strings.Split(strings.TrimSuffix(string(output), "\n"), "\n") {
		row := []int32{}
		for _, field := range strings.Fields(line) {
			n, err := strconv.ParseInt(field, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, int32(n))
		}
		ids = append(ids, row)
	}
	if len(texts) < len(ids) {
		t.Fatalf("%s: %d texts but %d rows of ids", vocabulary, len(texts), len(ids))
	}
	return texts[:len(ids)], ids
}
