package document

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/responses"
)

// A fragment is a run of characters on one line without a wide gap: a line of
// a column, a cell of a table. y grows downwards, as the page is read.
type fragment struct {
	x0, y0, x1, y1 float64
	size           float64 // of the font in points
	text           string
	upright        bool
	hyphen         bool // a hyphen ended the line, and is not part of text
}

func (f *fragment) height() float64 { return f.y1 - f.y0 }
func (f *fragment) middle() float64 { return (f.y0 + f.y1) / 2 }

// gapHeights is how wide a gap parts fragments, in heights of their
// characters: wider than the spaces of justified lines, narrower than the gap
// between columns.
const gapHeights = 1.2

// lineEndHyphen is what PDFium reports in place of a hyphen at the end of a
// line and the line break after it.
const lineEndHyphen = "\x02"

// readPDFPage returns a page's fragments in the order in which the file draws
// them.
func readPDFPage(p pdfium.Pdfium, doc references.FPDF_DOCUMENT, index int) ([]fragment, error) {
	loaded, err := p.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: doc, Index: index})
	if err != nil {
		return nil, err
	}
	defer p.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: loaded.Page})
	page := requests.Page{ByReference: &loaded.Page}
	chars, err := p.GetPageTextStructured(&requests.GetPageTextStructured{Page: page, Mode: requests.GetPageTextStructuredModeChars})
	if err != nil || len(chars.Chars) == 0 {
		return nil, err
	}
	rotation, err := p.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: page})
	if err != nil {
		return nil, err
	}
	text, err := p.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: page})
	if err != nil {
		return nil, err
	}
	defer p.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: text.TextPage})
	b := fragmentBuilder{
		turns: int(rotation.PageRotation),
		size:  func(char int) float64 { return fontSize(p, text.TextPage, char) },
	}
	for i, c := range chars.Chars {
		b.char(i, c)
	}
	b.end()
	return b.fragments, nil
}

// fontSize is the size of a character in points as it is drawn: the font's
// own times the text matrix, or 0 where it is not known.
func fontSize(p pdfium.Pdfium, page references.FPDF_TEXTPAGE, char int) float64 {
	size, err := p.FPDFText_GetFontSize(&requests.FPDFText_GetFontSize{TextPage: page, Index: char})
	if err != nil {
		return 0
	}
	m, err := p.FPDFText_GetMatrix(&requests.FPDFText_GetMatrix{TextPage: page, Index: char})
	if err != nil {
		return size.FontSize
	}
	return size.FontSize * math.Hypot(float64(m.Matrix.C), float64(m.Matrix.D))
}

// A fragmentBuilder cuts a page's characters into fragments.
type fragmentBuilder struct {
	turns     int // of the page to the right, by 90 degrees
	size      func(char int) float64
	fragments []fragment

	cur   fragment
	text  strings.Builder
	space bool
	open  bool
}

// char takes the next character. Those that PDFium made up (a line break where
// the writing position jumps, a space in a gap) part words but have no place.
func (b *fragmentBuilder) char(index int, c *responses.GetPageTextStructuredChar) {
	r, _ := utf8.DecodeRuneInString(c.Text)
	switch {
	case c.Text == "":
		return
	case c.Text == lineEndHyphen:
		b.cur.hyphen = b.open
		b.end()
		return
	case r == '\r', r == '\n':
		b.end()
		return
	case unicode.IsSpace(r):
		b.space = true
		return
	case r == utf8.RuneError, unicode.IsControl(r), r == '\uFFFE', r == '\uFEFF':
		return
	}
	box, upright := b.place(c)
	if b.open && b.apart(&box, upright) {
		b.end()
	}
	if !b.open {
		b.open = true
		b.cur = box
		b.cur.upright = upright
		b.cur.size = b.size(index)
	} else {
		if b.space {
			b.text.WriteByte(' ')
		}
		b.cur.x0, b.cur.x1 = min(b.cur.x0, box.x0), max(b.cur.x1, box.x1)
		b.cur.y0, b.cur.y1 = min(b.cur.y0, box.y0), max(b.cur.y1, box.y1)
	}
	b.space = false
	b.text.WriteRune(r)
}

// apart tells whether a character begins a new fragment.
func (b *fragmentBuilder) apart(box *fragment, upright bool) bool {
	if upright != b.cur.upright {
		return true
	}
	if !upright {
		return false // PDFium's line breaks alone part turned text
	}
	unit := max(b.cur.height(), b.cur.size/2, 1)
	below := box.y0 > b.cur.y1+unit/2 || box.y1 < b.cur.y0-unit/2
	return below || box.x0-b.cur.x1 > gapHeights*unit || box.x1 < b.cur.x0-unit
}

// place turns a character's box with the page. Its y is negated, since PDF's
// grows upwards.
func (b *fragmentBuilder) place(c *responses.GetPageTextStructuredChar) (fragment, bool) {
	p := c.PointPosition
	f := fragment{x0: p.Left, x1: p.Right, y0: -p.Top, y1: -p.Bottom}
	switch b.turns {
	case 1:
		f = fragment{x0: p.Bottom, x1: p.Top, y0: p.Left, y1: p.Right}
	case 2:
		f = fragment{x0: -p.Right, x1: -p.Left, y0: p.Bottom, y1: p.Top}
	case 3:
		f = fragment{x0: -p.Top, x1: -p.Bottom, y0: -p.Right, y1: -p.Left}
	}
	if f.x1 < f.x0 {
		f.x0, f.x1 = f.x1, f.x0
	}
	if f.y1 < f.y0 {
		f.y0, f.y1 = f.y1, f.y0
	}
	turned := math.Mod(c.Angle+float64(b.turns)*math.Pi/2, 2*math.Pi)
	return f, math.Cos(turned) > 0.9
}

// end closes the fragment being written.
func (b *fragmentBuilder) end() {
	if b.open {
		b.cur.text = b.text.String()
		b.fragments = append(b.fragments, b.cur)
	}
	b.text.Reset()
	b.open, b.space = false, false
}
