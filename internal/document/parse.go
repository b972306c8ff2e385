package document

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// What one file may cost. The bounds are far above what people write and low
// enough that a hostile file is a nuisance, not an outage.
const (
	// MaxFileBytes is the size of the largest file that is read.
	MaxFileBytes = 64 << 20

	// maxTextBytes bounds the text made from a file, which for a compressed
	// format may be much larger than the file.
	maxTextBytes = 64 << 20

	// maxPages bounds the pages read from a PDF.
	maxPages = 10_000
)

// Errors that a caller may act on. The message of an error from Parse is a
// sentence for the user and does not repeat the file's name.
var (
	// ErrUnsupported is the error for a format that is not read, as "not
	// supported yet: .pptx" or "an image".
	ErrUnsupported = errors.New("not supported")

	// ErrEncrypted is the error for a file that needs a password.
	ErrEncrypted = errors.New("it is encrypted and needs a password")

	// ErrNoText is the error for a file that is sound but holds no text: an
	// empty one, or a scan.
	ErrNoText = errors.New("it holds no text")

	// ErrTooLarge is the error for a file beyond one of the limits.
	ErrTooLarge = errors.New("it is too large")
)

// A Parser reads files. The zero value is ready to use; a Parser must not be
// copied after its first use and may be used by many goroutines at once.
type Parser struct {
	// CacheDir keeps PDFium's code, compiled for this machine, between runs.
	// The first PDF then costs a process 0.1 s instead of 2 s, and 22 MB of
	// disk. It holds code that will be run, so it must be the user's own; it is
	// made when needed. "" compiles anew in each process.
	CacheDir string

	pdf pdfEngine
}

// shared serves the package function Parse. Its only state is the compiled
// PDFium, which no caller can change.
var shared Parser

// Parse reads a file as a Parser without a CacheDir does. All calls share one
// compiled PDFium, which lives as long as the process.
func Parse(ctx context.Context, name string, data []byte) (*Document, error) {
	return shared.Parse(ctx, name, data)
}

// Parse reads the file with the given name and content. Only the name's last
// element counts; the content is not kept, except as the text of a UTF-8 file
// is a copy of it. A file that cannot be read gives an error that says why in
// plain words.
func (p *Parser) Parse(ctx context.Context, name string, data []byte) (*Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(data) > MaxFileBytes {
		return nil, tooLarge(int64(len(data)))
	}
	format, err := sniff(name, data)
	if err != nil {
		return nil, err
	}
	doc, err := p.parseAs(ctx, format, data)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(doc.Text) == "" {
		return nil, ErrNoText
	}
	return doc, nil
}

func (p *Parser) parseAs(ctx context.Context, format Format, data []byte) (*Document, error) {
	switch format {
	case PDF:
		return p.pdf.parse(ctx, p.CacheDir, data)
	case DOCX:
		return parseDOCX(ctx, data)
	case HTML:
		return parseHTML(data)
	}
	text, err := decodeText(data)
	if err != nil {
		return nil, err
	}
	if format == XML {
		return parseXML(text), nil
	}
	doc := newDocument(format, text)
	if format == Markdown {
		doc.readMarkdown()
	}
	return doc, nil
}

// Close frees the compiled PDFium after the files being read are done. The
// Parser refuses PDFs afterwards; closing twice is fine.
func (p *Parser) Close() error { return p.pdf.close() }

// tooLarge is the error for a file of that many bytes.
func tooLarge(size int64) error {
	return fmt.Errorf("%w: %d MB, and the limit is %d MB", ErrTooLarge, size>>20, MaxFileBytes>>20)
}
