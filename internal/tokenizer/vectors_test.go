package tokenizer

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/testenv"
)

// vectorsWithoutSupport are the vectors of the shared test data that are not
// run, and why.
var vectorsWithoutSupport = map[string]string{
	"llama-spm":      "SentencePiece is not supported yet",
	"phi-3":          "SentencePiece is not supported yet",
	"command-r":      "the data has vectors but no vocabulary",
	"deepseek-coder": "the data has vectors but no vocabulary",
	"deepseek-llm":   "the data has vectors but no vocabulary",
	"falcon":         "the data has vectors but no vocabulary",
	"llama-bpe":      "the data has vectors but no vocabulary",
	"mpt":            "the data has vectors but no vocabulary",
	"qwen2":          "the data has vectors but no vocabulary",
	"refact":         "the data has vectors but no vocabulary",
	"starcoder":      "the data has vectors but no vocabulary",
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
			if reason := vectorsWithoutSupport[name]; reason != "" {
				t.Skip(reason)
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
