package cli

import (
	"bytes"
	"testing"

	"github.com/ragstone/ragstone/rag"
)

func TestDocumentsCannotDriveTheTerminal(t *testing.T) {
	citation := rag.Citation{N: 1, Path: "/a\x1b]0;x\ab.txt", Place: rag.Place{Page: 2}, Heading: []string{"H\x9b"}, Quote: "red \x1b[31mword\x7f\tend", Mark: [2]int{4, 13}}
	for name, test := range map[string]struct {
		foreign func(string) string
		want    string
	}{
		"terminal": {printable, "[1] /a␛]0;x␇b.txt (page 2)\n    H\uFFFD\n    “red <␛[31mword>\uFFFD\tend”\n\n"},
		"pipe":     {func(s string) string { return s }, "[1] /a\x1b]0;x\ab.txt (page 2)\n    H\x9b\n    “red <\x1b[31mword>\x7f\tend”\n\n"},
	} {
		var out bytes.Buffer
		plain := func(s string) string { return s }
		p := &printer{w: &out, foreign: test.foreign, strong: plain, mark: func(s string) string { return "<" + s + ">" }, faint: plain}
		p.citation(citation)
		if got := out.String(); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestIndentLeavesNoBlanksAtTheEndsOfLines(t *testing.T) {
	for width, want := range map[int]string{
		0:  "    one two three four five\n\n    six",
		24: "    one two three four\n    five\n\n    six",
	} {
		p := &printer{width: width}
		if got := p.indent("one two three four five  \n\nsix\n"); got != want {
			t.Errorf("width %d: got %q, want %q", width, got, want)
		}
	}
}
