package rag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/document"
)

// Place is where in its file something stands, in what the file has: lines
// (text, Markdown, source code, HTML, XML), pages (PDF) or paragraphs (DOCX).
// Each counts from 1; 0 means that the format has none.
type Place struct {
	Line int
	Page int

	// Paragraph counts the paragraphs with text; a heading, a list item and a
	// table row are one each.
	Paragraph int
}

// In writes the place in a file as people do: "path:12", "path (page 3)" or
// "path (paragraph 7)".
func (p Place) In(path string) string {
	switch {
	case p.Line > 0:
		return fmt.Sprintf("%s:%d", path, p.Line)
	case p.Page > 0:
		return fmt.Sprintf("%s (page %d)", path, p.Page)
	case p.Paragraph > 0:
		return fmt.Sprintf("%s (paragraph %d)", path, p.Paragraph)
	}
	return path
}

// unit is what the marks of a document number.
type unit int

const (
	unitTextLine  unit = iota // none: the lines are those of the text
	unitLine                  // lines of the file, where the text is a rendering
	unitParagraph             // paragraphs
	unitPage                  // pages
	numUnits
)

// placeMark says that a document's text from start on stands on one line or page
// or in one paragraph of the file.
type placeMark struct{ start, number int }

// marksOf lists where the text of a document stands in its file.
func marksOf(doc *document.Document) (unit, []placeMark) {
	var marks []placeMark
	for _, m := range doc.Places.Marks {
		marks = append(marks, placeMark{m.Start, m.Number})
	}
	switch doc.Places.Unit {
	case document.TextLines:
		return unitTextLine, nil
	case document.FileLines:
		return unitLine, marks
	case document.Paragraphs:
		return unitParagraph, marks
	}
	for _, p := range doc.Pages {
		marks = append(marks, placeMark{p.Start, p.Number})
	}
	return unitPage, marks
}

// markBefore is the place of the last mark at or before an offset, 0 where all
// come later.
func markBefore(marks []placeMark, offset int) int {
	i, _ := slices.BinarySearchFunc(marks, offset+1, func(m placeMark, target int) int { return m.start - target })
	return max(0, i-1)
}

// within is the marks that say where the bytes from start to end stand, by
// offset from start.
func within(marks []placeMark, start, end int) []placeMark {
	var inside []placeMark
	for i := markBefore(marks, start); i < len(marks) && marks[i].start < end; i++ {
		inside = append(inside, placeMark{max(0, marks[i].start-start), marks[i].number})
	}
	if len(inside) == 0 && len(marks) > 0 { // all stand behind: what goes before belongs to the first
		inside = []placeMark{{0, marks[0].number}}
	}
	return inside
}

// PlaceAt is where the byte of Text at offset stands in the file.
func (p *Passage) PlaceAt(offset int) Place {
	if p.unit == unitTextLine {
		return Place{Line: p.Line + strings.Count(p.Text[:offset], "\n")}
	}
	if len(p.marks) == 0 {
		return Place{}
	}
	number := p.marks[markBefore(p.marks, offset)].number
	switch p.unit {
	case unitLine:
		return Place{Line: number}
	case unitParagraph:
		return Place{Paragraph: number}
	}
	return Place{Page: number}
}
