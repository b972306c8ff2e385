package document

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A block is a piece of rendered text that has its own lines.
type block int

const (
	paragraph block = iota // apart from its neighbours by a blank line
	item                   // a list item, directly below the one before it
	row                    // a table row, likewise
)

// A textBuilder renders the blocks of a structured format (HTML, DOCX) as
// plain text. Inline text gathers until end makes a block of it.
type textBuilder struct {
	text     strings.Builder
	headings []Heading
	places   Places

	line        int    // of the file, from which text is being written; 0 is unknown
	inlineMarks []Mark // lines of the file, by offset in inline
	inline      []byte // of the block being written
	space       bool   // blanks are due before the next character
	last        block  // the kind of the block before this one
	tooLong     bool   // the text reached maxTextBytes; the rest was dropped
}

// write adds inline text. Runs of blanks become one space, none at the start
// of a block; soft hyphens and zero-width spaces go.
func (b *textBuilder) write(s string) {
	if b.text.Len()+len(b.inline)+len(s) > maxTextBytes {
		b.tooLong = true
		return
	}
	for i, r := range s {
		switch {
		case r == '\u00AD', r == '\u200B', r == '\uFEFF':
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size > 1 {
				b.put(r)
			}
		case unicode.IsSpace(r), unicode.IsControl(r):
			b.space = true
		default:
			b.put(r)
		}
	}
}

func (b *textBuilder) put(r rune) {
	if n := len(b.inline); b.space && n > 0 && strings.IndexByte(" \n\t", b.inline[n-1]) < 0 {
		b.inline = append(b.inline, ' ')
	}
	b.space = false
	b.markLine()
	b.inline = utf8.AppendRune(b.inline, r)
}

// markLine notes the line of the file that what comes next stands on.
func (b *textBuilder) markLine() {
	if n := len(b.inlineMarks); b.line > 0 && (n == 0 || b.inlineMarks[n-1].Number != b.line) {
		b.inlineMarks = append(b.inlineMarks, Mark{len(b.inline), b.line})
	}
}

// mark adds text as it is: a line break, a cell's tab, a list marker,
// preformatted lines.
func (b *textBuilder) mark(s string) {
	if b.text.Len()+len(b.inline)+len(s) > maxTextBytes {
		b.tooLong = true
		return
	}
	b.space = false
	b.inline = append(b.inline, s...)
}

// end makes the inline text a block, if there is any.
func (b *textBuilder) end(kind block) {
	if text, ok := b.take(); ok {
		b.add(text, kind)
	}
}

// endHeading makes the inline text a heading.
func (b *textBuilder) endHeading(level int) {
	text, ok := b.take()
	text = strings.Join(strings.Fields(strings.TrimRight(text, " ¶\t\n")), " ")
	if !ok || text == "" {
		b.drop()
		return
	}
	start := b.add(text, paragraph)
	b.headings = append(b.headings, Heading{Level: level, Start: start, Text: text})
}

// take empties the inline text. It keeps indentation, so that nested items
// and code stay in shape.
func (b *textBuilder) take() (string, bool) {
	text := strings.TrimLeft(string(b.inline), "\n\r")
	for i := range b.inlineMarks {
		b.inlineMarks[i].Start = max(0, b.inlineMarks[i].Start-(len(b.inline)-len(text)))
	}
	text = strings.TrimRight(text, " \t\n\r")
	b.inline = b.inline[:0]
	b.space = false
	if strings.TrimSpace(text) == "" {
		b.drop()
		return "", false
	}
	return text, true
}

// drop forgets the inline text.
func (b *textBuilder) drop() { b.inline, b.inlineMarks = b.inline[:0], b.inlineMarks[:0] }

// add writes a block and returns where it starts.
func (b *textBuilder) add(text string, kind block) int {
	if b.text.Len() > 0 {
		b.text.WriteByte('\n')
		if kind == paragraph || kind != b.last {
			b.text.WriteByte('\n')
		}
	}
	b.last = kind
	start := b.text.Len()
	b.text.WriteString(text)
	b.placeBlock(start)
	return start
}

// placeBlock notes where the block at start stands in the file. What goes
// before its first text, such as a list marker, stands where that does.
func (b *textBuilder) placeBlock(start int) {
	switch b.places.Unit {
	case Paragraphs:
		b.places.Marks = append(b.places.Marks, Mark{start, len(b.places.Marks) + 1})
	case FileLines:
		for i, m := range b.inlineMarks {
			if i == 0 {
				m.Start = 0
			}
			b.places.Marks = append(b.places.Marks, Mark{start + m.Start, m.Number})
		}
	}
	b.inlineMarks = b.inlineMarks[:0]
}

// document ends the last block and returns the result.
func (b *textBuilder) document(format Format, title string) *Document {
	b.end(paragraph)
	if b.text.Len() > 0 {
		b.text.WriteByte('\n')
	}
	d := newDocument(format, b.text.String())
	d.Headings = b.headings
	d.Title = title
	d.Places = b.places
	return d
}
