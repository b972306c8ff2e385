package document

import (
	"strings"
	"testing"
)

func TestXML(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"records", "<?xml version='1.0'?>\n<book>\n <land><name>France</name><capital> Paris\n</capital></land>\n <land><name>A &amp; B</name></land></book>",
			"name: France\tcapital: Paris\nname: A & B\n"},
		{"prose", "<doc><p>One <b>bold</b> word.</p><p>Two\nlines.</p></doc>", "One bold word.\n\nTwo lines.\n"},
		{"attributes", `<list xmlns:x="u"><entry code="aa" name="Afar"/><entry code="ab"/></list>`, "code: aa\tname: Afar\tcode: ab\n"},
		{"a feed", "<item><title>News</title><description><![CDATA[<p>Rain.</p><p>Sun.</p>]]></description></item>", "title: News\n\nRain.\n\nSun.\n"},
		{"broken", "<a><b>text</a>", "<a><b>text</a>"},
		{"never closed", "<a>text", "<a>text"},
		{"no text", "<a><b/></a>", "<a><b/></a>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(t, "a.xml", tt.file).Text; got != tt.want {
				t.Errorf("%q is read as %q, want %q", tt.file, got, tt.want)
			}
		})
	}
}

func TestXMLLines(t *testing.T) {
	doc := parse(t, "a.xml", "<?xml version='1.0'?>\n<a>\n<r><x>\none</x>\n<y>two</y></r>\n<p>three\nfour</p>\n<d>&lt;p>five&lt;/p>\n&lt;p>six&lt;/p></d>\n</a>")
	for words, want := range map[string]int{"x: one": 4, "two": 5, "three": 6, "four": 7, "five": 8, "six": 9} {
		if got := lineOf(t, doc, words); got != want {
			t.Errorf("%q is on line %d, want %d", words, got, want)
		}
	}
}

func FuzzXML(f *testing.F) {
	for _, seed := range []string{"<a><b>x</b></a>", "<a>x<b/>y</a>", "<a b='c'/>", "<a><![CDATA[<p>x</p>]]></a>", "<a>&#10;</a>", "<", "<a:b xmlns:a='u'>t</a:b>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		doc := parseXML(strings.ToValidUTF8(file, "?"))
		lines := 1 + strings.Count(file, "\n")
		for i := range doc.Text {
			if line := doc.LineAt(i); line < 1 || line > lines {
				t.Fatalf("byte %d of %q, read from %q, is on line %d of %d", i, doc.Text, file, line, lines)
			}
		}
	})
}
