package tokenizer

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// huggingFace is testdata/huggingface.json.gz, which
// test/oracle/tokenizers_hf.py makes.
type huggingFace struct {
	Texts      []string
	Tokenizers []struct {
		Name    string
		File    json.RawMessage
		Hashes  string
		Around  [][]int32
		Pairs   [][2][]int32
		Decoded []string
		XQuAD   map[string]string
	}
}

func readHuggingFace(t *testing.T) (golden huggingFace) {
	t.Helper()
	file, err := os.Open("testdata/huggingface.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(unzipped).Decode(&golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

// shortHash is hash, the lower half of it.
func shortHash(ids []int32) string {
	h := fnv.New64a()
	for _, id := range ids {
		h.Write([]byte{byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24)})
	}
	return fmt.Sprintf("%08x", uint32(h.Sum64()))
}

// TestTokenizersOfHuggingFace needs equal ids from small tokenizers of every
// kind, on odd, random and real texts.
func TestTokenizersOfHuggingFace(t *testing.T) {
	golden := readHuggingFace(t)
	if len(golden.Tokenizers) < 20 || len(golden.Texts) < 300 {
		t.Fatalf("the golden file has %d tokenizers and %d texts", len(golden.Tokenizers), len(golden.Texts))
	}
	for _, want := range golden.Tokenizers {
		t.Run(want.Name, func(t *testing.T) {
			tok, err := FromJSON(want.File)
			if err != nil {
				t.Fatal(err)
			}
			hashes := strings.Fields(want.Hashes)
			for i, text := range golden.Texts {
				pieces := tok.EncodeOffsets(text, Options{Special: true})
				checkPieces(t, text, pieces)
				ids, _ := flat(pieces)
				if got := shortHash(ids); got != hashes[i] {
					t.Errorf("text %d, %q: %q is wrong", i, text, spellings(tok, ids))
				} else if i < len(want.Decoded) && decodedAs(tok.Decode(ids)) != want.Decoded[i] {
					t.Errorf("%q decodes to %q, want %q", text, tok.Decode(ids), want.Decoded[i])
				}
			}
			for i, ids := range want.Around {
				if diff := cmp.Diff(ids, tok.Encode(golden.Texts[3+i], Options{Special: true, AddSpecial: true})); diff != "" {
					t.Errorf("%q with what goes around it (-want +got):\n%s", golden.Texts[3+i], diff)
				}
			}
			for i, pair := range want.Pairs {
				ids, types := tok.EncodePair(golden.Texts[4+i], golden.Texts[5+i])
				if diff := cmp.Diff(pair, [2][]int32{ids, types}); diff != "" {
					t.Errorf("%q and %q (-want +got):\n%s", golden.Texts[4+i], golden.Texts[5+i], diff)
				}
			}
			for _, language := range languages {
				var all []int32
				for _, text := range paragraphs(t, language) {
					all = append(all, tok.Encode(text, Options{Special: true})...)
				}
				if got := shortHash(all); got != want.XQuAD[language] {
					t.Errorf("the xquad paragraphs in %s differ", language)
				}
			}
		})
	}
}

// decodedAs is a text as Hugging Face returns it: what is not UTF-8 replaced.
func decodedAs(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

func spellings(t *Tokenizer, ids []int32) (out []string) {
	for _, id := range ids {
		out = append(out, t.Token(id))
	}
	return out
}
