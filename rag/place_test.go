package rag

import "testing"

func TestPlacesFollowTheFile(t *testing.T) {
	text := "first\nsecond"
	for _, tt := range []struct {
		passage Passage
		offset  int
		want    string
	}{
		{Passage{Text: text, Place: Place{Line: 7}}, 6, "f:8"},
		{Passage{Text: text, unit: unitLine, marks: []placeMark{{0, 40}, {6, 3}}}, 5, "f:40"},
		{Passage{Text: text, unit: unitLine, marks: []placeMark{{0, 40}, {6, 3}}}, 6, "f:3"},
		{Passage{Text: text, unit: unitPage, marks: []placeMark{{0, 1}, {6, 2}}}, 9, "f (page 2)"},
		{Passage{Text: text, unit: unitParagraph, marks: []placeMark{{0, 5}}}, 9, "f (paragraph 5)"},
		{Passage{Text: text, unit: unitPage}, 0, "f"},
	} {
		if got := tt.passage.PlaceAt(tt.offset).In("f"); got != tt.want {
			t.Errorf("byte %d of %+v is at %q, want %q", tt.offset, tt.passage, got, tt.want)
		}
	}
}

func TestMarksOfAPassage(t *testing.T) {
	marks := []placeMark{{2, 1}, {10, 2}, {20, 3}}
	for _, tt := range []struct {
		start, end int
		want       []placeMark
	}{
		{0, 5, []placeMark{{2, 1}}},
		{0, 2, []placeMark{{0, 1}}},
		{2, 10, []placeMark{{0, 1}}},
		{12, 30, []placeMark{{0, 2}, {8, 3}}},
		{25, 30, []placeMark{{0, 3}}},
	} {
		got := within(marks, tt.start, tt.end)
		if len(got) != len(tt.want) {
			t.Errorf("bytes %d to %d have the marks %v, want %v", tt.start, tt.end, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("bytes %d to %d have the marks %v, want %v", tt.start, tt.end, got, tt.want)
			}
		}
	}
}
