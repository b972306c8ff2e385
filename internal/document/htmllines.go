package document

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// html.Parse does not tell where in the file a text stands. The tokenizer does,
// whose raw tokens joined are the file, but its texts are not the tree's: the
// parser moves some and drops others. So a comment goes into the source before
// each text, which names the text and moves with it; once the tree is built,
// the comments go and each text node carries its number in an attribute, which
// Readability copies and nothing prints.

// sourceText is one text of a page, between two tags.
type sourceText struct {
	data string // decoded
	line int    // of its first byte, from 1

	// starts are the offsets in data at which the further lines of the file
	// begin. They are not simply those after its line breaks: "&#10;" breaks
	// lines in data and not in the file.
	starts []int
}

// htmlSource is where the texts of a page stand in its file.
type htmlSource struct {
	texts []sourceText
	title sourceText // of the title element
}

// lineAttribute is the key under which a text node carries its number in
// htmlSource.texts.
const lineAttribute = "ragstone-text"

// parseWithLines parses a page and tells for each text node where it stands.
func parseWithLines(page string) (*html.Node, *htmlSource, error) {
	mark := unusedMark(page)
	source, marked := markTexts(page, mark)
	root, err := html.Parse(strings.NewReader(marked))
	if err != nil {
		return nil, nil, err
	}
	source.takeMarks(root, mark)
	return root, source, nil
}

// unusedMark is a word that the page does not hold.
func unusedMark(page string) string {
	for n := 0; ; n++ {
		if mark := "ragstone" + strconv.Itoa(n) + ":"; !strings.Contains(page, mark) {
			return mark
		}
	}
}

// markTexts lists the texts of a page and puts a comment before each.
func markTexts(page, mark string) (*htmlSource, string) {
	s := &htmlSource{}
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	line, read, inside := 1, 0, atom.Atom(0)
	for {
		kind := z.Next()
		raw := string(z.Raw())
		if kind == html.ErrorToken {
			break
		}
		read += len(raw)
		switch kind {
		case html.StartTagToken:
			name, _ := z.TagName()
			inside = atom.Lookup(name)
		case html.TextToken:
			if inside == atom.Title && s.title.line == 0 {
				s.title = newSourceText(raw, line, decodeHTMLText)
			}
			if !isRawText(inside) && strings.TrimSpace(raw) != "" {
				out.WriteString("<!--" + mark + strconv.Itoa(len(s.texts)) + "-->")
				s.texts = append(s.texts, newSourceText(raw, line, decodeHTMLText))
			}
		default:
			inside = 0
		}
		out.WriteString(raw)
		line += strings.Count(raw, "\n")
	}
	out.WriteString(page[read:]) // a tag cut short at the end
	return s, out.String()
}

// isRawText tells the elements in which a comment would be text.
func isRawText(tag atom.Atom) bool {
	switch tag {
	case atom.Iframe, atom.Noembed, atom.Noframes, atom.Noscript, atom.Plaintext, atom.Script, atom.Style,
		atom.Textarea, atom.Title, atom.Xmp:
		return true
	}
	return false
}

// newSourceText decodes a raw text that begins on a line, line by line.
func newSourceText(raw string, line int, decode func(string) string) sourceText {
	t := sourceText{line: line}
	var data strings.Builder
	for part := range strings.Lines(raw) {
		if data.Len() > 0 || t.starts != nil {
			t.starts = append(t.starts, data.Len())
		}
		data.WriteString(decode(part))
	}
	t.data = data.String()
	return t
}

// decodeHTMLText does to a text what the tokenizer does.
func decodeHTMLText(raw string) string {
	return strings.ReplaceAll(strings.ReplaceAll(html.UnescapeString(raw), "\r\n", "\n"), "\r", "\n")
}

// lines calls f for each part of data[cut:] that stands on one line of the
// file, with the number of the line.
func (t *sourceText) lines(cut int, f func(line int, part string)) {
	from, line := cut, t.line
	for _, start := range t.starts {
		if start > from {
			f(line, t.data[from:start])
			from = start
		}
		line++
	}
	f(line, t.data[from:])
}

// lastLine is the line on which the text ends.
func (t *sourceText) lastLine() int { return t.line + len(t.starts) }

// takeMarks removes the comments from the tree and gives their numbers to the
// text nodes they stand before. A text that the parser moved away from its
// comment, as it does with stray text in a table, is found by its words.
func (s *htmlSource) takeMarks(root *html.Node, mark string) {
	var comments, bare []*html.Node
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode && strings.Contains(n.Data, mark):
			n.Data = dropMarks(n.Data, mark) // CDATA, which the tokenizer took for a comment
		case n.Type == html.CommentNode && strings.HasPrefix(n.Data, mark):
			comments = append(comments, n)
		case n.Type == html.TextNode && strings.TrimSpace(n.Data) != "" && !isMark(n.PrevSibling, mark):
			bare = append(bare, n)
		}
	}
	moved := map[string][]int{}
	for _, c := range comments {
		number, err := strconv.Atoi(c.Data[len(mark):])
		text := c.NextSibling
		c.Parent.RemoveChild(c)
		if err != nil || number < 0 || number >= len(s.texts) {
			continue
		}
		if text != nil && text.Type == html.TextNode {
			setNumber(text, number)
			continue
		}
		words := strings.TrimSpace(s.texts[number].data)
		moved[words] = append(moved[words], number)
	}
	for _, n := range bare {
		words := strings.TrimSpace(n.Data)
		if numbers := moved[words]; len(numbers) > 0 {
			setNumber(n, numbers[0])
			moved[words] = numbers[1:]
		}
	}
}

// dropMarks removes the comments from a text.
func dropMarks(text, mark string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<!--"+mark)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, text, _ = strings.Cut(rest, "-->")
	}
}

func isMark(n *html.Node, mark string) bool {
	return n != nil && n.Type == html.CommentNode && strings.HasPrefix(n.Data, mark)
}

func setNumber(text *html.Node, number int) {
	text.Attr = []html.Attribute{{Key: lineAttribute, Val: strconv.Itoa(number)}}
}

// lines calls f for each part of a text node that stands on one line of the
// file, with the number of the line, 0 where it is not known.
func (s *htmlSource) lines(n *html.Node, f func(line int, part string)) {
	number, err := strconv.Atoi(attribute(n, lineAttribute))
	if err != nil || number < 0 || number >= len(s.texts) {
		f(0, n.Data)
		return
	}
	text := s.texts[number]
	switch before, after, whole := strings.Cut(n.Data, text.data); {
	case whole: // perhaps with blanks of other texts beside it
		f(text.line, before)
		text.lines(0, f)
		f(text.lastLine(), after)
	case strings.HasSuffix(text.data, n.Data): // the parser drops blanks before the body
		text.lines(len(text.data)-len(n.Data), f)
	default:
		f(text.line, n.Data)
	}
}

// titleLine is the line of the page's title: of the text that shows it, else
// of the title element, else 0.
func (s *htmlSource) titleLine(title string) int {
	for _, t := range s.texts {
		if strings.Join(strings.Fields(t.data), " ") == title {
			return t.line + strings.Count(t.data[:strings.Index(t.data, strings.Fields(title)[0])], "\n")
		}
	}
	return s.title.line
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
