package document

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// An htmlRenderer writes a tree of elements as blocks. html.Parse nests no
// deeper than 512 elements, which bounds its recursion.
type htmlRenderer struct {
	*textBuilder
	source *htmlSource
	lists  []htmlList // the lists around the current element
	cell   bool       // in a table cell, where blocks are parts of a line
	pre    bool       // in preformatted text
}

type htmlList struct {
	ordered bool
	next    int
}

func (r *htmlRenderer) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.node(c)
	}
}

func (r *htmlRenderer) node(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		r.source.lines(n, r.textOn)
	case html.ElementNode:
		if !isInvisible(n) {
			r.element(n)
		}
	case html.DocumentNode:
		r.children(n)
	}
}

// textOn writes text that stands on one line of the file.
func (r *htmlRenderer) textOn(line int, text string) {
	if line > 0 { // text that Readability made stands where that beside it does
		r.line = line
	}
	if r.pre && !r.cell {
		r.markLine()
		r.mark(strings.ReplaceAll(text, "\r\n", "\n"))
	} else {
		r.write(text)
	}
}

func (r *htmlRenderer) element(n *html.Node) {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		r.heading(n)
	case atom.Br:
		if r.cell {
			r.space = true
		} else {
			r.mark("\n")
		}
	case atom.Ul, atom.Ol:
		r.list(n)
	case atom.Li:
		r.listItem(n)
	case atom.Table:
		r.table(n)
	case atom.Pre:
		r.endBlock()
		was := r.pre
		r.pre = true
		r.children(n)
		r.pre = was
		r.endBlock()
	default:
		if isInline(n.DataAtom) {
			r.children(n)
			return
		}
		r.endBlock()
		r.children(n)
		r.endBlock()
	}
}

// endBlock ends a block of the kind that stands here.
func (r *htmlRenderer) endBlock() {
	switch {
	case r.cell:
		r.space = true
	case len(r.lists) > 0:
		if strings.TrimSpace(string(r.inline)) != r.marker() { // a lone marker waits for its text
			r.end(item)
		}
	default:
		r.end(paragraph)
	}
}

func (r *htmlRenderer) heading(n *html.Node) {
	if r.cell {
		r.children(n)
		return
	}
	r.endBlock()
	level := int(n.Data[1] - '0')
	lists := r.lists
	r.cell, r.lists = true, nil // whatever blocks it holds, it is one line
	r.children(n)
	r.cell, r.lists = false, lists
	r.endHeading(level)
}

func (r *htmlRenderer) list(n *html.Node) {
	r.endBlock()
	r.lists = append(r.lists, htmlList{ordered: n.DataAtom == atom.Ol, next: 1})
	r.children(n)
	r.endBlock()
	r.lists = r.lists[:len(r.lists)-1]
}

func (r *htmlRenderer) listItem(n *html.Node) {
	if len(r.lists) == 0 || r.cell { // a stray item
		r.endBlock()
		r.children(n)
		r.endBlock()
		return
	}
	r.endBlock()
	r.mark(strings.Repeat("  ", len(r.lists)-1) + r.marker() + " ")
	r.children(n)
	r.endBlock()
	if l := &r.lists[len(r.lists)-1]; l.ordered {
		l.next++
	}
	if strings.TrimSpace(string(r.inline)) != "" { // an item without text
		r.drop()
	}
}

// marker is what stands before the current list item.
func (r *htmlRenderer) marker() string {
	if l := r.lists[len(r.lists)-1]; l.ordered {
		return strconv.Itoa(l.next) + "."
	}
	return "-"
}

// table writes rows as lines with tabs between cells, unless the table is
// there for the layout of the page: then its cells are blocks.
func (r *htmlRenderer) table(n *html.Node) {
	layout := hasElement(n, atom.Table, atom.H1, atom.H2, atom.H3)
	layout = layout || hasElement(n, atom.Ul, atom.Ol) && !hasElement(n, atom.Th)
	if layout || r.cell {
		r.endBlock()
		r.children(n)
		r.endBlock()
		return
	}
	r.endBlock()
	for c := range n.Descendants() {
		switch c.DataAtom {
		case atom.Caption:
			r.children(c)
			r.end(paragraph)
		case atom.Tr:
			r.tableRow(c)
		}
	}
}

func (r *htmlRenderer) tableRow(n *html.Node) {
	r.cell = true
	cells := 0
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom != atom.Td && c.DataAtom != atom.Th || isInvisible(c) {
			continue
		}
		if cells > 0 {
			r.mark("\t")
		}
		cells++
		r.children(c)
	}
	r.cell = false
	r.end(row)
}

// isInvisible tells the elements that show no text of their own.
func isInvisible(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Head, atom.Svg, atom.Iframe, atom.Object,
		atom.Select, atom.Textarea, atom.Nav:
		return true
	}
	for _, a := range n.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "style":
			if strings.Contains(strings.ReplaceAll(strings.ToLower(a.Val), " ", ""), "display:none") {
				return true
			}
		}
	}
	return false
}

// isInline tells the elements that stand within a line. An unknown element is
// one too, as browsers have it.
func isInline(tag atom.Atom) bool {
	switch tag {
	case atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Center, atom.Dd, atom.Details,
		atom.Dialog, atom.Dir, atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer,
		atom.Form, atom.Header, atom.Hgroup, atom.Hr, atom.Html, atom.Legend, atom.Main, atom.Menu, atom.Optgroup,
		atom.Option, atom.P, atom.Search, atom.Section, atom.Summary, atom.Tbody, atom.Td, atom.Tfoot, atom.Th,
		atom.Thead, atom.Tr, atom.Caption, atom.Table:
		return false
	}
	return true
}
