package document

import (
	"slices"
	"sort"
	"strings"
)

// A Format is the kind of file a document was read from.
type Format string

// The formats that can be read.
const (
	Markdown Format = "markdown"
	Text     Format = "text" // prose without markup
	Code     Format = "code" // source code and configuration
	Data     Format = "data" // one record per line or element: CSV, JSON, YAML
	HTML     Format = "html"
	XML      Format = "xml"
	PDF      Format = "pdf"
	DOCX     Format = "docx"
)

// A Document is the text of one file. It must not be modified.
type Document struct {
	// Title is what the file calls itself, or "" where it does not say: the
	// first heading of Markdown, the title element of HTML, the title property
	// of PDF and DOCX.
	Title string

	// Text is valid UTF-8. All offsets are bytes into it.
	Text string

	Format Format

	// Pages are in order and do not overlap; only PDF has any.
	Pages []Page

	// Headings are in order of Start.
	Headings []Heading

	// Places tells where in the file the text stands.
	Places Places

	lines []int // offset of the first byte of each line of Text
}

// A Page is the part of the text that stands on one page, Start inclusive, End
// exclusive.
type Page struct {
	Number     int // the first is 1
	Start, End int
}

// A Heading opens a section that lasts until the next heading of the same or a
// higher rank.
type Heading struct {
	Level int // 1 is the highest
	Start int // of the line it stands on
	Text  string
}

// newDocument indexes the lines of a text.
func newDocument(format Format, text string) *Document {
	d := &Document{Format: format, Text: text, lines: make([]int, 1, 1+strings.Count(text, "\n"))}
	for i := strings.IndexByte(text, '\n'); i >= 0; {
		d.lines = append(d.lines, i+1)
		next := strings.IndexByte(text[i+1:], '\n')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return d
}

// LineAt returns the number of the file's line, from 1, that the byte at
// offset was read from, or 0 in a file without lines: PDF and DOCX. An offset
// beyond the text counts as its end.
func (d *Document) LineAt(offset int) int {
	switch {
	case d.Places.Unit == FileLines:
		return d.Places.numberAt(offset)
	case d.Places.Unit != TextLines:
		return 0
	case len(d.lines) == 0: // a Document made by hand
		return 1 + strings.Count(d.Text[:min(max(offset, 0), len(d.Text))], "\n")
	}
	return max(1, sort.SearchInts(d.lines, offset+1))
}

// PageAt returns the number of the page that holds the byte at offset, or 0 in
// a document without pages. What stands between two pages belongs to the
// earlier one.
func (d *Document) PageAt(offset int) int {
	i := sort.Search(len(d.Pages), func(i int) bool { return d.Pages[i].Start > offset })
	if i == 0 {
		return 0
	}
	return d.Pages[i-1].Number
}

// HeadingPath returns the texts of the headings whose sections hold the byte
// at offset, outermost first. The caller owns the slice. A heading is part of
// its own section.
func (d *Document) HeadingPath(offset int) []string {
	last := sort.Search(len(d.Headings), func(i int) bool { return d.Headings[i].Start > offset }) - 1
	var path []string
	for level := int(^uint(0) >> 1); last >= 0 && level > 1; last-- {
		if h := d.Headings[last]; h.Level < level {
			path = append(path, h.Text)
			level = h.Level
		}
	}
	slices.Reverse(path)
	return path
}
