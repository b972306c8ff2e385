package tokenizer

import "testing"

// TestScannersCutAsTheirExpressions compares the hand-written scanners with
// the regular expressions they stand for, as Hugging Face's engine runs them;
// test/oracle/splits.py made the golden file.
func TestScannersCutAsTheirExpressions(t *testing.T) {
	var golden struct {
		Odd         []string
		Expressions []struct {
			Regex  string
			Hashes []string
		}
	}
	readJSON(t, "testdata/splits.json", &golden)
	texts := golden.Odd
	for _, language := range languages {
		texts = append(texts, paragraphs(t, language)[:40]...)
	}
	for _, e := range golden.Expressions {
		split, ok := splitterFor(e.Regex)
		if !ok {
			t.Errorf("no scanner for %s", e.Regex)
			continue
		}
		for i, text := range texts {
			var words []string
			var ends []int
			for at := 0; at < len(text); {
				n := split(text[at:])
				words = append(words, text[at:at+n])
				at += n
				ends = append(ends, at)
			}
			if hash(ends) != e.Hashes[i] {
				t.Errorf("%s\ncuts %q into %q, which is wrong", e.Regex, text, words)
			}
		}
	}
}
