package document

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseEncodings(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"UTF-8", "Grüße, 世界\r\n", "Grüße, 世界\r\n"},
		{"UTF-8 with a mark", "\xEF\xBB\xBFa", "a"},
		{"UTF-16 little-endian", "\xFF\xFEG\x00\xFC\x00", "Gü"},
		{"UTF-16 big-endian", "\xFE\xFF\x00G\x00\xFC\xD8\x3D\xDE\x00", "Gü😀"},
		{"UTF-16 cut short", "\xFF\xFEG\x00\xFC", "G\uFFFD"},
		{"Latin-1", "Gr\xFC\xDFe", "Grüße"},
		{"Windows-1252", "\x93Gr\xFC\xDFe\x94 \x80", "“Grüße” €"},
		{"UTF-8 with a stray byte", "Grüße, 世界 \xff!", "Grüße, 世界 \uFFFD!"},
	} {
		if got := parse(t, "a.txt", tt.data).Text; got != tt.want {
			t.Errorf("%s: %q is read as %q, want %q", tt.name, tt.data, got, tt.want)
		}
	}
}

func TestParseFormats(t *testing.T) {
	for _, tt := range []struct {
		name, data string
		want       Format
	}{
		{"README.md", "# Hello", Markdown},
		{"notes", "Just words.", Text},
		{"dir.d/a.GO", "package a", Code},
		{"Makefile", "all:\n", Code},
		{"script", "#!/usr/bin/env python3\nprint()\n", Code},
		{"a.csv", "a,b\n", Data},
		{"page", "<!DOCTYPE html><html><body><p>Text</p></body></html>", HTML},
		{"a.yaml", "a: b\n", Data},
	} {
		if got := parse(t, tt.name, tt.data).Format; got != tt.want {
			t.Errorf("%s with %q is %s, want %s", tt.name, tt.data, got, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, data string
		want       error
		says       string
	}{
		{"empty.txt", "", ErrNoText, "it holds no text: the file is empty"},
		{"blank.md", " \n\n", ErrNoText, "it holds no text"},
		{"late.txt", strings.Repeat("a", 5000) + "\x00", ErrUnsupported, "not supported: a binary file (a NUL byte at offset 5000)"},
		{"nul.go", "package a\x00", ErrUnsupported, "not supported: a binary file"},
		{"a.ipynb", "{}", ErrUnsupported, "not supported yet: .ipynb"},
		{"letter.txt", "{\\rtf1 x}", nil, ""}, // its name says text
		{"letter", "{\\rtf1 x}", ErrUnsupported, "not supported yet: .rtf"},
		{"a.docx", "PK\x03\x04\x00\x00\x00\x00cut", nil, "read DOCX: the zip archive is damaged or cut short: zip: not a valid zip file"},
		{"locked.docx", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 600), ErrEncrypted, "it is encrypted and needs a password"},
		{"a.svg", "<svg/>", ErrUnsupported, "not supported: an image"},
		{"a.exe", "MZ\x90\x00\x03", ErrUnsupported, "not supported: a binary file"},
	} {
		_, err := Parse(t.Context(), tt.name, []byte(tt.data))
		switch {
		case tt.says == "" && err == nil:
		case err == nil || err.Error() != tt.says:
			t.Errorf("Parse(%q) says %v, want %q", tt.name, err, tt.says)
		case tt.want != nil && !errors.Is(err, tt.want):
			t.Errorf("Parse(%q) = %v, which is no %v", tt.name, err, tt.want)
		}
	}
}

func TestParseLimits(t *testing.T) {
	line := bytes.Repeat([]byte("a "), 50<<20)
	_, err := Parse(t.Context(), "line.txt", line)
	if !errors.Is(err, ErrTooLarge) || err.Error() != "it is too large: 100 MB, and the limit is 64 MB" {
		t.Errorf("a line of 100 MB: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Parse(cancelled, "a.txt", []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

// FuzzParse gives all parsers but PDFium anything at all.
func FuzzParse(f *testing.F) {
	f.Add("a.md", "---\ntitle: x\n---\n# a\n\n> - ```\n# b\nc\n===\n")
	f.Add("a.txt", "\xFF\xFEa\x00\xD8")
	f.Add("a.html", "<title>t</title><h1>a<p>b<table><tr><td>c<td><ul><li>d<pre>\n e</pre><ol><li><p>f<li></ol>")
	f.Add("a.docx", string(docx(f, map[string]string{"word/document.xml": docxBody(`<w:p><w:r><w:t>x</w:t></w:r></w:p>`)})))
	f.Fuzz(func(t *testing.T, name, data string) {
		if format, err := sniff(name, []byte(data)); err != nil || format == PDF {
			return
		}
		doc, err := Parse(t.Context(), name, []byte(data))
		if err == nil {
			checkDocument(t, doc)
		}
	})
}

// checkDocument holds a document to the promises of its fields.
func checkDocument(t *testing.T, doc *Document) {
	t.Helper()
	if !utf8.ValidString(doc.Text) || strings.TrimSpace(doc.Text) == "" {
		t.Fatalf("the text is blank or no UTF-8: %q", doc.Text)
	}
	last := 0
	for _, h := range doc.Headings {
		if h.Start < last || h.Start >= len(doc.Text) || h.Text == "" || h.Level < 1 {
			t.Fatalf("heading %+v after offset %d in a text of %d: %q", h, last, len(doc.Text), doc.Text)
		}
		last = h.Start
	}
	end := 0
	for _, p := range doc.Pages {
		if p.Start < end || p.End < p.Start || p.End > len(doc.Text) {
			t.Fatalf("page %+v after offset %d in a text of %d", p, end, len(doc.Text))
		}
		end = p.End
	}
}
