package vector

import (
	"hash/maphash"
	"slices"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

// term is a word of a text in memory, as a hash, and how often it is there.
// 64 bits keep two words of one collection apart.
type term struct {
	hash  uint64
	count float32
}

// termSeed makes the hashes of this process.
var termSeed = maphash.MakeSeed()

func hashTerm(text string) uint64 { return maphash.String(termSeed, text) }

// count analyses the texts of a payload for one keyword index: its terms,
// sorted by hash, and the number of words.
func (k keywordField) count(body payload.Value) (terms []term, words float64) {
	if len(body) == 0 {
		return nil, 0
	}
	counts := map[uint64]float32{}
	texts(body, k.keys, func(text string) {
		for _, t := range k.spec.analyzer().Terms(text) {
			counts[hashTerm(t)]++
			words++
		}
	})
	for hash, n := range counts {
		terms = append(terms, term{hash, n})
	}
	slices.SortFunc(terms, func(a, b term) int {
		if a.hash < b.hash {
			return -1
		}
		return 1
	})
	return terms, words
}

// frequency returns how often a term is among sorted ones.
func frequency(terms []term, hash uint64) float64 {
	at, ok := slices.BinarySearchFunc(terms, hash, func(t term, h uint64) int {
		switch {
		case t.hash < h:
			return -1
		case t.hash > h:
			return 1
		}
		return 0
	})
	if !ok {
		return 0
	}
	return float64(terms[at].count)
}
