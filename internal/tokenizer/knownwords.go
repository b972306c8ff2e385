package tokenizer

import (
	"encoding/binary"
	"math/bits"
)

// knownWords remembers the tokens of short words, since most words of a text
// have been seen before: a table with one place for each hash, where the newer
// word stays. It belongs to one scratch and one model.
type knownWords []knownWord

const (
	knownPlaces = 1 << 13
	knownBytes  = 24
	knownTokens = 6
)

// knownWord is a word and its tokens; length 0 is an empty place.
type knownWord struct {
	word   [knownBytes]byte
	tokens [knownTokens]knownToken
	length uint8
	count  uint8
}

// knownToken is a wordToken that is short.
type knownToken struct {
	id         int32
	start, end uint8
}

// find returns the place of a word: its own if holds says so. A word that is
// too long is never held.
func (k *knownWords) find(word string) *knownWord {
	if *k == nil {
		*k = make(knownWords, knownPlaces)
	}
	return &(*k)[hashWord(word)%knownPlaces]
}

func (p *knownWord) holds(word string) bool {
	return int(p.length) == len(word) && string(p.word[:p.length]) == word
}

// learn puts a word in the place, which find gave for it, with no more tokens
// than fit.
func (p *knownWord) learn(word string, tokens []wordToken) {
	if len(word) > knownBytes {
		return
	}
	p.length, p.count = uint8(copy(p.word[:], word)), uint8(len(tokens))
	for i, t := range tokens {
		p.tokens[i] = knownToken{t.id, uint8(t.start), uint8(t.end)}
	}
}

// hashWord mixes the first bytes of a word, up to knownBytes. Colliding words
// only displace each other, so the hash need not be secret.
func hashWord(word string) uint64 {
	const k0, k1 = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	h := uint64(len(word)) * k0
	i := 0
	for ; i+8 <= len(word) && i < knownBytes; i += 8 {
		h = mix(h^binary.LittleEndian.Uint64([]byte(word[i:i+8])), k1)
	}
	var tail uint64
	for ; i < len(word) && i < knownBytes; i++ {
		tail = tail<<8 | uint64(word[i])
	}
	return mix(h^tail, k0)
}

// mix is the folded product of two words.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
