package document

import "sort"

// A Unit is what a file's text can be pointed into by, besides pages.
type Unit int

// The units.
const (
	// TextLines means that the lines of the text are those of the file.
	TextLines Unit = iota

	// FileLines means that marks name the lines of the file, because the text is
	// a rendering with lines of its own.
	FileLines

	// Paragraphs means that marks number the file's paragraphs, since it has no
	// lines before a word processor sets them. Only those with text count;
	// headings, list items and table rows are one each.
	Paragraphs

	// NoUnit means that pages are all there is.
	NoUnit
)

// Places tells where in its file a text stands. The zero value says that the
// text has the file's own lines.
type Places struct {
	Unit  Unit
	Marks []Mark // in order of Start; nil but for FileLines and Paragraphs
}

// A Mark says that the text from Start on, up to the next mark, stands on one
// line or in one paragraph of the file.
type Mark struct {
	Start  int // byte offset in the text
	Number int // from 1
}

// ParagraphAt returns the number of the file's paragraph, from 1, that holds
// the byte at offset, or 0 in a format whose paragraphs are not counted: all
// but DOCX.
func (d *Document) ParagraphAt(offset int) int {
	if d.Places.Unit != Paragraphs {
		return 0
	}
	return d.Places.numberAt(offset)
}

// numberAt is the number of the last mark at or before an offset; what stands
// before the first mark belongs to it.
func (p Places) numberAt(offset int) int {
	if len(p.Marks) == 0 {
		return 0
	}
	i := sort.Search(len(p.Marks), func(i int) bool { return p.Marks[i].Start > offset })
	return p.Marks[max(i, 1)-1].Number
}
