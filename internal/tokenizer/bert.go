package tokenizer

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// bertNormalizer is the text cleaning of BERT, its steps in this order.
type bertNormalizer struct {
	clean   bool // drop control characters, make all white space a space
	cjk     bool // CJK ideographs become words of their own
	accents bool // decompose and drop the marks
	lower   bool
}

// each calls emit with every normalised character and the bytes of the
// original character that it came from.
func (n bertNormalizer) each(text string, emit func(r rune, start, end int)) {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if r, ok := n.ascii(rune(c)); ok {
				emit(r, i, i+1)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		n.rune(r, text[i:i+size], func(r rune) { emit(r, i, i+size) })
		i += size
	}
}

func (n bertNormalizer) ascii(r rune) (rune, bool) {
	switch {
	case 'A' <= r && r <= 'Z':
		if n.lower {
			r += 'a' - 'A'
		}
	case n.clean && (r == '\t' || r == '\n' || r == '\r'):
		return ' ', true
	case n.clean && (r < ' ' || r == 0x7f): // so are \v and \f
		return 0, false
	}
	return r, true
}

// rune normalises one character beyond ASCII, whose encoding is text.
func (n bertNormalizer) rune(r rune, text string, emit func(rune)) {
	switch {
	case n.clean && (r == utf8.RuneError || isBertControl(r)):
		return
	case n.clean && unicode.IsSpace(r):
		emit(' ')
		return
	case n.cjk && isIdeograph(r):
		emit(' ')
		defer emit(' ')
	}
	if !n.accents {
		n.lowered(r, emit)
		return
	}
	var buf [64]byte
	for _, d := range string(norm.NFD.AppendString(buf[:0], text)) {
		if !unicode.Is(unicode.Mn, d) {
			n.lowered(d, emit)
		}
	}
}

// lowered emits the lower case of a character, which is two characters for
// the dotted capital I.
func (n bertNormalizer) lowered(r rune, emit func(rune)) {
	switch {
	case !n.lower:
		emit(r)
	case r == 'İ':
		emit('i')
		emit('\u0307')
	default:
		emit(unicode.ToLower(r))
	}
}

// isBertControl is the general category "other" without what is unassigned:
// controls, formats, surrogates, private use. Hugging Face's tables are those
// of Unicode 8, ours newer: they differ on some 560 rare characters.
func isBertControl(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

// isIdeograph is the reach of CJK ideographs in BERT's own code, which leaves
// out kana and hangul: those languages write spaces or are split by piece.
func isIdeograph(r rune) bool {
	return 0x4e00 <= r && r <= 0x9fff ||
		0x3400 <= r && r <= 0x4dbf ||
		0x20000 <= r && r <= 0x2a6df ||
		0x2a700 <= r && r <= 0x2b73f ||
		0x2b740 <= r && r <= 0x2b81f ||
		0x2b920 <= r && r <= 0x2ceaf ||
		0xf900 <= r && r <= 0xfaff ||
		0x2f800 <= r && r <= 0x2fa1f
}

// How BERT's pre-tokeniser sees a normalised character.
const (
	bertLetter = iota
	bertSpace
	bertPunctuation
)

func bertKind(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		c := asciiClasses[r]
		if c&space != 0 {
			return bertSpace
		}
		if c&(punct|symbol) != 0 {
			return bertPunctuation
		}
		return bertLetter
	case classOf(r)&space != 0:
		return bertSpace
	case classOf(r)&punct != 0:
		return bertPunctuation
	}
	return bertLetter
}
