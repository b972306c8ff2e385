package rag

import "testing"

func TestKindOf(t *testing.T) {
	for question, want := range map[string]answerKind{
		"When did the harbour freeze?":                kindNumber,
		"How many days of leave does a new hire get?": kindNumber,
		"In what year was the mill moved?":            kindNumber,
		"Who designed the tram stop?":                 kindName,
		"Where is the reading room?":                  kindName,
		"What is the name of the second valve?":       kindName,
		"Why was the mill moved?":                     kindAny,
		"What do the potters burn?":                   kindAny,
		"Which of the howling dogs barked?":           kindAny, // "how" only as a word
		"":                                            kindAny,
	} {
		if got := languageOf(question).kindOf(question); got != want {
			t.Errorf("kindOf(%q) = %v, want %v", question, got, want)
		}
	}
}

func TestContentTermsLeaveOutWhatAsks(t *testing.T) {
	got := english.wordsOf("How many lamps did the keeper light?")
	for _, term := range []string{"lamp", "keeper", "light"} {
		if !got[term] {
			t.Errorf("terms %v lack %q", got, term)
		}
	}
	if len(got) != 3 {
		t.Errorf("got terms %v, want only lamp, keeper, light", got)
	}
}

func TestStandardise(t *testing.T) {
	if got := standardise([]float64{3, 3, 3}); got[0] != 0 || got[2] != 0 {
		t.Errorf("equal values: got %v, want zeros", got)
	}
	if got := standardise([]float64{1, 3}); got[0] != -1 || got[1] != 1 {
		t.Errorf("got %v, want [-1 1]", got)
	}
	if got := standardise(nil); len(got) != 0 {
		t.Errorf("got %v of nothing", got)
	}
}
