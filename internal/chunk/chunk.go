package chunk

import (
	"strings"

	"github.com/ragstone/ragstone/internal/document"
)

// A Span is a half-open range of bytes.
type Span struct{ Start, End int }

// A Passage is a part of a document small enough to be embedded.
type Passage struct {
	Start, End int      // bytes of the document's text, without blanks at either end
	Headings   []string // of the section its first text below headings stands in, outermost first
	Page       int      // it begins on, 0 where the document has no pages
	Line       int      // it begins on, from 1
}

// Options say how large passages may be. MaxTokens and Count must be given.
type Options struct {
	// MaxTokens bounds Count(passage). Only a single character that alone is
	// longer may exceed it.
	MaxTokens int

	// Overlap is how many tokens of whole sentences a passage may repeat from
	// the end of the one before it in the same section. 0 is none, more than
	// half of MaxTokens is that half. MaxTokens includes it.
	Overlap int

	// Count is the number of tokens of a text, as the embedding model counts.
	// Tokens added to every text are included or not, as the caller likes.
	Count func(text string) int
}

// bytesPerToken is what a token holds at most when lengths are added up.
// WordPiece makes one unknown token of a word of any length: without this a
// megabyte of Base64 would be one token.
const bytesPerToken = 16

// Split cuts a document into passages, in order. It panics without MaxTokens
// or Count.
func Split(doc *document.Document, o Options) []Passage {
	if o.MaxTokens <= 0 || o.Count == nil {
		panic("chunk.Split: MaxTokens and Count must be given")
	}
	s := splitter{
		text:    doc.Text,
		max:     o.MaxTokens,
		overlap: min(max(o.Overlap, 0), o.MaxTokens/2),
		count:   o.Count,
		base:    o.Count(""),
	}
	s.cutPieces(doc)
	s.split(0, len(s.pieces))
	s.joinScraps()
	passages := make([]Passage, 0, len(s.runs))
	for i := range s.runs {
		span := s.withOverlap(i)
		passages = append(passages, Passage{
			Start:    span.Start,
			End:      span.End,
			Headings: doc.HeadingPath(s.bodyStart(i, span)),
			Page:     doc.PageAt(span.Start),
			Line:     doc.LineAt(span.Start),
		})
	}
	return passages
}

// A run is a range of pieces that became a passage.
type run struct{ from, to int }

// A splitter cuts one document.
type splitter struct {
	text    string
	max     int
	overlap int
	count   func(string) int
	base    int // tokens that count adds to every text
	pieces  []piece
	runs    []run
}

// budget is how many tokens a run may have before its overlap.
func (s *splitter) budget() int { return max(1, s.max-s.base-s.overlap) }

// tokens estimates the tokens of a run: a sum of its pieces.
func (s *splitter) tokens(from, to int) int {
	sum := 0
	for _, p := range s.pieces[from:to] {
		sum += p.tokens
	}
	return sum
}

// span is the bytes of a run without the blanks around it.
func (s *splitter) span(from, to int) Span {
	return trim(s.text, Span{s.pieces[from].Start, s.pieces[to-1].End})
}

// split makes passages of a run of pieces.
func (s *splitter) split(from, to int) {
	for from < to && s.blank(from) {
		from++
	}
	if from == to {
		return
	}
	strongest := s.strongest(from, to)
	// Sections stay apart even where they would fit together.
	if total := s.tokens(from, to); to-from == 1 || total <= s.budget() && !s.holdsSections(from, to, strongest) {
		s.finish(from, to, total)
		return
	}
	s.join(s.parts(from, to, strongest), strongest)
}

// finish makes one passage of a run, if the run as a whole fits as the sum of
// its pieces promised.
func (s *splitter) finish(from, to, total int) {
	span := s.span(from, to)
	if span.Start == span.End {
		return
	}
	if to-from > 1 && !s.fits(run{from, to}) {
		s.halve(from, to, total)
		return
	}
	s.runs = append(s.runs, run{from, to})
}

// halve cuts a run about its middle, at the strongest boundary near it.
func (s *splitter) halve(from, to, total int) {
	best, sum := from+1, 0
	for i := from + 1; i < to; i++ {
		sum += s.pieces[i-1].tokens
		inMiddle := 4*sum >= total && 4*sum <= 3*total
		if inMiddle && (s.pieces[i].rank < s.pieces[best].rank || best == from+1) || 4*sum < total {
			best = i
		}
	}
	s.finish(from, best, s.tokens(from, best))
	s.finish(best, to, s.tokens(best, to))
}

// strongest is the rank of the strongest boundary inside a run.
func (s *splitter) strongest(from, to int) rank {
	strongest := weakest
	for _, p := range s.pieces[from+1 : to] {
		strongest = min(strongest, p.rank)
	}
	return strongest
}

// holdsSections tells whether a run must be cut at its headings although it
// fits: some heading inside it comes after body text.
func (s *splitter) holdsSections(from, to int, strongest rank) bool {
	if !strongest.isHeading() {
		return false
	}
	body := false
	for _, p := range s.pieces[from:to] {
		if p.rank.isHeading() && body {
			return true
		}
		body = body || !p.heading
	}
	return false
}

// parts cuts a run at all boundaries of a rank.
func (s *splitter) parts(from, to int, at rank) []run {
	var parts []run
	start := from
	for i := from + 1; i < to; i++ {
		if s.pieces[i].rank == at {
			parts = append(parts, run{start, i})
			start = i
		}
	}
	return append(parts, run{start, to})
}

// join puts neighbouring parts together where they fit, aiming at passages of
// equal length rather than full ones and a rest, and splits those too long.
func (s *splitter) join(parts []run, at rank) {
	rest := s.tokens(parts[0].from, parts[len(parts)-1].to) // from open on
	open, length := parts[0], s.tokens(parts[0].from, parts[0].to)
	for _, next := range parts[1:] {
		n := s.tokens(next.from, next.to)
		fits := length+n <= s.budget()
		if at.isHeading() {
			fits = s.onlyHeadings(open)
		} else if passages := (rest + s.budget() - 1) / s.budget(); fits && (length+n/2)*passages > rest {
			fits = false // closer to equal lengths without it
		}
		if fits {
			open.to = next.to
			length += n
			continue
		}
		s.split(open.from, open.to)
		rest -= length
		open, length = next, n
	}
	if open.from == parts[0].from && at.isHeading() {
		// Headings and one section: cutting at this rank again would not end.
		s.splitBelow(open, at)
		return
	}
	s.split(open.from, open.to)
}

// splitBelow splits a run whose boundaries of a rank are all to be kept.
func (s *splitter) splitBelow(r run, kept rank) {
	for i := r.from + 1; i < r.to; i++ {
		if s.pieces[i].rank == kept {
			s.pieces[i].rank = rankSentence
		}
	}
	s.split(r.from, r.to)
}

// joinScraps puts passages of a few tokens, left beside parts that had to be
// cut, with a neighbour in the same section.
func (s *splitter) joinScraps() {
	kept := s.runs[:0]
	for _, next := range s.runs {
		if n := len(kept); n > 0 && !s.pieces[next.from].rank.isHeading() {
			last := kept[n-1]
			a, b := s.tokens(last.from, last.to), s.tokens(next.from, next.to)
			if min(a, b) <= s.budget()/8 && a+b <= s.budget() && s.fits(run{last.from, next.to}) {
				kept[n-1].to = next.to
				continue
			}
		}
		kept = append(kept, next)
	}
	s.runs = kept
}

// bodyStart is where passage i begins with something other than headings: a
// passage that opens with the document's title, a section's heading and its
// text belongs to that section.
func (s *splitter) bodyStart(i int, span Span) int {
	r := s.runs[i]
	if !s.pieces[r.from].heading {
		return span.Start
	}
	for _, p := range s.pieces[r.from:r.to] {
		if !p.heading && !s.isBlank(p.Span) {
			return trim(s.text, p.Span).Start
		}
	}
	return s.pieces[r.to-1].Start
}

// fits counts a run as a whole.
func (s *splitter) fits(r run) bool {
	span := s.span(r.from, r.to)
	return s.count(s.text[span.Start:span.End]) <= max(1, s.max-s.overlap)
}

// onlyHeadings tells whether a run has no body.
func (s *splitter) onlyHeadings(r run) bool {
	for _, p := range s.pieces[r.from:r.to] {
		if !p.heading && !s.isBlank(p.Span) {
			return false
		}
	}
	return true
}

func (s *splitter) blank(i int) bool { return s.isBlank(s.pieces[i].Span) }

func (s *splitter) isBlank(span Span) bool {
	return strings.TrimSpace(s.text[span.Start:span.End]) == ""
}

// withOverlap returns the span of passage i, begun earlier by as many whole
// pieces of the passage before it as the overlap allows.
func (s *splitter) withOverlap(i int) Span {
	r := s.runs[i]
	span := s.span(r.from, r.to)
	if s.overlap == 0 || i == 0 {
		return span
	}
	sum := 0
	for from := r.from; from-1 > s.runs[i-1].from && !s.pieces[from].rank.isHeading(); from-- {
		previous := s.pieces[from-1]
		if sum += previous.tokens; sum > s.overlap || previous.heading {
			break
		}
		wider := s.span(from-1, r.to)
		if s.count(s.text[wider.Start:wider.End]) > s.max {
			break
		}
		span = wider
	}
	return span
}
