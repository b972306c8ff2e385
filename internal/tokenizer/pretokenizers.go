package tokenizer

import "strings"

// pretokenizer is how a family of models cuts text into words.
type pretokenizer struct {
	splitters []splitter

	// wholeWords: a word that is a token is taken without asking the merges.
	wholeWords bool

	// bos: texts begin with BOS unless the file says otherwise.
	bos bool
}

// pretokenizerNamed knows the names that GGUF files use in tokenizer.ggml.pre.
func pretokenizerNamed(name string) (pretokenizer, bool) {
	switch name {
	case "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "gigachat",
		"jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum", "modern-bert", "exaone4":
		return pretokenizer{splitters: []splitter{splitGPT2}}, true
	case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b":
		return pretokenizer{splitters: []splitter{each(oneNumber), splitGPT2}}, true
	case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2":
		return pretokenizer{splitters: []splitter{splitLlama3(numberGroup, 0)}, wholeWords: true, bos: true}, true
	case "dbrx", "smaug-bpe", "chatglm-bpe":
		return pretokenizer{splitters: []splitter{splitLlama3(numberGroup, 0)}}, true
	case "glm4":
		return pretokenizer{splitters: []splitter{splitLlama3(numberGroup, 0)}, wholeWords: true}, true
	case "qwen2", "stablelm2", "hunyuan", "megrez", "deepseek-r1-qwen":
		return pretokenizer{splitters: []splitter{splitLlama3(oneNumber, 0)}}, true
	case "qwen35":
		return pretokenizer{splitters: []splitter{splitLlama3(oneNumber, mark)}}, true
	case "gpt-4o", "llama4":
		return pretokenizer{splitters: []splitter{splitCased(numberGroup, anyContraction)}}, true
	case "tekken":
		return pretokenizer{splitters: []splitter{splitCased(oneNumber, nil)}, wholeWords: true, bos: true}, true
	case "falcon":
		return pretokenizer{splitters: []splitter{each(punctuationOr("$+<=>^~|`")), splitGPT2, each(threeDigits)}}, true
	case "deepseek-coder":
		return pretokenizer{splitters: []splitter{each(newline), each(spaced(letter)), each(spaced(punct)), each(ideographs), each(oneNumber)}}, true
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

// ideographs is [一-龥ࠀ-一가-퟿]+, DeepSeek's reach of CJK and its neighbours.
func ideographs(s string) int {
	for i, r := range s {
		if !(0x800 <= r && r <= 0x9fa5 || 0xac00 <= r && r <= 0xd7ff) {
			return i
		}
	}
	return len(s)
}
