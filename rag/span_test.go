package rag

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/llm"
)

func TestWordStarts(t *testing.T) {
	const text = `He saw "Nine (or ten) owls" in São Tomé.`
	var got []string
	for _, at := range wordStarts(text, nil) {
		got = append(got, text[at:at+2])
	}
	want := []string{"He", "sa", "Ni", "or", "te", "ow", "in", "S\xc3", "To"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("word starts of %q (-want +got):\n%s", text, diff)
	}
}

func TestIsWordEnd(t *testing.T) {
	for _, c := range []struct {
		before, after string
		want          bool
	}{
		{"the keeper", " lit", true},
		{"the keep", "er lit", false},
		{"1", ",000 owls", false},
		{"1,000", " owls", true},
		{"3", ".5 m", false},
		{"in 1874", ". Its lamp", true},
		{"it", "'s late", false},
		{"(1874", ") was", true},
		{"the end", "", true},
		{"A-102", ",Standing desk,450", true},
		{"450", ",00 EUR", false},
	} {
		if got := isWordEnd(c.before+c.after, len(c.before), bordersOf(c.before+c.after, 0)); got != c.want {
			t.Errorf("isWordEnd(%q | %q) = %v, want %v", c.before, c.after, got, c.want)
		}
	}
}

func TestSpansStayInsideTheCellsOfARow(t *testing.T) {
	for text, want := range map[string][]string{
		"| owls | nine |":      {"owls", "nine"},
		"A-102,Standing,1,450": {"A-102", "Standing", "1,450"},
		"Hex bolt,M6,0.34,120": {"Hex", "bolt", "M6", "0.34", "120"},
		"owls\tnine":           {"owls", "nine"},
		"owls, larks":          {"owls", "larks"},
	} {
		cells := bordersOf(text, 0)
		var got []string
		for _, at := range wordStarts(text, cells) {
			end := at
			for end < len(text) && (end == at || !isWordEnd(text, end, cells) || cells.inside(at, end)) {
				end++
			}
			got = append(got, text[at:end])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("words of %q (-want +got):\n%s", text, diff)
		}
	}
}

func TestTrimClosing(t *testing.T) {
	for text, want := range map[string]string{
		"1874.":             "1874",
		"Ada Okafor, ":      "Ada Okafor",
		"the prize (peace)": "the prize (peace)",
		"peace)":            "peace",
		"owls\"":            "owls",
	} {
		if got := trimClosing(text); got != want {
			t.Errorf("trimClosing(%q) = %q, want %q", text, got, want)
		}
	}
}

// tokens splits a continuation at the given ends.
func tokens(ends ...int) []llm.ScoredToken {
	var list []llm.ScoredToken
	start := 0
	for _, end := range ends {
		list = append(list, llm.ScoredToken{Start: start, End: end, LogProb: -1, EndLogProb: -2})
		start = end
	}
	return list
}

func TestSpansCloseAtWordEndsOnly(t *testing.T) {
	text := "It shone in 1874, every night."
	s := &sentence{hit: &Hit{Passage: Passage{Text: text}}, end: len(text)}
	start := &span{sentence: s, start: 12} // "1874, every night."
	// " ", "1", "8", "7", "4", ",", " every"
	spans := closeSpans(start, tokens(1, 2, 3, 4, 5, 6, 12))
	var got []string
	for _, s := range spans {
		got = append(got, s.text())
	}
	if diff := cmp.Diff([]string{"1874", "1874, every"}, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if want := -5.0 - 2; spans[0].logProb != want {
		t.Errorf("log-probability of %q is %v, want %v: the better of the two readings", spans[0].text(), spans[0].logProb, want)
	}
}
