package document

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse reads a file that must be sound.
func parse(tb testing.TB, name, data string) *Document {
	tb.Helper()
	doc, err := Parse(tb.Context(), name, []byte(data))
	if err != nil {
		tb.Fatalf("Parse(%q): %v", name, err)
	}
	return doc
}

// outline writes headings as "level text", checking that each starts where it
// says.
func outline(t *testing.T, doc *Document) []string {
	t.Helper()
	var out []string
	for _, h := range doc.Headings {
		out = append(out, strings.Repeat("#", h.Level)+" "+h.Text)
		line, _, _ := strings.Cut(doc.Text[h.Start:], "\n")
		if h.Start > 0 && doc.Text[h.Start-1] != '\n' || !strings.Contains(line, strings.Fields(h.Text)[0]) {
			t.Errorf("heading %q starts at %d, where %q stands", h.Text, h.Start, line)
		}
	}
	return out
}

func TestLineAt(t *testing.T) {
	doc := parse(t, "a.txt", "one\ntwo\r\n\nfour")
	for offset, want := range map[int]int{0: 1, 3: 1, 4: 2, 8: 2, 9: 3, 10: 4, 13: 4, 99: 4, -1: 1} {
		if got := doc.LineAt(offset); got != want {
			t.Errorf("LineAt(%d) = %d, want %d", offset, got, want)
		}
		byHand := &Document{Text: doc.Text}
		if got := byHand.LineAt(offset); got != want {
			t.Errorf("LineAt(%d) of a document made by hand = %d, want %d", offset, got, want)
		}
	}
}

func TestPageAt(t *testing.T) {
	doc := &Document{Text: "one\n\nthree", Pages: []Page{{1, 0, 3}, {2, 5, 5}, {3, 5, 10}}}
	for offset, want := range map[int]int{0: 1, 4: 1, 5: 3, 9: 3} {
		if got := doc.PageAt(offset); got != want {
			t.Errorf("PageAt(%d) = %d, want %d", offset, got, want)
		}
	}
	if got := (&Document{Text: "x"}).PageAt(0); got != 0 {
		t.Errorf("PageAt(0) without pages = %d, want 0", got)
	}
}

func TestHeadingPath(t *testing.T) {
	const text = "intro\n# A\na\n### B\nb\n## C\nc\n# D\nd\n"
	doc := parse(t, "a.md", text)
	for at, want := range map[string][]string{
		"intro": nil, "a\n###": {"A"}, "### B": {"A", "B"}, "b\n": {"A", "B"}, "c\n": {"A", "C"}, "d\n": {"D"},
	} {
		if diff := cmp.Diff(want, doc.HeadingPath(strings.Index(text, at))); diff != "" {
			t.Errorf("HeadingPath at %q (-want +got):\n%s", at, diff)
		}
	}
}

func TestMarkdownHeadings(t *testing.T) {
	for _, tt := range []struct {
		name, text, title string
		want              []string
	}{
		{"levels", "# One #\n\n###### Six\n####### none\n#none\n", "One", []string{"# One", "###### Six"}},
		{"setext", "One\n===\n\nTwo *of* two\n---\n\n---\n", "One", []string{"# One", "## Two *of* two"}},
		{"code", "```\n# no\n```\n\n    # no\n\n~~~sh\n# no\n~~~\n## Yes\n", "Yes", []string{"## Yes"}},
		{"unclosed fence", "# Yes\n```\n# no\n", "Yes", []string{"# Yes"}},
		{"front matter", "---\ntitle: \"T\"\n# no\n---\n# Yes\n", "T", []string{"# Yes"}},
		{"comment", "<!--\n# no\n-->\n\n# Yes\n", "Yes", []string{"# Yes"}},
		{"markup", "# The `go` [command](x) **now** {#go}\n", "The go command now", []string{"# The go command now"}},
		{"windows lines", "# One\r\n\r\ntext\r\n\r\n## Two\r\n", "One", []string{"# One", "## Two"}},
		{"in a list and a quote", "- # One\n\n> ## Two\n", "One", []string{"# One", "## Two"}},
		{"empty", "#\n\n# \n", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, "a.md", tt.text)
			if doc.Text != tt.text {
				t.Errorf("the text is %q, want the file's own %q", doc.Text, tt.text)
			}
			if diff := cmp.Diff(tt.want, outline(t, doc)); diff != "" {
				t.Errorf("headings of %q (-want +got):\n%s", tt.text, diff)
			}
			if doc.Title != tt.title {
				t.Errorf("title %q, want %q", doc.Title, tt.title)
			}
		})
	}
}

// TestMarkdownHostile makes sure that nesting costs no more than a moment.
func TestMarkdownHostile(t *testing.T) {
	for _, part := range []string{"> ", "- ", "* ", "1. ", "\t", "# ", "```\n", "    - a\n", "[", "<!--", "a\n===\n", "-\n",
		strings.Repeat("> ", maxMarkdownMarks) + "x\n", strings.Repeat("1. ", maxMarkdownMarks) + "x\n"} {
		parse(t, "a.md", strings.Repeat(part, 1<<18/len(part))+"x\n")
	}
}
