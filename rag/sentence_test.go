package rag

import (
	"context"
	"testing"
)

// A heading shares more words with a question than the text it heads, and
// answers nothing: here "3.1" would be how many days there are.
func TestHeadingsComeAfterSentences(t *testing.T) {
	text := "# Handbook\n\n## 3.1 Annual leave\n\nEach employee has 27 days of leave a year. They lapse in March."
	results := &Results{
		Question: "How many days of annual leave?",
		Hits: []Hit{{
			Passage: Passage{Path: "/docs/leave.md", Text: text, End: len(text), Place: Place{Line: 1}, Headings: []string{"Handbook", "3.1 Annual leave"}},
			Rank:    1, Score: 1, Keyword: Standing{1, 2},
		}},
		Terms:       []QueryTerm{{"annual", 1, 2}, {"leav", 1, 2}, {"day", 1, 1}},
		BestKeyword: 2,
	}
	sentences, err := rankSentences(context.Background(), results, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sentences {
		got = append(got, s.text())
	}
	want := "Each employee has 27 days of leave a year."
	if len(got) != 3 || got[0] != want || got[2] != "3.1 Annual leave" {
		t.Errorf("sentences in order: %q, want %q first and the heading last of 3", got, want)
	}
}
