package tokenizer

import (
	"strings"
	"testing"
)

// The texts are the xquad paragraphs of a language, one by one. Run with
//
//	go test -run '^$' -bench . ./internal/tokenizer

func BenchmarkByteLevel(b *testing.B) { benchLanguages(b, chatTokenizer(b)) }

func BenchmarkWordPiece(b *testing.B) { benchLanguages(b, embedTokenizer(b)) }

func benchLanguages(b *testing.B, tok *Tokenizer) {
	for _, language := range languages {
		texts := paragraphs(b, language)
		b.Run(language, func(b *testing.B) {
			b.SetBytes(int64(len(strings.Join(texts, ""))))
			for b.Loop() {
				for _, text := range texts {
					tok.Encode(text, Options{})
				}
			}
		})
	}
}

// BenchmarkEndlessWord is the hostile case: one word of a megabyte.
func BenchmarkEndlessWord(b *testing.B) {
	tok := chatTokenizer(b)
	text := strings.Repeat("ab", 1<<19)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Count(text)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		chatTokenizer(b)
	}
}
