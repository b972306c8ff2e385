package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/testenv"
)

// TestTheTwoFilesOfOneTokenizerAgree writes the default chat model's tokenizer
// as a tokenizer.json and needs equal tokens.
func TestTheTwoFilesOfOneTokenizerAgree(t *testing.T) {
	f, err := gguf.Open(testenv.Model(t, testenv.ChatModel, testenv.ChatModelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	merges, err := f.Strings("tokenizer.ggml.merges")
	if err != nil {
		t.Fatal(err)
	}
	fromGGUF, err := FromGGUF(f)
	if err != nil {
		t.Fatal(err)
	}
	var added []fileAddedToken
	for i, k := range fromGGUF.tokens {
		if k.control {
			added = append(added, fileAddedToken{ID: int32(i), Content: k.name, Special: true})
		}
	}
	file, err := json.Marshal(map[string]any{
		"added_tokens": added,
		"pre_tokenizer": map[string]any{"type": "Sequence", "pretokenizers": []any{
			map[string]any{"type": "Digits", "individual_digits": true},
			map[string]any{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
		}},
		"model": map[string]any{"type": "BPE", "vocab": fromGGUF.ids, "merges": merges},
	})
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := FromJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Special: true}
	for _, language := range languages {
		for _, text := range paragraphs(t, language)[:60] {
			text = "<|im_start|>user\n" + text + "<|im_end|>"
			if diff := cmp.Diff(fromGGUF.Encode(text, o), fromJSON.Encode(text, o)); diff != "" {
				t.Fatalf("%q (-GGUF +JSON):\n%s", text, diff)
			}
		}
	}
	if diff := cmp.Diff(fromGGUF.EndTokens(), []int32{2, 0}); diff != "" {
		t.Errorf("end tokens, which should be <|im_end|> and <|endoftext|> (-got +want):\n%s", diff)
	}
	if bos, ok := fromGGUF.BOS(); !ok || fromGGUF.Token(bos) != "<|im_start|>" {
		t.Errorf("BOS is %d, %v, want <|im_start|>", bos, ok)
	}
	if n := len(fromGGUF.Encode("", Options{AddSpecial: true})); n != 0 {
		t.Errorf("AddSpecial adds %d tokens, want none: the file says add_bos_token false", n)
	}
	if got := fromGGUF.TokenBytes(2); got != nil || !fromGGUF.IsControl(2) {
		t.Errorf("<|im_end|> has the bytes %q, want none", got)
	}
}

// vocabularyFile is a GGUF file of a tokenizer with four tokens and one merge.
func vocabularyFile(t *testing.T, change func(meta map[string]any)) *gguf.File {
	t.Helper()
	meta := map[string]any{
		"tokenizer.ggml.model":         "gpt2",
		"tokenizer.ggml.pre":           "gpt-2",
		"tokenizer.ggml.tokens":        []string{"a", "b", "ab", "<s>"},
		"tokenizer.ggml.token_type":    []int32{1, 1, 1, 3},
		"tokenizer.ggml.merges":        []string{"a b"},
		"tokenizer.ggml.bos_token_id":  uint32(3),
		"tokenizer.ggml.add_bos_token": true,
	}
	change(meta)
	var kvs []gguf.KV
	for k, v := range meta {
		if v != nil {
			kvs = append(kvs, gguf.KV{Key: k, Value: v})
		}
	}
	var b bytes.Buffer
	if err := gguf.Write(&b, kvs, nil); err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestBOSIsAddedAsTheFileSays(t *testing.T) {
	tok, err := FromGGUF(vocabularyFile(t, func(map[string]any) {}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Piece{{3, 0, 0}, {2, 0, 2}}, tok.EncodeOffsets("ab", Options{AddSpecial: true})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWrongGGUFTokenizersAreNamed(t *testing.T) {
	for want, change := range map[string]func(map[string]any){
		`tokenizer.ggml.model "rwkv" is not supported`: func(m map[string]any) { m["tokenizer.ggml.model"] = "rwkv" },
		`"tokenizer.ggml.scores" (an array of`:         func(m map[string]any) { m["tokenizer.ggml.model"] = "llama" },
		`4 tokens but 1 scores`: func(m map[string]any) {
			m["tokenizer.ggml.model"], m["tokenizer.ggml.scores"] = "llama", []float32{1}
		},
		`score of token 1 is not a number`: func(m map[string]any) {
			m["tokenizer.ggml.model"], m["tokenizer.ggml.scores"] = "t5", []float32{1, float32(math.NaN()), 0, 0}
		},
		`needs its unknown token`: func(m map[string]any) {
			m["tokenizer.ggml.model"], m["tokenizer.ggml.scores"] = "t5", []float32{1, 2, 0, 0}
		},
		`tokenizer.ggml.pre "klingon" is not supported`:  func(m map[string]any) { m["tokenizer.ggml.pre"] = "klingon" },
		`"tokenizer.ggml.model" (a string): the file`:    func(m map[string]any) { m["tokenizer.ggml.model"] = nil },
		`"tokenizer.ggml.tokens" (an array of strings)`:  func(m map[string]any) { m["tokenizer.ggml.tokens"] = nil },
		`the vocabulary is empty`:                        func(m map[string]any) { m["tokenizer.ggml.tokens"] = []string{} },
		`4 tokens but 1 token types`:                     func(m map[string]any) { m["tokenizer.ggml.token_type"] = []int32{1} },
		`merge 0 is "ab", want two spellings`:            func(m map[string]any) { m["tokenizer.ggml.merges"] = []string{"ab"} },
		`bos_token_id is 9, the vocabulary has 4 tokens`: func(m map[string]any) { m["tokenizer.ggml.bos_token_id"] = uint32(9) },
		`"tokenizer.ggml.add_bos_token" is string`:       func(m map[string]any) { m["tokenizer.ggml.add_bos_token"] = "yes" },
	} {
		_, err := FromGGUF(vocabularyFile(t, change))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %s", err, want)
		}
		if strings.HasSuffix(want, "not supported") && !errors.Is(err, ErrUnsupported) {
			t.Errorf("%v does not wrap ErrUnsupported", err)
		}
	}
}

func TestWrongTokenizerJSONIsNamed(t *testing.T) {
	bert := func(more string) string {
		return fmt.Sprintf(`{"model":{"type":"WordPiece","vocab":{"[UNK]":0,"a":1}%s`, more)
	}
	bpe := func(more string) string { return `{"model":{"vocab":{"a":0}},` + more + `}` }
	for file, want := range map[string]string{
		`{`:                                                         "unexpected end of JSON input",
		`{"model":{"type":"Bigram"}}`:                               `model "Bigram" is not supported`,
		`{"model":{"type":"BPE"}}`:                                  `model.vocab`,
		`{"model":{"vocab":{"a":-1}}}`:                              `token "a" has the id -1`,
		`{"model":{"vocab":{"a":1e9}}}`:                             `model.vocab`,
		`{"model":{"vocab":{"a":99999999}}}`:                        `token "a" has the id 99999999, out of range`,
		`{"model":{"vocab":{"a":0,"b":0}}}`:                         `have the same id 0`,
		`{"model":{"vocab":{"a":0},"merges":["a"]}}`:                `merge "a" has no space`,
		`{"model":{"vocab":{"a":0},"end_of_word_suffix":"</w>"}}`:   `BPE with a subword prefix or suffix is not supported`,
		`{"model":{"type":"Unigram","vocab":[["a"]]}}`:              `a token with its score has 1 parts`,
		`{"model":{"type":"Unigram","vocab":[["a",0]],"unk_id":1}}`: `unk_id is 1, the vocabulary has 1 tokens`,
		`{"model":{"type":"Unigram","vocab":[["a",0]]},"pre_tokenizer":{"type":"ByteLevel"}}`:                                                                                `Unigram model with a ByteLevel pre-tokenizer`,
		bpe(`"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(?<=x)y"},"behavior":"Isolated"}`):                                                                          `pattern "(?<=x)y": group (?<= is not supported`,
		bpe(`"pre_tokenizer":{"type":"Split","pattern":{"Regex":"x"},"behavior":"Shred"}`):                                                                                   `behavior "Shred" is not supported`,
		bpe(`"pre_tokenizer":{"type":"UnicodeScripts"}`):                                                                                                                     `pre_tokenizer "UnicodeScripts" is not supported`,
		bpe(`"pre_tokenizer":{"type":"Metaspace","prepend_scheme":"last"}`):                                                                                                  `prepend_scheme "last" is not supported`,
		bpe(`"normalizer":{"type":"ByteLevel"}`):                                                                                                                             `normalizer "ByteLevel" is not supported`,
		bpe(`"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"}`):                                                                                             `precompiled charsmap: too short`,
		bpe(`"normalizer":{"type":"Replace","pattern":{"Regex":"[a"},"content":""}`):                                                                                         `a class without ]`,
		bpe(`"decoder":{"type":"CTC"}`):                                                                                                                                      `decoder "CTC" is not supported`,
		bpe(`"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"z"}}]}`):                                                                         `token "z" is not in the vocabulary`,
		bpe(`"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"z"}}],"special_tokens":{"z":{"ids":[7]}}}`):                                      `token "z" has the id 7`,
		bert(`,"unk_token":"[X]"},"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"}}`):                                                      `unk_token "[X]" is not in the vocabulary`,
		bert(`},"pre_tokenizer":{"type":"ByteLevel"}}`):                                                                                                                      `WordPiece with a ByteLevel pre-tokenizer`,
		bert(`},"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","sep":["a",1],"cls":["z",2]}}`): `token "z" is not in the vocabulary`,
	} {
		_, err := FromJSON([]byte(file))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one that says %s", file, err, want)
		}
	}
}

// TestComposedTextKeepsItsOffsets encodes decomposed text with a model that
// wants NFC.
func TestComposedTextKeepsItsOffsets(t *testing.T) {
	tok := tinyBPE(t)
	tok.normal = unicodeForm(norm.NFC)
	const text = "a e\u0301 b"
	var got []string
	for _, p := range tok.EncodeOffsets(text, Options{}) {
		got = append(got, fmt.Sprintf("%s=%q", tok.Token(p.ID), text[p.Start:p.End]))
	}
	want := []string{`a="a"`, `Ġ=" "`, "Ã©=\"e\u0301\"", `Ġ=" "`, `b="b"`}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
