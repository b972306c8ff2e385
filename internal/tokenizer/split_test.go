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
		compiled, err := parsePattern(e.Regex)
		if err != nil {
			t.Error(err)
			continue
		}
		ways := map[string]step{"the pattern": &split{find: compiled.find}}
		if scanner, ok := scannerFor(e.Regex); ok {
			ways["the scanner"] = scanner
		}
		for how, way := range ways {
			for i, text := range texts {
				var ends []int
				at := 0
				got := words(way, text)
				for _, w := range got {
					at += len(w)
					ends = append(ends, at)
				}
				if hash(ends) != e.Hashes[i] {
					t.Errorf("%s\n%s cuts %q into %q, which is wrong", e.Regex, how, text, got)
				}
			}
		}
	}
}
