package document

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docx packs parts as Word does.
func docx(tb testing.TB, parts map[string]string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name, content string) {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	add("[Content_Types].xml", `<Types/>`)
	for _, name := range []string{"word/document.xml", "word/styles.xml", "word/footnotes.xml", "docProps/core.xml", "_rels/.rels", "other.xml"} {
		if content, ok := parts[name]; ok {
			add(name, content)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func docxBody(body string) string {
	return `<?xml version="1.0"?><w:document xmlns:w="w"><w:body>` + body + `</w:body></w:document>`
}

const docxStyles = `<w:styles>
<w:style w:styleId="Titre1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Mine"><w:name w:val="My heading"/><w:basedOn w:val="Titre1"/></w:style>
<w:style w:styleId="Deep"><w:name w:val="x"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>
<w:style w:styleId="Bullet"><w:name w:val="List"/><w:pPr><w:numPr/></w:pPr></w:style></w:styles>`

// p is a paragraph of a style.
func p(style, text string) string {
	return `<w:p><w:pPr><w:pStyle w:val="` + style + `"/></w:pPr><w:r><w:t xml:space="preserve">` + text + `</w:t></w:r></w:p>`
}

func TestDOCX(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"paragraphs and runs", `<w:p><w:r><w:t>Hel</w:t></w:r><w:r><w:t>lo </w:t></w:r><w:r><w:t>you</w:t><w:br/><w:t>all</w:t></w:r></w:p>` + p("", "B &amp; C"),
			"Hello you\nall\n\nB & C\n"},
		{"lists", p("Bullet", "a") + p("Bullet", "b") + `<w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="3"/></w:numPr></w:pPr><w:r><w:t>c</w:t></w:r></w:p>` + p("", "d"),
			"- a\n- b\n  - c\n\nd\n"},
		{"table", `<w:tbl><w:tr><w:tc>` + p("", "a") + p("", "b") + `</w:tc><w:tc>` + p("", "c") + `</w:tc></w:tr><w:tr><w:tc><w:p/></w:tc><w:tc>` + p("", "d") + `</w:tc></w:tr></w:tbl>` + p("", "e"),
			"a b\tc\n\td\n\ne\n"},
		{"changes and fields", `<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText><w:t>old</w:t></w:r></w:del><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>`,
			"new\n"},
		{"alternate content", `<w:p><mc:AlternateContent><mc:Choice><w:r><w:t>once</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>twice</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>`,
			"once\n"},
		{"footnote", `<w:p><w:r><w:t>Text</w:t></w:r><w:r><w:footnoteReference w:id="7"/></w:r></w:p>`,
			"Text[1]\n\n[1] A note.\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parse(t, "a.docx", string(docx(t, map[string]string{
				"word/document.xml": docxBody(tt.body), "word/styles.xml": docxStyles,
				"word/footnotes.xml": `<w:footnotes><w:footnote w:id="0">` + p("", "no") + `</w:footnote><w:footnote w:id="7">` + p("", "A note.") + `</w:footnote></w:footnotes>`,
			})))
			if doc.Text != tt.want {
				t.Errorf("text %q, want %q", doc.Text, tt.want)
			}
		})
	}
}

func TestDOCXHeadings(t *testing.T) {
	doc := parse(t, "a.docx", string(docx(t, map[string]string{
		"word/document.xml": docxBody(p("Titre1", "One") + p("", "x") + p("Deep", "Three") + p("Mine", "Also one") + p("Heading2", "Two")),
		"word/styles.xml":   docxStyles,
		"docProps/core.xml": `<cp:coreProperties><dc:creator>me</dc:creator><dc:title>The title</dc:title></cp:coreProperties>`,
	})))
	want := []string{"# One", "### Three", "# Also one", "## Two"}
	if diff := cmp.Diff(want, outline(t, doc)); diff != "" {
		t.Errorf("headings (-want +got):\n%s", diff)
	}
	if doc.Title != "The title" {
		t.Errorf("title %q, want %q", doc.Title, "The title")
	}
}

func TestDOCXHostile(t *testing.T) {
	deep := strings.Repeat("<w:x>", 10_000)
	for name, tt := range map[string]struct {
		parts map[string]string
		want  error
	}{
		"a part that inflates a thousandfold": {map[string]string{"word/document.xml": docxBody("<!--" + strings.Repeat(" ", maxPartBytes) + "-->")}, ErrTooLarge},
		"deep nesting":                        {map[string]string{"word/document.xml": docxBody(deep)}, ErrTooLarge},
		"no main part":                        {map[string]string{"other.xml": "x"}, errNoPart},
		"styles in a circle": {map[string]string{"word/document.xml": docxBody(p("A", "x")),
			"word/styles.xml": `<w:style w:styleId="A"><w:basedOn w:val="B"/></w:style><w:style w:styleId="B"><w:basedOn w:val="A"/></w:style>`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseDOCX(t.Context(), docx(t, tt.parts))
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDOCXParagraphs(t *testing.T) {
	doc := parse(t, "a.docx", string(docx(t, map[string]string{"word/document.xml": docxBody(`<w:p><w:r><w:t>One</w:t></w:r></w:p><w:p/>
<w:p><w:r><w:t>Two</w:t><w:br/><w:t>and a line</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
<w:p><w:r><w:t>Last</w:t></w:r></w:p>`)})))
	for words, want := range map[string]int{"One": 1, "Two": 2, "and a line": 2, "Cell": 3, "Last": 4} {
		i := strings.Index(doc.Text, words)
		if got := doc.ParagraphAt(i); got != want {
			t.Errorf("%q is in paragraph %d, want %d", words, got, want)
		}
		if got := doc.LineAt(i); got != 0 {
			t.Errorf("%q is on line %d, want none in a DOCX file", words, got)
		}
	}
}
