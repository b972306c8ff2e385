package eval

import (
	"strings"
	"unicode"
)

// ExactMatch is 1 when the answer equals any of the reference answers after
// SQuAD's normalisation, else 0 (Rajpurkar et al. 2016, "SQuAD: 100,000+
// questions for machine comprehension of text", section 6.1).
func ExactMatch(answer string, references ...string) float64 {
	normal := NormalizeAnswer(answer)
	for _, reference := range references {
		if normal == NormalizeAnswer(reference) {
			return 1
		}
	}
	return 0
}

// F1 is the harmonic mean of precision and recall of the answer's words
// against a reference, counted with repetitions after SQuAD's normalisation;
// the best over all references. Where either side has no words the value is 1
// if both have none, else 0.
func F1(answer string, references ...string) float64 {
	var best float64
	words := strings.Fields(NormalizeAnswer(answer))
	for _, reference := range references {
		best = max(best, overlapF1(words, strings.Fields(NormalizeAnswer(reference))))
	}
	return best
}

func overlapF1(answer, reference []string) float64 {
	if len(answer) == 0 || len(reference) == 0 {
		if len(answer) == len(reference) {
			return 1
		}
		return 0
	}
	left := map[string]int{}
	for _, word := range reference {
		left[word]++
	}
	common := 0
	for _, word := range answer {
		if left[word] > 0 {
			left[word]--
			common++
		}
	}
	return 2 * float64(common) / float64(len(answer)+len(reference))
}

// NormalizeAnswer lowers the case, drops punctuation and the articles a, an
// and the, and joins the words by single spaces, in that order, as SQuAD's
// evaluation does. Punctuation is ASCII's, as there; other scripts keep theirs.
func NormalizeAnswer(answer string) string {
	kept := strings.Map(func(r rune) rune {
		if isASCIIPunctuation(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, answer)
	words := strings.Fields(kept)
	n := 0
	for _, word := range words {
		if word != "a" && word != "an" && word != "the" {
			words[n] = word
			n++
		}
	}
	return strings.Join(words[:n], " ")
}

func isASCIIPunctuation(r rune) bool {
	return r < unicode.MaxASCII && r > ' ' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}
