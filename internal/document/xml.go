package document

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"slices"
	"strings"
)

const (
	// maxXMLBytes bounds the XML that is taken apart. Larger files are read as
	// they are.
	maxXMLBytes = 16 << 20

	// maxFieldBytes is how long a field of a record may be. A longer one is
	// prose and gets a paragraph of its own.
	maxFieldBytes = 120
)

// parseXML renders the text of an XML file. A record, which is an element of
// short fields and nothing else, becomes a row of "name: value" cells, so that
// a value stands beside its name and the fields it belongs to; other text a
// paragraph. Broken XML is read as it is.
func parseXML(text string) *Document {
	root, err := readXML(text)
	if err == nil {
		r := &xmlRenderer{}
		r.places.Unit = FileLines
		r.element(root)
		if doc := r.document(XML, ""); strings.TrimSpace(doc.Text) != "" && !r.tooLong {
			return doc
		}
	}
	return newDocument(XML, text)
}

// xmlNode is an element, or a text, which has no name.
type xmlNode struct {
	name     string
	attrs    []xml.Attr
	children []*xmlNode

	line int // on which an element begins
	text sourceText
}

// readXML reads a file into a tree whose root stands above its elements.
func readXML(text string) (*xmlNode, error) {
	if len(text) > maxXMLBytes {
		return nil, ErrTooLarge
	}
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now
	root := &xmlNode{}
	open := []*xmlNode{root}
	line, read := 1, 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if len(open) > 1 {
				return nil, errors.New("it ends inside an element")
			}
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		raw := text[read:d.InputOffset()]
		read += len(raw)
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &xmlNode{name: t.Name.Local, attrs: t.Copy().Attr, line: line}
			top.children = append(top.children, n)
			if open = append(open, n); len(open) > maxXMLDepth {
				return nil, ErrTooLarge
			}
		case xml.EndElement:
			if len(open) < 2 || t.Name.Local != top.name {
				return nil, errors.New("an element ends that is not open")
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				top.children = append(top.children, &xmlNode{text: newXMLText(raw, line)})
			}
		}
		line += strings.Count(raw, "\n")
	}
}

// newXMLText decodes character data.
func newXMLText(raw string, line int) sourceText {
	if section, ok := strings.CutPrefix(raw, "<![CDATA["); ok {
		return newSourceText(strings.TrimSuffix(section, "]]>"), line, func(s string) string { return s })
	}
	return newSourceText(raw, line, html.UnescapeString)
}

// isField tells an element that holds one short text on one line, or nothing
// but attributes.
func (n *xmlNode) isField() bool {
	switch len(n.children) {
	case 0:
		return n.name != ""
	case 1:
		text := strings.TrimSpace(n.children[0].text.data)
		return text != "" && len(text) <= maxFieldBytes && !strings.Contains(text, "\n") && !holdsMarkup(text)
	}
	return false
}

// holdsText tells an element of prose: text stands beside its elements, or it
// is all there is.
func (n *xmlNode) holdsText() bool {
	return slices.ContainsFunc(n.children, func(c *xmlNode) bool { return c.name == "" })
}

// holdsMarkup tells a text that is HTML, as feeds have in their descriptions.
func holdsMarkup(text string) bool {
	return strings.Contains(text, "</") || strings.Contains(text, "/>") || strings.Contains(text, "<br>")
}

// An xmlRenderer writes a tree as blocks.
type xmlRenderer struct{ textBuilder }

func (r *xmlRenderer) element(n *xmlNode) {
	if n.holdsText() {
		r.end(paragraph)
		r.prose(n)
		r.end(paragraph)
		return
	}
	for i := 0; i < len(n.children); i++ {
		if !n.children[i].isField() {
			r.end(row)
			r.element(n.children[i])
			continue
		}
		r.field(n.children[i])
	}
	r.end(row)
}

// field adds a cell to the row being written.
func (r *xmlRenderer) field(n *xmlNode) {
	cell := func(name, value string) {
		if value = strings.TrimSpace(value); value == "" || strings.HasPrefix(name, "xmlns") {
			return
		}
		if len(r.inline) > 0 {
			r.mark("\t")
		}
		r.write(name + ": " + value)
	}
	if len(n.children) == 0 {
		r.line = n.line
		for _, a := range n.attrs {
			cell(a.Name.Local, a.Value)
		}
		return
	}
	text := n.children[0].text
	text.lines(0, func(line int, part string) {
		if strings.TrimSpace(part) != "" {
			r.line = line
			cell(n.name, part)
		}
	})
}

// prose writes text with the elements inside it.
func (r *xmlRenderer) prose(n *xmlNode) {
	for _, c := range n.children {
		switch {
		case c.name != "":
			r.prose(c)
		case holdsMarkup(c.text.data):
			r.markup(c.text)
		default:
			c.text.lines(0, r.writeOn)
		}
	}
}

// writeOn writes text that stands on a line.
func (r *xmlRenderer) writeOn(line int, text string) {
	r.line = line
	r.write(text)
}

// markup writes a text that is HTML.
func (r *xmlRenderer) markup(text sourceText) {
	root, source, err := parseWithLines(text.data)
	if err != nil {
		text.lines(0, r.writeOn)
		return
	}
	for i := range source.texts {
		t := &source.texts[i]
		t.line = min(t.line+text.line-1, text.lastLine())
		t.starts = t.starts[:min(len(t.starts), text.lastLine()-t.line)]
	}
	h := &htmlRenderer{textBuilder: &r.textBuilder, source: source}
	h.children(root)
}
