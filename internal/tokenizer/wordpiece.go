package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// wordPiece is BERT's model: normalise, split at white space and punctuation,
// then take each word apart by the longest known piece.
type wordPiece struct {
	normalizer bertNormalizer
	starts     map[string]int32 // pieces that start a word
	continues  map[string]int32 // pieces inside a word, without their "##"
	longest    int              // bytes of the longest piece
	maxRunes   int              // a longer word is unknown
	unknown    int32            // none: such words are dropped
	cleanup    bool             // Decode puts no space before . ? ! and ,
}

// add enters a piece into the vocabulary; the last of equal ones stays.
func (w *wordPiece) add(text string, id int32, continues bool) {
	if w.starts == nil {
		w.starts, w.continues = map[string]int32{}, map[string]int32{}
	}
	if continues {
		w.continues[text] = id
	} else {
		w.starts[text] = id
	}
	w.longest = max(w.longest, len(text))
}

// word is the word being collected: its normalised text and, for each byte of
// it, the bytes of the original that its character came from.
type word struct {
	text  []byte
	from  []source
	runes int
}

func (w *word) reset() {
	w.text, w.from, w.runes = w.text[:0], w.from[:0], 0
}

func (w *word) append(r rune, src source) {
	at := len(w.text)
	w.text = utf8.AppendRune(w.text, r)
	for range len(w.text) - at {
		w.from = append(w.from, src)
	}
	w.runes++
}

// encode is for BERT's own normaliser and pre-tokeniser, in one pass.
func (w *wordPiece) encode(s *scratch, a aligned) {
	s.word.reset()
	w.normalizer.each(a.text, func(r rune, start, end int) {
		src := a.source(start, end)
		switch kind := bertKind(r); {
		case kind == bertSpace:
			w.flush(s)
		case kind == bertPunctuation:
			w.flush(s)
			s.word.append(r, src)
			w.flush(s)
		case s.word.runes > w.maxRunes: // unknown already: only its end grows
			s.word.from[len(s.word.from)-1].end = src.end
		default:
			s.word.append(r, src)
		}
	})
	w.flush(s)
}

// word encodes a word of some other pre-tokeniser.
func (w *wordPiece) word(s *scratch, a aligned) {
	s.word.reset()
	for i, r := range a.text {
		n := max(utf8.RuneLen(r), 1)
		if r == utf8.RuneError {
			_, n = utf8.DecodeRuneInString(a.text[i:])
		}
		s.word.append(r, a.source(i, i+n))
	}
	w.flush(s)
}

// flush encodes the collected word and starts the next one.
func (w *wordPiece) flush(s *scratch) {
	defer s.word.reset()
	text, from := s.word.text, s.word.from
	if len(text) == 0 {
		return
	}
	whole := len(s.pieces)
	known := s.word.runes <= w.maxRunes
	pieces := w.starts
	for at := 0; known && at < len(text); pieces = w.continues {
		id, end := w.longestPiece(pieces, text, at)
		if known = end > at; known {
			s.pieces = append(s.pieces, Piece{id, from[at].start, from[end-1].end})
			at = end
		}
	}
	if known {
		return
	}
	s.pieces = s.pieces[:whole]
	if w.unknown != none {
		s.pieces = append(s.pieces, Piece{w.unknown, from[0].start, from[len(from)-1].end})
	}
}

// longestPiece finds the longest of pieces that text[at:] starts with; end is
// at where there is none.
func (w *wordPiece) longestPiece(pieces map[string]int32, text []byte, at int) (id int32, end int) {
	for end = min(len(text), at+w.longest); end > at; end-- {
		if end < len(text) && !utf8.RuneStart(text[end]) {
			continue
		}
		if id, ok := pieces[string(text[at:end])]; ok {
			return id, end
		}
	}
	return none, at
}

// join is Decode for WordPiece: words stand apart, pieces of one word do not.
func (w *wordPiece) join(t *Tokenizer, ids []int32) string {
	var out strings.Builder
	for _, id := range ids {
		if !t.valid(id) || t.tokens[id].control {
			continue
		}
		text := t.tokens[id].text
		c, ok := w.continues[text]
		glued := ok && c == id || w.cleanup && strings.Contains(".?!,", text)
		if out.Len() > 0 && !glued {
			out.WriteByte(' ')
		}
		out.WriteString(text)
	}
	return out.String()
}
