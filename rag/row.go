package rag

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/ragstone/ragstone/internal/chunk"
)

// A row of a table says little alone: "Maple Leafs,TOR,13" names neither teams
// nor cups. Below the headings of its columns it is read, by the model and by
// the measures of meaning, as "Team: Maple Leafs; Location: TOR; Cups: 13". Its
// quote stays the row as it stands in the file.

// maxHeadBytes is how far above a passage the head of its table is looked for.
const maxHeadBytes = 256 << 10

// isRow says whether a line of the passage's file is a row: every one in a file
// of separated values, elsewhere one that looks like it.
func (p *Passage) isRow(line string) bool {
	return isSeparated(p.Path) && strings.TrimSpace(line) != "" || chunk.IsRow(line)
}

func isSeparated(path string) bool {
	extension := strings.ToLower(filepath.Ext(path))
	return extension == ".csv" || extension == ".tsv"
}

// sentences finds the sentences of the passage. A file of separated values has
// a record on each line.
func (p *Passage) sentences() []chunk.Span {
	if !isSeparated(p.Path) {
		return chunk.Sentences(p.Text)
	}
	var records []chunk.Span
	at := 0
	for line := range strings.Lines(p.Text) {
		if record := strings.TrimSpace(line); record != "" {
			start := at + strings.Index(line, record)
			records = append(records, chunk.Span{Start: start, End: start + len(record)})
		}
		at += len(line)
	}
	return records
}

// headOf returns the cells of the first row of the table that a line of text
// stands in, nil where the line is no row, the head itself, or below rows that
// name nothing.
func headOf(text string, line int, isRow func(string) bool) []string {
	if !isRow(lineAt(text, line)) {
		return nil
	}
	first := line
	for {
		before := strings.LastIndexByte(text[:max(0, first-1)], '\n') + 1
		if first == 0 || !isRow(lineAt(text, before)) {
			break
		}
		first = before
	}
	for range 2 { // a title may stand in a row of its own
		cells := headCells(lineAt(text, first))
		switch {
		case first >= line:
			return nil
		case isHead(cells):
			return cells
		}
		first += strings.IndexByte(text[first:], '\n') + 1
	}
	return nil
}

// headCells cuts the first row of a table, whose columns nobody has told yet:
// "Name, Age" has two cells although blanks follow its commas.
func headCells(row string) []string {
	cells := cellsOf(row, 0)
	for _, separator := range ",;" {
		if len(cells) == 1 {
			cells = cellsOf(row, 1+len(marksIn(row, func(_ int, r rune) bool { return r == separator })))
		}
	}
	return cells
}

// isHead tells cells that name columns: there are several, each with letters
// and without a name of its own, as "capital: Paris" has.
func isHead(cells []string) bool {
	for _, cell := range cells {
		if !strings.ContainsFunc(cell, unicode.IsLetter) || strings.Contains(cell, ": ") {
			return false
		}
	}
	return len(cells) > 1
}

// lineAt is the line of text that begins at start.
func lineAt(text string, start int) string {
	line, _, _ := strings.Cut(text[start:], "\n")
	return strings.TrimRight(line, "\r")
}

// labelled writes a row with the heading of each cell before it, or as it is
// where they do not match.
func labelled(row string, head []string) string {
	cells := cellsOf(row, len(head))
	if len(head) == 0 || len(cells) != len(head) {
		return row
	}
	var b strings.Builder
	for i, cell := range cells {
		if cell == "" || cell == head[i] {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(head[i] + ": " + cell)
	}
	return b.String()
}

// headAt is the head of the table that the line at start stands in: of one that
// begins in this passage, or above it.
func (p *Passage) headAt(start int) []string {
	begin := strings.LastIndexByte(p.Text[:start], '\n') + 1
	if len(p.head) == 0 {
		return headOf(p.Text, begin, p.isRow)
	}
	for line := range strings.Lines(p.Text[:begin]) { // the same table, all the way
		if !p.isRow(line) {
			return headOf(p.Text, begin, p.isRow)
		}
	}
	if !p.isRow(lineAt(p.Text, begin)) {
		return nil
	}
	return p.head
}

// isHeadAt tells whether the line at start names the columns of the rows below.
func (p *Passage) isHeadAt(start int) bool {
	end := strings.IndexByte(p.Text[start:], '\n')
	if end < 0 || !p.isRow(lineAt(p.Text, start)) || len(p.headAt(start)) > 0 {
		return false
	}
	next := start + end + 1
	if next < len(p.Text) && isRule(lineAt(p.Text, next)) {
		next += len(lineAt(p.Text, next)) + 1
	}
	return next < len(p.Text) && slices.Equal(p.headAt(next), headCells(lineAt(p.Text, start)))
}

// inRow says whether the span stands in a row of a table with a head.
func (s *span) inRow() bool { return len(s.sentence.head) > 0 }

// columnHeading is the heading of the column that a span fills a cell of, ""
// where it is no whole cell of a table with a head.
func (s *span) columnHeading() string {
	head, row := s.sentence.head, s.sentence.text()
	column := 0
	for _, at := range s.sentence.borders() {
		if at < s.start {
			column++
		}
	}
	if strings.HasPrefix(row, "|") {
		column--
	}
	cells := cellsOf(row, len(head))
	if column >= 0 && column < len(head) && len(cells) == len(head) && cells[column] == s.text() {
		return head[column]
	}
	return ""
}
