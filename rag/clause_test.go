package rag

import (
	"strings"
	"testing"
)

func TestANumberIsTakenFromTheClauseThatIsAskedAbout(t *testing.T) {
	for _, tt := range []struct {
		question, text string
		spans          string // best first
		want           string // "" for the best
	}{
		{"When does the office open?", "The office opens at 8:00 and closes at 17:00.", "17:00|8:00|at 8:00", "8:00"},
		{"When does the office open?", "It closes at 17:00; the office opens at 8:00.", "17:00|8:00", "8:00"},
		{"When does the office close?", "The office opens at 8:00 and closes at 17:00.", "17:00|8:00", ""},
		{"When does the office open?", "The office opens at 8:00 and closes at 17:00.", "17:00|8:00 and closes|opens", ""},
		{"When does the office open?", "From 8:00 to 17:00 the office is open.", "17:00|8:00", ""},
		{"When did it begin?", "The war began and ended in 1918.", "1918|The war", ""},
		{"Who opened it?", "Ada opened the door and Bo closed it.", "Bo|Ada", ""},
		{"Wann öffnet das Büro?", "Das Büro öffnet um 8:00 and schließt um 17:00.", "17:00|8:00", ""},
	} {
		s := &sentence{hit: &Hit{Passage: Passage{Text: tt.text}}, end: len(tt.text)}
		var spans []*span
		for words := range strings.SplitSeq(tt.spans, "|") {
			at := strings.Index(tt.text, words)
			spans = append(spans, &span{sentence: s, start: at, end: at + len(words)})
		}
		got := ""
		if chosen := inAskedClause(tt.question, spans); chosen != nil {
			got = chosen.text()
		}
		if got != tt.want {
			t.Errorf("%q of %q, best first %s: got %q, want %q", tt.question, tt.text, tt.spans, got, tt.want)
		}
	}
}

func TestSpansOfOtherSentencesAreNotCompared(t *testing.T) {
	const text = "It closes at 17:00. The office opens at 8:00."
	hit := &Hit{Passage: Passage{Text: text}}
	first, second := &sentence{hit: hit, end: 19}, &sentence{hit: hit, start: 20, end: len(text)}
	spans := []*span{{sentence: first, start: 13, end: 18}, {sentence: second, start: 20, end: 24}}
	if got := inAskedClause("When does the office open?", spans); got != nil {
		t.Errorf("got %q, want the best span kept", got.text())
	}
	if got := inAskedClause("When?", nil); got != nil {
		t.Errorf("got %q of no spans", got.text())
	}
}
