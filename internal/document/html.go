package document

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

const (
	// maxHTMLBytes bounds a page. Its tree takes some twenty times the memory.
	maxHTMLBytes = 16 << 20

	// maxScoredElements bounds the pages whose main content is looked for;
	// larger ones are read whole.
	maxScoredElements = 100_000

	// fewWords is how few words of a page the search for its main content may
	// leave before the page is read whole: as a share, and at least.
	fewWordsShare, fewWords = 0.2, 30
)

// parseHTML renders the main content of a page, as Mozilla's Readability finds
// it, or the whole page where that is little: an index, a table of results, a
// page of a few lines. Of a whole page with a main element that is all.
func parseHTML(data []byte) (doc *Document, err error) {
	if len(data) > maxHTMLBytes {
		return nil, fmt.Errorf("%w: an HTML page of %d MB, and the limit is %d MB", ErrTooLarge, len(data)>>20, maxHTMLBytes>>20)
	}
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("read HTML: the parser gave up: %v", r)
		}
	}()
	text, err := decodeHTML(data)
	if err != nil {
		return nil, err
	}
	root, source, err := parseWithLines(text)
	if err != nil {
		return nil, fmt.Errorf("read HTML: %w", err)
	}
	whole := wholePage(root, source)
	main := mainContent(root, source)
	if words := wordCount(main); words >= fewWords && float64(words) >= fewWordsShare*float64(wordCount(whole)) {
		return main, nil
	}
	return whole, nil
}

// wholePage is the page as it stands, or what its author marked as its main
// content: a page has one visible main element (HTML Living Standard, 4.4.14),
// and what is around it repeats on every page of the site.
func wholePage(root *html.Node, source *htmlSource) *Document {
	title, content, top := pageTitle(root), root, ""
	for n := range root.Descendants() {
		switch {
		case n.DataAtom == atom.Main && !isInvisible(n) && len(words(n)) > 0:
			content = n
		case n.DataAtom == atom.H1 && top == "":
			top = strings.Join(words(n), " ")
		}
	}
	if content == root {
		top = ""
	}
	return renderHTML(content, source, title, top)
}

// words are the words in the text below a node.
func words(n *html.Node) []string {
	var all []string
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			all = append(all, strings.Fields(c.Data)...)
		}
	}
	return all
}

// mainContent is the page as Readability cleans it, or nil. It alters root.
func mainContent(root *html.Node, source *htmlSource) *Document {
	p := readability.NewParser()
	p.MaxElemsToParse = maxScoredElements
	article, err := p.ParseAndMutate(root, nil)
	if err != nil || article.Node == nil {
		return nil
	}
	title := strings.Join(strings.Fields(article.Title()), " ")
	return renderHTML(article.Node, source, title, title)
}

func wordCount(d *Document) int {
	if d == nil {
		return 0
	}
	return len(strings.Fields(d.Text))
}

// decodeHTML returns a page as UTF-8: a byte order mark decides, then UTF-8 if
// it is valid, then what the page declares.
func decodeHTML(data []byte) (string, error) {
	if utf8.Valid(data) || bytes.HasPrefix(data, []byte("\xFF\xFE")) || bytes.HasPrefix(data, []byte("\xFE\xFF")) {
		return decodeText(data)
	}
	enc, _, _ := charset.DetermineEncoding(data, "")
	text, err := enc.NewDecoder().Bytes(data)
	if err != nil {
		return "", fmt.Errorf("decode its text: %w", err)
	}
	return string(text), nil
}

// pageTitle is the text of the title element.
func pageTitle(n *html.Node) string {
	for n := range n.Descendants() {
		if n.DataAtom == atom.Title && n.FirstChild != nil {
			return strings.Join(strings.Fields(n.FirstChild.Data), " ")
		}
	}
	return ""
}

// renderHTML renders the tree below n. A top heading, if not "", is put above
// it unless it has one of its own: Readability takes the page's main heading
// for the title and drops it, and it may stand above a main element.
func renderHTML(n *html.Node, source *htmlSource, title, top string) *Document {
	r := &htmlRenderer{textBuilder: &textBuilder{}, source: source}
	r.places.Unit = FileLines
	if top != "" && !hasElement(n, atom.H1) {
		r.line = source.titleLine(top)
		r.write(top)
		r.endHeading(1)
	}
	r.children(n)
	return r.document(HTML, title)
}

func hasElement(n *html.Node, tags ...atom.Atom) bool {
	for n := range n.Descendants() {
		for _, tag := range tags {
			if n.DataAtom == tag {
				return true
			}
		}
	}
	return false
}
