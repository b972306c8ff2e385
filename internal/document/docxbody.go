package document

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// A docxStyle is what a paragraph style means to the text.
type docxStyle struct {
	level int // of a heading, 0 for body text
	list  bool
}

// styles reads the part that defines them. Style ids are translated ("Titre1"
// in a French Word), so the level comes from the style's English name, its
// outline level or the style it is based on.
func (p docxPackage) styles(name string) map[string]docxStyle {
	styles, parents := map[string]docxStyle{}, map[string]string{}
	_ = p.read(name, func(x *xmlReader) error {
		id := ""
		for {
			token, err := x.next()
			if err != nil {
				return err
			}
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			s := styles[id]
			switch e.Name.Local {
			case "style":
				id = attr(e, "styleId")
				continue
			case "name":
				s.level = max(s.level, headingLevel(attr(e, "val")))
			case "basedOn":
				parents[id] = attr(e, "val")
			case "outlineLvl":
				if n, err := strconv.Atoi(attr(e, "val")); err == nil && n >= 0 && n < 9 && s.level == 0 {
					s.level = n + 1
				}
			case "numPr":
				s.list = true
			}
			styles[id] = s
		}
	})
	for id := range styles {
		inheritStyle(styles, parents, id)
	}
	return styles
}

// inheritStyle fills in what a style takes from those it is based on.
func inheritStyle(styles map[string]docxStyle, parents map[string]string, id string) {
	s := styles[id]
	for up, steps := parents[id], 0; up != "" && steps < 10; up, steps = parents[up], steps+1 {
		if s.level == 0 {
			s.level = styles[up].level
		}
		s.list = s.list || styles[up].list
	}
	styles[id] = s
}

// headingLevel reads the name of a built-in style: "heading 2", "Title".
func headingLevel(name string) int {
	name = strings.ToLower(name)
	if name == "title" {
		return 1
	}
	if rest, ok := strings.CutPrefix(name, "heading"); ok {
		if n, err := strconv.Atoi(strings.TrimSpace(rest)); err == nil && n >= 1 && n <= 9 {
			return n
		}
	}
	return 0
}

// A docxReader writes WordprocessingML (ECMA-376 part 1, section 17) as
// blocks.
type docxReader struct {
	textBuilder
	styles map[string]docxStyle
	tables int // tables around the current element; in one, paragraphs are parts of a row
	cells  int // of the current row so far

	style docxStyle           // of the current paragraph
	depth int                 // of the current paragraph's list
	notes map[string][]string // ids referred to, by kind, in order
}

// body reads the whole main part.
func (r *docxReader) body(x *xmlReader) error { return r.until(x, "") }

// until reads elements up to the end of the named one, or of the part.
func (r *docxReader) until(x *xmlReader, name string) error {
	for inText := false; ; {
		token, err := x.next()
		if errors.Is(err, io.EOF) && name == "" {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			inText = t.Name.Local == "t"
			if err := r.open(x, t); err != nil {
				return err
			}
		case xml.EndElement:
			inText = false
			r.close(t.Name.Local)
			if t.Name.Local == name {
				return nil
			}
		case xml.CharData:
			if inText {
				r.writeText(string(t))
			}
		}
	}
}

// writeText keeps the blanks at the edges of a run, which part words.
func (r *docxReader) writeText(s string) { r.write(strings.ToValidUTF8(s, "\uFFFD")) }

func (r *docxReader) open(x *xmlReader, e xml.StartElement) error {
	switch e.Name.Local {
	case "Fallback", "del", "instrText", "sectPr", "tblPr", "tblGrid", "rPr":
		// Fallback repeats what a Choice holds, del is text deleted with
		// changes tracked, instrText a field's code; the rest is form.
		return x.skip()
	case "p":
		if r.tables > 0 {
			r.space = true
			return nil
		}
		r.endParagraph()
	case "pStyle":
		r.style = r.styles[attr(e, "val")]
		if r.style == (docxStyle{}) {
			r.style.level = headingLevel(attr(e, "val"))
		}
	case "outlineLvl":
		if n, err := strconv.Atoi(attr(e, "val")); err == nil && n >= 0 && n < 9 {
			r.style.level = n + 1
		}
	case "numId":
		r.style.list = attr(e, "val") != "0"
	case "ilvl":
		if n, err := strconv.Atoi(attr(e, "val")); err == nil && n >= 0 && n < 9 {
			r.depth = n
		}
	case "tab", "ptab":
		r.space = true
	case "br", "cr":
		r.lineBreak()
	case "noBreakHyphen":
		r.write("-")
	case "tbl":
		if r.tables == 0 {
			r.endParagraph()
		}
		r.tables++
	case "tr":
		if r.tables == 1 {
			r.cells = 0
		}
	case "tc":
		if r.tables == 1 {
			if r.cells > 0 {
				r.mark("\t")
			}
			r.cells++
		}
	case "footnoteReference", "endnoteReference":
		r.refer(strings.TrimSuffix(e.Name.Local, "Reference"), attr(e, "id"))
	}
	return nil
}

func (r *docxReader) close(name string) {
	switch name {
	case "p":
		if r.tables > 0 {
			r.space = true
		} else {
			r.endParagraph()
		}
	case "tr":
		if r.tables == 1 {
			r.end(row)
		}
	case "tbl":
		r.tables = max(0, r.tables-1)
	}
}

func (r *docxReader) lineBreak() {
	if r.tables > 0 {
		r.space = true
	} else {
		r.mark("\n")
	}
}

// endParagraph makes the text gathered a block of the paragraph's kind.
func (r *docxReader) endParagraph() {
	switch {
	case strings.TrimSpace(string(r.inline)) == "":
		r.drop()
	case r.style.level > 0:
		r.endHeading(r.style.level)
	case r.style.list:
		text, _ := r.take()
		r.add(strings.Repeat("  ", r.depth)+"- "+text, item)
	default:
		r.end(paragraph)
	}
	r.style, r.depth = docxStyle{}, 0
}

// refer marks the place of a note and remembers to add its text.
func (r *docxReader) refer(kind, id string) {
	if r.notes == nil {
		r.notes = map[string][]string{}
	}
	r.notes[kind] = append(r.notes[kind], id)
	r.mark("[" + noteLabel(kind, len(r.notes[kind])) + "]")
}

// noteLabel numbers notes as they are met: 1, 2 for footnotes, e1 for
// endnotes.
func noteLabel(kind string, n int) string {
	if kind == "endnote" {
		return "e" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// readNotes adds the text of the notes referred to, each as a paragraph after
// its label.
func (r *docxReader) readNotes(x *xmlReader, kind string) error {
	labels := map[string]string{}
	for i, id := range r.notes[kind] {
		labels[id] = noteLabel(kind, i+1)
	}
	for {
		token, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != kind {
			continue
		}
		label, ok := labels[attr(e, "id")]
		if !ok { // separators, and notes nothing refers to
			if err := x.skip(); err != nil {
				return err
			}
			continue
		}
		note := &docxReader{styles: r.styles, tables: 1} // its paragraphs are one line
		if err := note.until(x, kind); err != nil {
			return err
		}
		text, ok := note.take()
		if ok {
			r.endParagraph()
			r.add("["+label+"] "+strings.TrimSpace(text), paragraph)
		}
	}
}
