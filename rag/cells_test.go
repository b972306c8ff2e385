package rag

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCellsOfARow(t *testing.T) {
	for _, tt := range []struct {
		row     string
		columns int // 0 is not known
		want    string
	}{
		{"Hex bolt,M6,0.34,1200", 0, "Hex bolt/M6/0.34/1200"},
		{"Wing nut,M4,0.71,85", 0, "Wing nut/M4/0.71/85"},
		{"Gannets,7,3,2", 0, "Gannets/7/3/2"},
		{"Berlin,8:00,18:00", 0, "Berlin/8:00/18:00"},
		{"Curlew,2024-01-05,17", 0, "Curlew/2024-01-05/17"},
		{"Fulmar,8,1949", 0, "Fulmar/8/1949"},
		{"Desk;3,5;1.250,50", 0, "Desk/3,5/1.250,50"},
		{"Desk,1,250,000,oak", 0, "Desk/1,250,000/oak"},
		{"Desk,1,250.50,oak", 0, "Desk/1,250.50/oak"},
		{"Bolts,98,110", 0, "Bolts/98,110"},
		{"Bolts,98,110", 3, "Bolts/98/110"},
		{"Bolts,98,110", 2, "Bolts/98,110"},
		{"Bolts;9,8;11,0", 3, "Bolts/9,8/11,0"},
		{"Bolts,9,8", 5, "Bolts/9,8"},
		{`"Dahl, Ines",Hollum,"1,5"`, 3, "Dahl, Ines/Hollum/1,5"},
		{`"a ""b"",c",d`, 0, `a ""b"",c/d`},
		{`He said "no,yes", twice`, 0, `He said "no/yes", twice`},
		{"| Item | 1,5 |", 2, "Item/1,5"},
		{"|---|:-:|", 2, ""},
	} {
		if got := strings.Join(cellsOf(tt.row, tt.columns), "/"); got != tt.want {
			t.Errorf("cells of %q in a table of %d columns: %s, want %s", tt.row, tt.columns, got, tt.want)
		}
	}
}

func TestSpansFollowTheColumnsOfTheTable(t *testing.T) {
	const row = "Bolts,98,110"
	s := &sentence{hit: &Hit{Passage: Passage{Text: row}}, end: len(row)}
	words := func() (found []string) {
		for _, span := range closeSpans(&span{sentence: s, start: 6}, tokens(1, 3, 4, 7)) { // " 98,110"
			found = append(found, span.text())
		}
		return found
	}
	if diff := cmp.Diff([]string{"98,110"}, words()); diff != "" {
		t.Errorf("with columns unknown (-want +got):\n%s", diff)
	}
	s.head = []string{"Item", "January", "February"}
	if diff := cmp.Diff([]string{"98"}, words()); diff != "" {
		t.Errorf("with three columns (-want +got):\n%s", diff)
	}
}
