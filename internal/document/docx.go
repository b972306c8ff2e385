package document

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/net/html/charset"
)

// A DOCX file is a zip of XML parts (ECMA-376, Office Open XML, parts 1 and
// 2). The main part holds the text; others give styles their names, notes
// their text and the document its title.

const (
	// maxPartBytes bounds one part once inflated. A zip can claim anything, so
	// the reader counts.
	maxPartBytes = 64 << 20

	// maxXMLDepth bounds the nesting of elements; Word's own files reach thirty
	// or so.
	maxXMLDepth = 500
)

// parseDOCX reads the body, then the footnotes and endnotes it refers to.
func parseDOCX(ctx context.Context, data []byte) (*Document, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("read DOCX: the zip archive is damaged or cut short: %w", err)
	}
	pkg := docxPackage{ctx: ctx, archive: archive}
	main := pkg.mainPart()
	dir := path.Dir(main)
	r := &docxReader{styles: pkg.styles(path.Join(dir, "styles.xml"))}
	r.places.Unit = Paragraphs
	if err := pkg.read(main, r.body); err != nil {
		return nil, fmt.Errorf("read DOCX: %s: %w", main, err)
	}
	for _, kind := range []string{"footnote", "endnote"} {
		if len(r.notes[kind]) == 0 {
			continue
		}
		name := path.Join(dir, kind+"s.xml")
		err := pkg.read(name, func(x *xmlReader) error { return r.readNotes(x, kind) })
		if err != nil && !errors.Is(err, errNoPart) {
			return nil, fmt.Errorf("read DOCX: %s: %w", name, err)
		}
	}
	if r.tooLong {
		return nil, fmt.Errorf("%w: its text exceeds %d MB", ErrTooLarge, maxTextBytes>>20)
	}
	return r.document(DOCX, pkg.title()), nil
}

// errNoPart is returned for a part that the package lacks.
var errNoPart = errors.New("the part is missing")

// A docxPackage finds and reads parts.
type docxPackage struct {
	ctx     context.Context
	archive *zip.Reader
}

// read opens a part and hands its XML to parse.
func (p docxPackage) read(name string, parse func(*xmlReader) error) error {
	for _, f := range p.archive.File {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		part, err := f.Open()
		if err != nil {
			return err
		}
		defer part.Close()
		return parse(newXMLReader(p.ctx, part))
	}
	return errNoPart
}

// mainPart follows the package's relationships to the document, which is
// nearly always word/document.xml.
func (p docxPackage) mainPart() string {
	name := "word/document.xml"
	_ = p.read("_rels/.rels", func(x *xmlReader) error {
		for {
			token, err := x.next()
			if err != nil {
				return err
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "Relationship" &&
				strings.HasSuffix(attr(e, "Type"), "/officeDocument") {
				name = strings.TrimPrefix(attr(e, "Target"), "/")
				return nil
			}
		}
	})
	return name
}

// title reads the title among the core properties, "" where there is none.
func (p docxPackage) title() string {
	var title strings.Builder
	_ = p.read("docProps/core.xml", func(x *xmlReader) error {
		inside := false
		for {
			token, err := x.next()
			if err != nil {
				return err
			}
			switch t := token.(type) {
			case xml.StartElement:
				inside = t.Name.Local == "title"
			case xml.EndElement:
				inside = false
			case xml.CharData:
				if inside && title.Len() < 1000 {
					title.Write(t)
				}
			}
		}
	})
	return strings.Join(strings.Fields(strings.ToValidUTF8(title.String(), "")), " ")
}

// An xmlReader reads the tokens of a part within the limits.
type xmlReader struct {
	ctx     context.Context
	decoder *xml.Decoder
	depth   int
	tokens  int
}

func newXMLReader(ctx context.Context, part io.Reader) *xmlReader {
	d := xml.NewDecoder(&limitedPart{part, maxPartBytes})
	d.Strict = false // forgives entities and attributes, not broken nesting
	d.CharsetReader = charset.NewReaderLabel
	return &xmlReader{ctx: ctx, decoder: d}
}

// next returns the next token, io.EOF at the end of the part.
func (x *xmlReader) next() (xml.Token, error) {
	if x.tokens++; x.tokens%4096 == 0 && x.ctx.Err() != nil {
		return nil, x.ctx.Err()
	}
	token, err := x.decoder.RawToken()
	if err != nil {
		return nil, err
	}
	switch token.(type) {
	case xml.StartElement:
		x.depth++
	case xml.EndElement:
		x.depth--
	}
	if x.depth > maxXMLDepth {
		return nil, fmt.Errorf("%w: elements nest deeper than %d", ErrTooLarge, maxXMLDepth)
	}
	return token, nil
}

// skip reads to the end of the element whose start was read last.
func (x *xmlReader) skip() error {
	for outer := x.depth - 1; x.depth > outer; {
		if _, err := x.next(); err != nil {
			return err
		}
	}
	return nil
}

// attr returns an attribute's value by its local name, "" if absent.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// limitedPart fails, rather than end quietly, where a part is too large.
type limitedPart struct {
	r    io.Reader
	left int
}

func (l *limitedPart) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("%w: a part inflates beyond %d MB", ErrTooLarge, maxPartBytes>>20)
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
