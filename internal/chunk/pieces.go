package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"

	"github.com/ragstone/ragstone/internal/document"
)

// A rank says how strongly a boundary parts what is on either side of it. Less
// is stronger; 1 to 9 are headings of that level.
type rank int

const (
	rankBlock    rank = 10 + iota // a blank line; in code, before an unindented line
	rankGap                       // in code, any other blank line
	rankItem                      // a list item, a row, in code an unindented line
	rankSentence                  // the next sentence; in code, the next line
	rankClause                    // inside a sentence, after a stop, colon or semicolon
	rankWord                      // inside a sentence, after blanks
	rankRune                      // inside a word
	weakest
)

func (r rank) isHeading() bool { return r < rankBlock }

// A piece is a part of the text that is not cut while it fits. Pieces tile the
// text: each ends where the next begins, blanks included.
type piece struct {
	Span
	rank    rank // of the boundary before it
	tokens  int
	heading bool // it is a heading or a part of one
}

// cutPieces tiles the document.
func (s *splitter) cutPieces(doc *document.Document) {
	if doc.Format == document.Code || doc.Format == document.Data {
		s.codePieces()
	} else {
		s.prosePieces(doc)
	}
	s.cutLongPieces()
}

// prosePieces makes a piece of each sentence.
func (s *splitter) prosePieces(doc *document.Document) {
	headings := doc.Headings
	afterHeading := false
	for _, u := range blocks(s.text) {
		unit := piece{Span: u.Span, rank: rankItem}
		if u.apart {
			unit.rank = rankBlock
		}
		if afterHeading {
			unit.rank = rankSentence
		}
		// A heading inside a block, as in a PDF without blank lines, begins a
		// piece too.
		start := u.Start
		for len(headings) > 0 && headings[0].Start < u.End {
			h := headings[0]
			headings = headings[1:]
			if h.Start > start {
				s.sentencePieces(u, Span{start, h.Start}, unit)
				start = h.Start
			}
			unit.rank, unit.heading = rank(min(max(h.Level, 1), 9)), true
			if end := headingEnd(s.text[:u.End], h); end < u.End {
				s.sentencePieces(u, Span{start, end}, unit)
				start = end
				unit.rank, unit.heading = rankSentence, false
			}
		}
		s.sentencePieces(u, Span{start, u.End}, unit)
		afterHeading = unit.heading
	}
}

// headingEnd is where a heading ends in a block: after its line, or at the end
// of the block if what is left is its underline or its further lines.
func headingEnd(text string, h document.Heading) int {
	end := lineEnd(text, h.Start)
	rest := strings.TrimSpace(text[end:])
	if isUnderline(rest) || len(rest) <= len(h.Text) && strings.HasSuffix(h.Text, strings.Join(strings.Fields(rest), " ")) {
		return len(text)
	}
	return end
}

// lineEnd is the start of the line after the one at start.
func lineEnd(text string, start int) int {
	if i := strings.IndexByte(text[start:], '\n'); i >= 0 {
		return start + i + 1
	}
	return len(text)
}

// sentencePieces adds the part of a block within span; first says what its
// first piece is.
func (s *splitter) sentencePieces(b block, span Span, first piece) {
	if span.Start == span.End {
		return
	}
	starts := []int{span.Start}
	if b.kind == prose && !first.heading {
		body := Span{max(b.body, span.Start), span.End}
		if body.Start < body.End {
			for _, sentence := range sentencesOf(s.text, body)[1:] {
				starts = append(starts, sentence.Start)
			}
		}
	}
	for i, start := range starts {
		end := span.End
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		p := piece{Span: Span{start, end}, rank: rankSentence, heading: first.heading}
		if i == 0 {
			p.rank = first.rank
		}
		s.add(p)
	}
}

// codePieces makes a piece of each line.
func (s *splitter) codePieces() {
	gap := false // blank lines went before
	for start := 0; start < len(s.text); {
		end := lineEnd(s.text, start)
		line := s.text[start:end]
		if strings.TrimSpace(line) == "" {
			gap = true
		} else {
			s.add(piece{Span: Span{start, end}, rank: codeRank(line, gap)})
			gap = false
		}
		start = end
	}
	s.tile()
}

// codeRank is the rank of the boundary before a line of code.
func codeRank(line string, gap bool) rank {
	first, _ := utf8.DecodeRuneInString(line)
	outermost := !unicode.IsSpace(first) && strings.IndexByte("})]", line[0]) < 0
	switch {
	case gap && outermost:
		return rankBlock
	case gap:
		return rankGap
	case outermost:
		return rankItem
	}
	return rankSentence
}

// tile lets each piece reach to the next.
func (s *splitter) tile() {
	for i := range s.pieces {
		if i+1 < len(s.pieces) {
			s.pieces[i].End = s.pieces[i+1].Start
		} else {
			s.pieces[i].End = len(s.text)
		}
	}
}

// add counts a piece and keeps it.
func (s *splitter) add(p piece) {
	p.tokens = s.length(p.Span)
	s.pieces = append(s.pieces, p)
}

// length is the number of tokens of a span, without those added to every text.
func (s *splitter) length(span Span) int {
	span = trim(s.text, span)
	if span.Start == span.End {
		return 0
	}
	n := s.count(s.text[span.Start:span.End]) - s.base
	return max(n, 1, (span.End-span.Start)/bytesPerToken)
}

// cutLongPieces replaces pieces that are too long by words.
func (s *splitter) cutLongPieces() {
	long := false
	for _, p := range s.pieces {
		long = long || p.tokens > s.budget()
	}
	if !long {
		return
	}
	whole := s.pieces
	s.pieces = make([]piece, 0, 2*len(whole))
	for _, p := range whole {
		if p.tokens <= s.budget() {
			s.pieces = append(s.pieces, p)
		} else {
			s.wordPieces(p)
		}
	}
}

// wordPieces cuts a piece into the words of Unicode Standard Annex 29, blanks
// with the word before them.
func (s *splitter) wordPieces(p piece) {
	text := s.text[p.Start:p.End]
	next := p
	spaced := false
	tokens := words.FromString(text)
	for tokens.Next() {
		word := tokens.Value()
		if strings.TrimSpace(word) == "" {
			spaced = true
			continue
		}
		start := p.Start + tokens.Start()
		if tokens.Start() == 0 {
			spaced = false
			continue
		}
		next.End = start
		s.addWord(next)
		next = piece{Span: Span{start, p.End}, rank: rankRune, heading: p.heading}
		if spaced {
			next.rank = rankWord
			if endsClause(s.text[p.Start:start]) {
				next.rank = rankClause
			}
		}
		spaced = false
	}
	s.addWord(next)
}

// endsClause tells text after which a sentence is best cut. In text without
// capitals, Annex 29 leaves whole paragraphs as one sentence.
func endsClause(text string) bool {
	text = strings.TrimRight(text, " \t\r\n")
	return text != "" && strings.IndexByte(".!?;:", text[len(text)-1]) >= 0
}

// addWord adds a word, in halves while it is too long.
func (s *splitter) addWord(p piece) {
	p.tokens = s.length(p.Span)
	middle := runeStart(s.text, (p.Start+p.End)/2)
	if middle <= p.Start {
		middle = p.Start + runeLen(s.text[p.Start:])
	}
	if p.tokens <= s.budget() || middle >= p.End {
		s.pieces = append(s.pieces, p)
		return
	}
	left, right := p, p
	left.End, right.Start = middle, middle
	right.rank = rankRune
	s.addWord(left)
	s.addWord(right)
}

// runeStart is the last start of a character at or before i.
func runeStart(text string, i int) int {
	for i > 0 && i < len(text) && !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}

func runeLen(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	return n
}

// trim drops the blanks at both ends of a span. Of a blank one nothing is
// left.
func trim(text string, s Span) Span {
	part := text[s.Start:s.End]
	left := strings.TrimLeftFunc(part, unicode.IsSpace)
	start := s.End - len(left)
	return Span{start, start + len(strings.TrimRightFunc(left, unicode.IsSpace))}
}
