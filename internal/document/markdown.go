package document

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// maxMarkdownMarks bounds the marks that open quotes and list items on one
// line. Goldmark's work grows with the square of their nesting.
const maxMarkdownMarks = 100

// readMarkdown finds the headings and the title. The text stays as it is.
//
// Blocks are goldmark's, so that a # in a fenced or indented code block, in an
// HTML comment or in YAML front matter is no heading and setext underlines are
// found as CommonMark defines them. Inline markup is not parsed: a heading's
// text needs little of it, and it is where parsers turn quadratic.
func (d *Document) readMarkdown() {
	front := frontMatter(d.Text)
	source := []byte(d.Text[front:])
	if nestsTooDeep(source) {
		return // text without headings
	}
	root := blockParser().Parse(gmtext.NewReader(source))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		h, ok := n.(*ast.Heading)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		if h.Lines().Len() > 0 {
			start := front + h.Lines().At(0).Start
			start = strings.LastIndexByte(d.Text[:start], '\n') + 1
			if text := headingText(string(h.Lines().Value(source))); text != "" {
				d.Headings = append(d.Headings, Heading{Level: h.Level, Start: start, Text: text})
			}
		}
		return ast.WalkSkipChildren, nil
	})
	d.Title = frontMatterTitle(d.Text[:front])
	if d.Title == "" && len(d.Headings) > 0 {
		d.Title = d.Headings[0].Text
	}
}

// blockParser knows CommonMark's blocks and nothing else. Link reference
// definitions stay out: they are paragraphs here, which no heading minds.
func blockParser() parser.Parser {
	return parser.NewParser(parser.WithBlockParsers(
		util.Prioritized(parser.NewSetextHeadingParser(), 100),
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(parser.NewListParser(), 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewCodeBlockParser(), 500),
		util.Prioritized(parser.NewATXHeadingParser(), 600),
		util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
		util.Prioritized(parser.NewBlockquoteParser(), 800),
		util.Prioritized(parser.NewHTMLBlockParser(), 900),
		util.Prioritized(parser.NewParagraphParser(), 1000),
	))
}

// nestsTooDeep looks for a line that begins with more marks than anybody
// writes. Rules of dashes or stars count too, so the bound is a generous one.
func nestsTooDeep(source []byte) bool {
	marks, leading := 0, true
	for _, c := range source {
		switch {
		case c == '\n':
			marks, leading = 0, true
		case leading && strings.IndexByte(">-*+.)\t", c) >= 0:
			if marks++; marks > maxMarkdownMarks {
				return true
			}
		case c != ' ' && (c < '0' || c > '9'):
			leading = false
		}
	}
	return false
}

// frontMatter returns the length of the YAML block between --- lines at the
// head of a text, or 0.
func frontMatter(text string) int {
	if !strings.HasPrefix(text, "---\n") && !strings.HasPrefix(text, "---\r\n") {
		return 0
	}
	for offset := strings.IndexByte(text, '\n') + 1; offset < len(text); {
		line, _, _ := strings.Cut(text[offset:], "\n")
		offset = min(offset+len(line)+1, len(text))
		if line = strings.TrimRight(line, " \t\r"); line == "---" || line == "..." {
			return offset
		}
	}
	return 0
}

func frontMatterTitle(front string) string {
	for line := range strings.Lines(front) {
		if value, ok := strings.CutPrefix(line, "title:"); ok {
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return ""
}

var (
	markdownLink  = regexp.MustCompile(`!?\[([^\[\]]*)\](\([^()]*\)|\[[^\[\]]*\])`)
	headingAnchor = regexp.MustCompile(`\s*\{#[^{}]*\}\s*$`)
)

// headingText drops the markup that a heading may carry: links keep their
// text, emphasis and code lose their marks, an anchor goes.
func headingText(s string) string {
	s = markdownLink.ReplaceAllString(s, "$1")
	s = headingAnchor.ReplaceAllString(s, "")
	s = strings.NewReplacer("**", "", "__", "", "`", "").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}
