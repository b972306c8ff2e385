package document

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A pdfText gathers the pages of a PDF and writes them as text: a line break
// after each line, a blank line between paragraphs and regions, words that a
// hyphen had parted in one piece again.
type pdfText struct {
	pages []pdfPageText
}

type pdfPageText struct {
	number  int
	regions []region
}

func (t *pdfText) addPage(number int, fragments []fragment) {
	t.pages = append(t.pages, pdfPageText{number, readingOrder(fragments)})
}

func (t *pdfText) document(title string) *Document {
	w := pdfWriter{body: t.bodySize(), compounds: t.compounds()}
	w.levels = t.headingLevels(w.body)
	var pages []Page
	for _, p := range t.pages {
		w.flushHyphen()
		start := w.text.Len()
		for _, r := range p.regions {
			w.region(r)
		}
		text := w.text.String()[start:] // begins with what parts it from the page before
		start += len(text) - len(strings.TrimLeft(text, "\n"))
		pages = append(pages, Page{Number: p.number, Start: start, End: w.text.Len()})
	}
	w.endHeading()
	if w.text.Len() > 0 {
		w.text.WriteByte('\n')
	}
	doc := newDocument(PDF, w.text.String())
	doc.Title, doc.Pages, doc.Headings = title, pages, w.headings
	doc.Places.Unit = NoUnit
	return doc
}

// rows calls f for each row of all pages.
func (t *pdfText) rows(f func(pdfRow)) {
	for _, p := range t.pages {
		for _, r := range p.regions {
			for _, row := range r {
				f(row)
			}
		}
	}
}

// halfPoints rounds a font size, so that sizes can be compared.
func halfPoints(size float64) int { return int(math.Round(2 * size)) }

// bodySize is the size in which most of the text is set.
func (t *pdfText) bodySize() int {
	runes := map[int]int{}
	t.rows(func(r pdfRow) { runes[halfPoints(r.size())] += len(r.text()) })
	body := 0
	for size, n := range runes {
		if n > runes[body] || n == runes[body] && size < body {
			body = size
		}
	}
	return body
}

// headingLevels ranks the sizes clearly larger than the body's, the largest
// first. The fourth and smaller share a level.
func (t *pdfText) headingLevels(body int) map[int]int {
	var sizes []int
	t.rows(func(r pdfRow) {
		if s := halfPoints(r.size()); isHeadingRow(r, body) && !slices.Contains(sizes, s) {
			sizes = append(sizes, s)
		}
	})
	slices.Sort(sizes)
	slices.Reverse(sizes)
	levels := map[int]int{}
	for i, s := range sizes {
		levels[s] = min(i+1, 4)
	}
	return levels
}

// isHeadingRow tells a row that is set 15 % larger than the body, upright,
// short, of words, and no table's.
func isHeadingRow(r pdfRow, body int) bool {
	text := r.text()
	if !r[0].upright || strings.Count(text, "\t") > 1 {
		return false
	}
	letters := 0
	for _, c := range text {
		if unicode.IsLetter(c) {
			letters++
		}
	}
	return float64(halfPoints(r.size())) >= 1.15*float64(body) && len(text) <= 150 && letters >= 3
}

// compounds are the words with a hyphen inside a line. A line that ends in a
// hyphen may part such a word, which then keeps it.
func (t *pdfText) compounds() map[string]bool {
	words := map[string]bool{}
	t.rows(func(r pdfRow) {
		for _, word := range strings.Fields(r.text()) {
			word = strings.ToLower(strings.TrimFunc(word, func(c rune) bool { return !unicode.IsLetter(c) }))
			if strings.Contains(word, "-") {
				words[word] = true
			}
		}
	})
	return words
}

// A pdfWriter writes regions.
type pdfWriter struct {
	text      strings.Builder
	headings  []Heading
	body      int         // size of the body in half points
	levels    map[int]int // of headings, by size in half points
	compounds map[string]bool

	pending     Heading // being written: large rows in succession are one heading
	pendingSize int
	pendingRows int

	hyphen bool   // the last row ended in a hyphen that is not written yet
	tail   string // the last row without it
}

// maxHeadingRows is how many rows a heading may have. More are large print.
const maxHeadingRows = 3

// region writes rows, with a blank line where the distance from one to the
// next is larger than usual.
func (w *pdfWriter) region(r region) {
	pitch := linePitch(r)
	for i, row := range r {
		text := row.text()
		switch {
		case w.hyphen && w.joins(text):
		case i == 0 && w.goesOn(text):
			w.lineBreak("\n")
		case i == 0:
			w.blankLine()
		case w.apart(r[i-1], row, pitch):
			w.blankLine()
		default:
			w.lineBreak("\n")
		}
		w.row(row, text)
	}
}

// apart tells whether two rows belong to different paragraphs, given the usual
// distance of rows.
func (w *pdfWriter) apart(above, below pdfRow, pitch float64) bool {
	step := below[0].middle() - above[0].middle()
	if heading := w.isHeading(below); heading != w.isHeading(above) {
		return true
	} else if heading {
		return halfPoints(above.size()) != halfPoints(below.size()) || step > 1.6*below.size()
	}
	return step > 1.4*pitch
}

// row writes one row at the place reached.
func (w *pdfWriter) row(row pdfRow, text string) {
	if w.isHeading(row) {
		w.heading(row, text)
	} else {
		w.endHeading()
	}
	w.tail, w.hyphen = cutHyphen(text)
	w.hyphen = w.hyphen || row.hyphen()
	w.text.WriteString(w.tail)
}

// cutHyphen takes off the hyphen at the end of a row that ends in a word, if
// PDFium has not seen that it parts one.
func cutHyphen(text string) (string, bool) {
	for _, hyphen := range []string{"-", "\u00AD", "\u2010"} {
		before, ok := strings.CutSuffix(text, hyphen)
		if last, _ := utf8.DecodeLastRuneInString(before); ok && unicode.IsLetter(last) {
			return before, true
		}
	}
	return text, false
}

func (w *pdfWriter) isHeading(row pdfRow) bool {
	return w.levels[halfPoints(row.size())] > 0 && isHeadingRow(row, w.body)
}

// heading begins or continues a heading.
func (w *pdfWriter) heading(row pdfRow, text string) {
	size := halfPoints(row.size())
	if w.pending.Level > 0 && size == w.pendingSize && !strings.HasSuffix(w.text.String(), "\n\n") {
		w.pending.Text += " " + text
		w.pendingRows++
		return
	}
	w.endHeading()
	w.pending = Heading{Level: w.levels[size], Start: w.text.Len(), Text: text}
	w.pendingSize, w.pendingRows = size, 1
}

func (w *pdfWriter) endHeading() {
	if w.pending.Level > 0 && w.pendingRows <= maxHeadingRows {
		w.pending.Text = strings.Join(strings.Fields(w.pending.Text), " ")
		w.headings = append(w.headings, w.pending)
	}
	w.pending = Heading{}
}

// joins decides what becomes of the hyphen at the end of the last row: if the
// next one goes on in lower case it parted a word and goes, unless the word is
// written with it elsewhere. It reports whether the rows are one line now.
func (w *pdfWriter) joins(next string) bool {
	w.hyphen = false
	first, _ := utf8.DecodeRuneInString(next)
	left := w.tail[strings.LastIndexAny(w.tail, " \t")+1:]
	right, _, _ := strings.Cut(next, " ")
	word := strings.ToLower(strings.TrimFunc(left+"-"+right, func(c rune) bool { return !unicode.IsLetter(c) }))
	if !unicode.IsLower(first) || w.compounds[word] {
		w.text.WriteByte('-')
		return unicode.IsLetter(first)
	}
	return true
}

// goesOn tells whether the first row of a column or page goes on with the
// sentence that the last one left open.
func (w *pdfWriter) goesOn(next string) bool {
	first, _ := utf8.DecodeRuneInString(next)
	last, _ := utf8.DecodeLastRuneInString(w.tail)
	return unicode.IsLower(first) && (unicode.IsLower(last) || last == ',') && w.pending.Level == 0
}

func (w *pdfWriter) lineBreak(s string) {
	w.flushHyphen()
	w.text.WriteString(s)
}

// flushHyphen writes a hyphen that stays.
func (w *pdfWriter) flushHyphen() {
	if w.hyphen {
		w.text.WriteByte('-')
		w.hyphen = false
	}
}

// blankLine parts what follows from what is there.
func (w *pdfWriter) blankLine() {
	w.endHeading()
	if w.text.Len() > 0 && !strings.HasSuffix(w.text.String(), "\n\n") {
		w.lineBreak("\n\n")
	}
}

// linePitch is the usual distance between rows of a region.
func linePitch(r region) float64 {
	var steps []float64
	for i := 1; i < len(r); i++ {
		steps = append(steps, r[i][0].middle()-r[i-1][0].middle())
	}
	if len(steps) == 0 {
		return math.Inf(1)
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}
