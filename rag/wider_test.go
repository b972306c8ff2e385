package rag

import "testing"

func TestSomeQuestionsWantMoreThanASpan(t *testing.T) {
	texts := []string{
		"AutoGen is an open-source framework that lets agents converse.",
		"To pull a model, name its repository: `ragstone pull hf:owner/repo`.",
	}
	for _, tt := range []struct {
		question string
		first    int // the best sentence
		want     string
	}{
		{"What is AutoGen?", 0, "an open-source framework that lets agents converse"},
		{"What is AutoGen?", 1, "an open-source framework that lets agents converse"},
		{"what is the autogen", 0, "an open-source framework that lets agents converse"},
		{"How do I pull a model?", 1, texts[1]},
		{"What is a repository?", 1, ""},
		{"Who made AutoGen?", 0, ""},
		{"How do bats see?", 0, ""},
	} {
		var sentences []*sentence
		for _, text := range []string{texts[tt.first], texts[1-tt.first]} {
			hit := &Hit{Passage: Passage{Text: text}}
			sentences = append(sentences, &sentence{hit: hit, end: len(text), shown: text})
		}
		got := ""
		if s := wider(tt.question, sentences); s != nil {
			got = s.text()
		}
		if got != tt.want {
			t.Errorf("%q, best sentence %q: got %q, want %q", tt.question, texts[tt.first], got, tt.want)
		}
	}
}
