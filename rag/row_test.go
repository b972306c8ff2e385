package rag

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/chunk"
)

func TestRowsAreReadBelowTheirHead(t *testing.T) {
	const markdown = "Fruit\n\n| Item | Price |\n|---|---|\n| Apples | 1.99 |\n| Pears |  |\n"
	const csv = "Team,Location,Cups\nFlyers,PHI,2\n\"Maple Leafs\",TOR,13\n"
	for _, tt := range []struct{ text, line, want string }{
		{markdown, "| Apples", "Item: Apples; Price: 1.99"},
		{markdown, "| Pears", "Item: Pears"},
		{markdown, "| Item", "| Item | Price |"},
		{markdown, "Fruit", "Fruit"},
		{"Item | Price | Stock\n---|---|---\nPears | 2 | 9\n", "Pears", "Item: Pears; Price: 2; Stock: 9"},
		{csv, "Flyers", "Team: Flyers; Location: PHI; Cups: 2"},
		{csv, "\"Maple", "Team: Maple Leafs; Location: TOR; Cups: 13"},
		{"a\tb\nc\td\te\n", "c", "c\td\te"},
		{"Cups,,\nTeam,City,Cups\nBlues,STL,1\n", "Blues", "Team: Blues; City: STL; Cups: 1"},
		{"name: A\tcapital: B\nname: C\tcapital: D\n", "name: C", "name: C\tcapital: D"},
		{"1,2,3\n4,5,6\n", "4", "4,5,6"},
		{"x\ty\n\nz\tw", "z", "z\tw"},
	} {
		at := strings.Index(tt.text, tt.line)
		if got := labelled(lineAt(tt.text, at), headOf(tt.text, at, chunk.IsRow)); got != tt.want {
			t.Errorf("in %q the row %q is read as %q, want %q", tt.text, tt.line, got, tt.want)
		}
	}
}

func TestTheHeadOfATableStandsInAnEarlierPassage(t *testing.T) {
	var table strings.Builder
	table.WriteString("Team,Location,Cups\n")
	for i := range 40 {
		table.WriteString("Team " + string(rune('A'+i%26)) + strings.Repeat("x", i/26) + ",Town,7\n")
	}
	l := newLibrary(t, map[string]string{"cups.csv": table.String()})
	c := l.synced()
	hits := l.search(c, "Team Dx", 1).Hits
	p := hits[0].Passage
	if strings.Contains(p.Text, "Location") {
		t.Fatalf("the passage holds the head: %q", p.Text)
	}
	at := strings.Index(p.Text, "Team Dx")
	if diff := cmp.Diff([]string{"Team", "Location", "Cups"}, p.headAt(at)); diff != "" {
		t.Errorf("head of %q (-want +got):\n%s", p.Text, diff)
	}
	if got := hits[0].cite(1, at, at+len("Team Dx,Town,7")).Columns; len(got) != 3 {
		t.Errorf("the citation has the columns %q, want three", got)
	}
}

// Two columns, or numbers of three digits, would look like prose elsewhere.
func TestAFileOfSeparatedValuesHasARecordALine(t *testing.T) {
	const towns = "Town,Inhabitants\nTolm,5400\n  Nes,12800\n\nHollum,310\n"
	for _, tt := range []struct {
		path, text string
		want       []string
	}{
		{"/towns.csv", towns, []string{"Town,Inhabitants", "Town: Tolm; Inhabitants: 5400", "Town: Nes; Inhabitants: 12800", "Hollum,310"}},
		{"/towns.txt", towns, []string{"Town,Inhabitants\nTolm,5400\n  Nes,12800", "Hollum,310"}},
		{"/TOWNS.CSV", "Town, Founded\nTolm, 1204\n", []string{"Town, Founded", "Town: Tolm; Founded: 1204"}},
		{"/towns.tsv", "Town\tFounded\nTolm\t1204\n", []string{"Town\tFounded", "Town: Tolm; Founded: 1204"}},
	} {
		p := &Passage{Path: tt.path, Text: tt.text}
		var got []string
		for _, s := range p.sentences() {
			got = append(got, labelled(tt.text[s.Start:s.End], p.headAt(s.Start)))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("records of %s (-want +got):\n%s", tt.path, diff)
		}
	}
}

func TestACellIsOfTheColumnTheQuestionNames(t *testing.T) {
	for _, tt := range []struct{ row, cell, want string }{
		{"Curlew,16,1961", "16", "Cars carried"},
		{"Curlew,16,1961", "1961", "Built"},
		{"Curlew,16,1961", "Cur", ""},
		{"| Curlew | 16 | 1961 |", "16", "Cars carried"},
		{"Curlew\t16\t1961", "Curlew", "Ferry"},
		{"Curlew,16", "16", ""},
	} {
		s := &sentence{hit: &Hit{Passage: Passage{Text: tt.row}}, end: len(tt.row), head: []string{"Ferry", "Cars carried", "Built"}}
		at := strings.Index(tt.row, tt.cell)
		if got := (&span{sentence: s, start: at, end: at + len(tt.cell)}).columnHeading(); got != tt.want {
			t.Errorf("%q in %q is of the column %q, want %q", tt.cell, tt.row, got, tt.want)
		}
	}
}
