package document

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/testenv"
)

// lineOf is the line of the file that the first occurrence of words in the
// text was read from.
func lineOf(t *testing.T, doc *Document, words string) int {
	t.Helper()
	i := strings.Index(doc.Text, words)
	if i < 0 {
		t.Fatalf("the text lacks %q: %q", words, doc.Text)
	}
	return doc.LineAt(i)
}

func TestHTMLLines(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		want       map[string]int
	}{
		{"blocks", "<html>\n<body>\n<p>one\ntwo</p>\n\n<p\nclass=x>three", map[string]int{"one": 3, "two": 4, "three": 7}},
		{"repeated words", "<p>a word\n<p>b\n<p>a word c", map[string]int{"a word\n": 1, "b": 2, "a word c": 3}},
		{"lists", "<ul>\n<li>x\n<li>\ny\n<li>z</ul>", map[string]int{"- x": 2, "- y": 4, "y": 4, "- z": 5}},
		{"preformatted", "<pre>\nfirst\n\n  second</pre>", map[string]int{"first": 2, "  second": 4, "second": 4}},
		{"table", "<table>\n<tr><td>a\n<td>b\n<tr><td>c</table>", map[string]int{"a": 2, "b": 3, "c": 4}},
		{"text moved out of a table", "<table>\n<tr><td>cell</td></tr>\nstray</table>", map[string]int{"stray": 3, "cell": 2}},
		{"text after the body", "<body>\n<p>in</p>\n</body>\n</html>\nout", map[string]int{"in": 2, "out": 5}},
		{"blanks before the body", "<html>\n\n  plain", map[string]int{"plain": 3}},
		{"entities", "<p>&#10;a &amp;\nb&nbsp;c\r\nd", map[string]int{"a": 1, "b": 2, "d": 3}},
		{"joined text", "<p>one</wrong>\ntwo<!-- -->\nthree", map[string]int{"one": 1, "two": 2, "three": 3}},
		{"raw text", "<title>\nT</title><script>\nvar a = '<p>';\n</script>\n<p>last", map[string]int{"last": 5}},
		{"CDATA", "<math><![CDATA[ <x>\n]]></math>\n<p>after", map[string]int{"after": 3}},
		{"a mark of ours in the page", "<!--ragstone0:0-->\nx<!--ragstone1:0--> y", map[string]int{"x": 2}},
		{"a tag cut short", "<p>a\n<p>b\n<p clas", map[string]int{"a": 1, "b": 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, "a.html", tt.page)
			for words, want := range tt.want {
				if got := lineOf(t, doc, words); got != want {
					t.Errorf("in %q, %q is on line %d, want %d", tt.page, words, got, want)
				}
			}
			if strings.Contains(doc.Text, "ragstone2:") {
				t.Errorf("%q shows our own marks: %q", tt.page, doc.Text)
			}
		})
	}
}

func TestHTMLTitleLine(t *testing.T) {
	article := strings.Repeat("<p>The quick brown fox, as everyone knows, jumps over the lazy dog and runs away.</p>\n", 12)
	doc := parse(t, "a.html", "<html><head>\n<title>Foxes</title></head>\n<body><article>\n"+article+"</article>")
	if got := doc.LineAt(0); !strings.HasPrefix(doc.Text, "Foxes\n") || got != 2 {
		t.Errorf("%.20q begins on line %d, want the title on line 2", doc.Text, got)
	}
}

// TestHTMLLinesOfRealPages looks every word of the shared pages up on the line
// it is said to stand on.
func TestHTMLLinesOfRealPages(t *testing.T) {
	root := testenv.Shared(t, "data", "documents")
	pages, err := filepath.Glob(filepath.Join(root, "*", "*.htm*"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages under %s: %v", root, err)
	}
	for _, page := range pages {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		source, err := decodeHTML(data)
		if err != nil {
			t.Fatal(err)
		}
		if format, err := sniff(page, data); err != nil || format != HTML {
			continue
		}
		doc, err := parseHTML(data)
		if err != nil {
			t.Fatalf("%s: %v", page, err)
		}
		lines := strings.Split(source, "\n")
		found, sought := 0, 0
		for i, word := range fieldsAt(doc.Text) {
			line := doc.LineAt(i)
			if line < 1 || line > len(lines) {
				t.Fatalf("%s: %q at %d is on line %d of %d", page, word, i, line, len(lines))
			}
			sought++
			if strings.Contains(html.UnescapeString(tag.ReplaceAllString(lines[line-1], "")), word) || isMarker(word) {
				found++
			} else if testing.Verbose() {
				t.Logf("%s:%d lacks %q", filepath.Base(page), line, word)
			}
		}
		if share := float64(found) / float64(sought); share < 0.995 {
			t.Errorf("%s: %.1f %% of %d words are on their line, want 99.5", page, 100*share, sought)
		}
	}
}

// fieldsAt are the words of a text by their offsets.
func fieldsAt(text string) map[int]string {
	words := map[int]string{}
	at := 0
	for _, word := range strings.Fields(text) {
		at += strings.Index(text[at:], word)
		words[at] = word
		at += len(word)
	}
	return words
}

// tag is one that begins and ends on a line.
var tag = regexp.MustCompile(`<[^>]*>`)

// isMarker tells what our rendering puts before list items.
func isMarker(word string) bool {
	_, err := strconv.Atoi(strings.TrimSuffix(word, "."))
	return word == "-" || err == nil
}
