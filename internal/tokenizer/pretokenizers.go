package tokenizer

import (
	"strings"
	"unicode"
)

// pretokenizer is how a family of models cuts text into words.
type pretokenizer struct {
	steps []step

	// wholeWords: a word that is a token is taken without asking the merges.
	wholeWords bool

	// bos: texts begin with BOS unless the file says otherwise.
	bos bool
}

func (p pretokenizer) pipeline(b *bpe) *pipeline { return &pipeline{p.steps, b} }

// cutBy is a pretokenizer of scanners.
func cutBy(splitters ...splitter) pretokenizer {
	var p pretokenizer
	for _, s := range splitters {
		p.steps = append(p.steps, s)
	}
	return p
}

// pretokenizerNamed knows the names that GGUF files use in tokenizer.ggml.pre.
func pretokenizerNamed(name string) (pretokenizer, bool) {
	switch name {
	case "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "gigachat",
		"jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum", "modern-bert", "exaone4":
		return cutBy(splitGPT2), true
	case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2":
		return cutBy(digitsApart, splitGPT2), true
	case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano":
		p := cutBy(splitLlama3(numberGroup, 0))
		p.wholeWords, p.bos = true, true
		return p, true
	case "dbrx", "smaug-bpe", "chatglm-bpe":
		return cutBy(splitLlama3(numberGroup, 0)), true
	case "glm4", "glm5":
		p := cutBy(splitLlama3(numberGroup, 0))
		p.wholeWords = true
		return p, true
	case "qwen2", "stablelm2", "hunyuan", "megrez", "deepseek-r1-qwen", "kormo", "f2llmv2", "grok-2", "laguna", "solar-open":
		return cutBy(splitLlama3(oneNumber, 0)), true
	case "qwen35":
		return cutBy(splitLlama3(oneNumber, mark)), true
	case "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2", "tiny_aya", "cohere2moe":
		return cutBy(splitCased(numberGroup, anyContraction)), true
	case "tekken":
		p := cutBy(splitCased(oneNumber, nil))
		p.wholeWords, p.bos = true, true
		return p, true
	case "falcon":
		return cutBy(each(punctuationOr("$+<=>^~|`")), splitGPT2, each(threeDigits)), true
	case "default":
		return cutBy(each(punctuationOr("$+<=>^~|")), splitGPT2, each(numbers), each(threeDigits)), true
	case "deepseek-coder":
		return cutBy(each(newline), each(spaced(letter)), each(spaced(punct)), each(ideographs), digitsApart), true
	}
	return pretokenizerOf(name)
}

// pretokenizerOf knows those that are written as regular expressions.
func pretokenizerOf(name string) (pretokenizer, bool) {
	deepseek3 := []string{`\p{N}{1,3}`, `[一-龥぀-ゟ゠-ヿ]+`,
		`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_` + "`" + `{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*` + lineTail}
	bloom := ` ?[^(\s|.,!?…。，、।۔،)]+`
	of := func(expressions ...string) (pretokenizer, bool) {
		var p pretokenizer
		for _, e := range expressions {
			c, err := splitterFor(e)
			if err != nil {
				panic(err) // one of the constants here is wrong; a test has them all
			}
			p.steps = append(p.steps, c)
		}
		return p, true
	}
	switch name {
	case "deepseek-llm":
		p := cutBy(each(newline), each(spacedOf(deepseekLetters)), each(spacedOf(deepseekPunctuation)), trailingSpace, each(ideographs), each(numbers))
		return p, true
	case "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4":
		return of(deepseek3...)
	case "youtu":
		p, ok := of(cased(`\p{N}`, ignoringCase+`?`))
		p.wholeWords = true
		return p, ok
	case "bloom", "gpt3-finnish", "poro-chat":
		return of(bloom)
	case "viking":
		return of(bloom, `\p{N}`)
	case "kimi-k2":
		return of(`\p{Han}+|` + casedIn(`&&[^\p{Han}]]`, `\p{N}{1,3}`, ignoringCase+`?`, `[\r\n]*`))
	case "superbpe":
		return of(`\p{N}+`, `(?=(\d{3})+(?!\d))`)
	case "bailingmoe", "bailingmoe2", "llada-moe":
		return of(`'(?i:[sdmt]|ll|ve|re)|` + leadAny + `+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`)
	case "seed-coder":
		return of(ignoringCase + `|` + leadAny + `\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+` + lineTail)
	case "exaone-moe":
		return of(ignoringCase + `|` + leadAny + `(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+`)
	case "minicpm5":
		p, ok := of(`\p{N}{1,3}`, ignoringCase+`|`+leadAny+`\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*`+lineTail)
		p.wholeWords = true
		return p, ok
	case "chameleon":
		return of(`<sentinel:[0-9]+>`, `(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z`, `([\t\n]|    |  )`, `\p{N}`, `[\p{P}!-/:-@\[-`+"`"+`{-~]`, gpt2Words)
	}
	return pretokenizer{}, false
}

// punctuationOr is one or more of \p{P} and some ASCII characters.
func punctuationOr(more string) matcher {
	return func(s string) int {
		i := 0
		for i < len(s) {
			c, n := first(s[i:])
			if c&punct == 0 && strings.IndexByte(more, s[i]) < 0 {
				break
			}
			i += n
		}
		return i
	}
}

// threeDigits is [0-9][0-9][0-9].
func threeDigits(s string) int {
	if len(s) < 3 {
		return 0
	}
	for i := range 3 {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
	}
	return 3
}

// deepseekLetters are the letters with upper and lower case as DeepSeek's
// expression lists them, which leaves out some ranges.
var deepseekLetters = newRuneSet(func(r rune) bool {
	for _, out := range [...][2]rune{
		{0x560, 0x588}, {0x10c7, 0x10ff}, {0x1c80, 0x1c88}, {0x2d00, 0x2d2d}, {0xa790, 0xa7fa}, {0xab30, 0xab68},
		{0x10570, 0x105b9}, {0x16e40, 0x16e7f}, {0x1d400, 0x1df2a},
	} {
		if out[0] <= r && r <= out[1] {
			return false
		}
	}
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt)
})

// deepseekPunctuation is [!-/:-~！-／：-～‘-‟　-。].
var deepseekPunctuation = newRuneSet(func(r rune) bool {
	return '!' <= r && r <= '/' || ':' <= r && r <= '~' || '！' <= r && r <= '／' || '：' <= r && r <= '～' ||
		'‘' <= r && r <= '‟' || '\u3000' <= r && r <= '。'
})

// spacedOf is \s? before one or more of a set.
func spacedOf(set *runeSet) matcher {
	return func(s string) int {
		lead := 0
		if c, n := first(s); c&space != 0 {
			lead = n
		}
		i := lead
		for n := set.match(s, i); n > 0; n = set.match(s, i) {
			i += n
		}
		if i == lead {
			// The space itself may be of the set.
			return set.match(s, 0)
		}
		return i
	}
}

// trailingSpace is \s+$.
func trailingSpace(s string) int {
	if n := len(strings.TrimRightFunc(s, unicode.IsSpace)); n > 0 {
		return n
	}
	return len(s)
}

// ideographs is [一-龥ࠀ-一가-퟿]+, DeepSeek's reach of CJK and its neighbours.
func ideographs(s string) int {
	for i, r := range s {
		if !(0x800 <= r && r <= 0x9fa5 || 0xac00 <= r && r <= 0xd7ff) {
			return i
		}
	}
	return len(s)
}
