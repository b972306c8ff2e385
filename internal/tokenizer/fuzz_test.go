package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tinyBPE is a small byte-level vocabulary: all bytes, a few merges, a control
// token and an added one.
func tinyBPE(tb testing.TB) *Tokenizer {
	tb.Helper()
	t := &Tokenizer{ids: map[string]int32{}}
	add := func(name string, k token) {
		k.name = name
		t.ids[name] = int32(len(t.tokens))
		t.tokens = append(t.tokens, k)
	}
	for b, r := range byteSpelling {
		add(string(r), token{text: string([]byte{byte(b)})})
	}
	merges := [][2]string{{"a", "b"}, {"b", "c"}, {"ab", "c"}, {"a", "a"}, {"aa", "aa"}, {"Ġ", "a"}, {"Ġa", "b"}, {"Ã", "©"}}
	for _, m := range merges {
		if m == [2]string{"Ġa", "b"} {
			continue // a merge without a token
		}
		text, _ := unspell(m[0] + m[1])
		add(m[0]+m[1], token{text: text})
	}
	add("<end>", token{control: true})
	add("<mid>", token{text: "<mid>"})
	t.added = newAddedTokens([]addedToken{
		{text: "<end>", id: t.ids["<end>"], control: true},
		{text: "<mid>", id: t.ids["<mid>"]},
	})
	t.bos, t.eos = none, t.ids["<end>"]
	t.model = cutBy(splitGPT2).pipeline(newBPE(t, merges, false))
	return t
}

// checkPieces holds offsets to their contract.
func checkPieces(t *testing.T, text string, pieces []Piece) {
	t.Helper()
	start, end := 0, 0
	for _, p := range pieces {
		if p.Start < start || p.End < end || p.Start > p.End || p.End > len(text) {
			t.Fatalf("%q: piece %v after start %d and end %d in %d bytes", text, p, start, end, len(text))
		}
		start, end = p.Start, p.End
	}
}

func FuzzByteLevel(f *testing.F) {
	for _, seed := range []string{"", "abc aab", "  a\n\nb 12 it's", "<mid>a<end>", "\xff\xfe a\x80", "é日本\u2028x", strings.Repeat("aab", 40)} {
		f.Add(seed)
	}
	tok := tinyBPE(f)
	f.Fuzz(func(t *testing.T, text string) {
		pieces := tok.EncodeOffsets(text, Options{})
		checkPieces(t, text, pieces)
		ids, _ := flat(pieces)
		if got := tok.Decode(ids); got != text {
			t.Fatalf("%q decodes to %q", text, got)
		}
		var joined strings.Builder
		for _, p := range pieces {
			if got, want := string(tok.TokenBytes(p.ID)), text[p.Start:p.End]; got != want {
				t.Fatalf("%q: the token of %q has the bytes %q", text, want, got)
			}
			joined.WriteString(text[p.Start:p.End])
		}
		if n := tok.Count(text); n != len(ids) {
			t.Fatalf("%q: Count is %d, Encode gives %d", text, n, len(ids))
		}
		checkPieces(t, text, tok.EncodeOffsets(text, Options{Special: true, AddSpecial: true}))
	})
}

// FuzzSplitters checks that every splitter makes progress and stays inside.
func FuzzSplitters(f *testing.F) {
	f.Add("Hello, y'all! 1234 \r\n\t  Ünï 한국 ǅ ʰa\u0301B")
	f.Add("\xff 'LL\u00a0")
	var all []step
	for _, name := range pretokenizerNames {
		p, ok := pretokenizerNamed(name)
		if !ok {
			f.Fatalf("pre-tokeniser %s is missing", name)
		}
		all = append(all, p.steps...)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i, step := range all {
			if got := strings.Join(words(step, text), ""); got != text {
				t.Fatalf("step %d makes %q of %q", i, got, text)
			}
		}
	})
}

// pretokenizerNames has a name of each pre-tokeniser.
var pretokenizerNames = []string{
	"gpt-2", "smollm", "llama-bpe", "qwen2", "qwen35", "gpt-4o", "tekken", "falcon", "default", "deepseek-coder",
	"deepseek-llm", "deepseek-v3", "youtu", "bloom", "viking", "kimi-k2", "superbpe", "bailingmoe", "seed-coder",
	"exaone-moe", "minicpm5", "chameleon",
}

// words returns what a step makes of a text.
func words(c step, text string) []string {
	var w wordList
	p := &pipeline{[]step{c}, &w}
	p.encode(&scratch{}, aligned{text: text})
	return w
}

type wordList []string

func (w *wordList) word(_ *scratch, a aligned) { *w = append(*w, a.text) }

func FuzzWordPiece(f *testing.F) {
	for _, seed := range []string{"", "unaffable café", "a\u0301 가 İ", "\xff\x00 x", "日本x語", strings.Repeat("é", 120)} {
		f.Add(seed)
	}
	w := &wordPiece{normalizer: bertNormalizer{true, true, true, true}, maxRunes: 100, unknown: 0}
	t := &Tokenizer{model: w, join: w.join, bos: none, eos: none}
	for i, name := range []string{"[UNK]", "un", "##aff", "##able", "a", "##a", "cafe", "日", "i", "ᄀ", "##ᅡ"} {
		text, continues := strings.CutPrefix(name, "##")
		t.tokens = append(t.tokens, token{name: name, text: text})
		w.add(text, int32(i), continues)
	}
	f.Fuzz(func(tt *testing.T, text string) {
		pieces := t.EncodeOffsets(text, Options{})
		checkPieces(tt, text, pieces)
		ids, _ := flat(pieces)
		t.Decode(ids)
	})
}

func FuzzFromJSON(f *testing.F) {
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]},"pre_tokenizer":{"type":"ByteLevel"}}`))
	f.Add([]byte(`{"model":{"type":"WordPiece","vocab":{"[UNK]":0,"a":1,"##b":2}},"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"added_tokens":[{"id":3,"content":"[SEP]","special":true}],"post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[SEP]",3]}}`))
	f.Add([]byte(`{"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0],["▁",-1],["a",-2],["▁a",-3]]},"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Strip"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},"pre_tokenizer":{"type":"Metaspace"},"decoder":{"type":"Metaspace"}}`))
	f.Add([]byte(`{"model":{"type":"BPE","byte_fallback":true,"fuse_unk":true,"unk_token":"a","vocab":{"a":0,"▁":1,"<0x62>":2,"▁a":3},"merges":[["▁","a"]]},"normalizer":{"type":"Prepend","prepend":"▁"},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?:a|b(?=x))+|\\s*+$"},"behavior":"MergedWithNext"},{"type":"ByteLevel"},{"type":"Digits"}]}}`))
	f.Add([]byte(`{"model":{"type":"Unigram","unk_id":0,"vocab":[["a",0]]},"normalizer":{"type":"Precompiled","precompiled_charsmap":"CAAAAAAEAAAABAAAYQA="}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := FromJSON(data)
		if err != nil {
			return
		}
		const text = "a b ab [SEP] 1é"
		checkPieces(t, text, tok.EncodeOffsets(text, Options{Special: true, AddSpecial: true}))
	})
}

// TestHeapMergesLikeTheScan compares the two ways of merging a word.
func TestHeapMergesLikeTheScan(t *testing.T) {
	b := tinyBPE(t).model.(*pipeline).words.(*bpe)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		word := make([]byte, 2+rng.IntN(shortWord-1))
		for i := range word {
			word[i] = "aaabbc\xc3\xa9 "[rng.IntN(9)]
		}
		merged := func(merge func(*merger, *pairTable) []mergeSymbol) (out []int32) {
			var m merger
			for i, c := range word {
				m.symbols = append(m.symbols, mergeSymbol{id: b.bytes[c], start: int32(i), end: int32(i + 1)})
			}
			for _, s := range merge(&m, &b.pairs) {
				out = append(out, s.id, s.start, s.end)
			}
			return out
		}
		if diff := cmp.Diff(merged((*merger).scan), merged((*merger).heap)); diff != "" {
			t.Fatalf("%q: scan and heap differ (-scan +heap):\n%s", word, diff)
		}
	}
}

// FuzzPattern needs any expression to be refused, or matched in bounds and in
// reasonable time.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{gpt2Words, llama3Words(`\p{N}{1,3}`), cased(`\p{N}`, ""), `(a*)*b`, `(?i:[a-z&&[^b]]{2,3})++|^\s+$`, `\p{Han}+(?!x)`, `(?:(?:a?){9}){9}`, `[\x{1F600}-\u00ff]`} {
		f.Add(seed, "abc ab12 \n'LL \u65e5\u672c aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac")
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		p, err := parsePattern(expression)
		if err != nil || len(expression) > 100 || len(text) > 200 {
			return
		}
		for at := 0; at < len(text); {
			start, end := p.find(text, at)
			if start < at || end < start || end > len(text) {
				t.Fatalf("%q in %q from %d: match from %d to %d", expression, text, at, start, end)
			}
			if start == end {
				break
			}
			at = end
		}
	})
}
