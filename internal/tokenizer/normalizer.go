package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizer changes a text before it is cut into words. It returns the text
// itself where nothing is to be done, which is the usual case.
type normalizer interface {
	normalize(a aligned) aligned
}

// normalizers apply one after the other.
type normalizers []normalizer

func (n normalizers) normalize(a aligned) aligned {
	for _, step := range n {
		if a.text == "" {
			// Only a prefix could be put before nothing, and none is: Hugging
			// Face's Prepend leaves an empty text alone too.
			return a
		}
		a = step.normalize(a)
	}
	return a
}

// unicodeForm is NFC, NFD, NFKC or NFKD. Beyond 30 combining marks in a row it
// puts a joiner in, as the Stream-Safe Text Format of UAX 15 has it.
type unicodeForm norm.Form

func (f unicodeForm) normalize(a aligned) aligned {
	form := norm.Form(f)
	if form.IsNormalString(a.text) {
		return a
	}
	w := rewrite(a)
	var it norm.Iter
	it.InitString(form, a.text)
	for !it.Done() {
		start := it.Pos()
		segment := string(it.Next())
		w.replace(start, it.Pos(), segment)
	}
	return w.done()
}

// mapRunes rewrites a text character by character. change returns the new text
// of a character, and false where it stays.
func mapRunes(a aligned, change func(r rune) (string, bool)) aligned {
	var w *rewriter
	kept := 0
	for i := 0; i < len(a.text); {
		r, n := utf8.DecodeRuneInString(a.text[i:])
		if text, ok := change(r); ok && (r != utf8.RuneError || n > 1) {
			if w == nil {
				w = rewrite(a)
			}
			w.keep(kept, i)
			w.replace(i, i+n, text)
			kept = i + n
		}
		i += n
	}
	if w == nil {
		return a
	}
	w.keep(kept, len(a.text))
	return w.done()
}

// lowercase maps each character by itself: no final sigma.
type lowercase struct{}

func (lowercase) normalize(a aligned) aligned {
	return mapRunes(a, func(r rune) (string, bool) {
		if r == 'İ' {
			return "i\u0307", true
		}
		lower := unicode.ToLower(r)
		return string(lower), lower != r
	})
}

// stripAccents drops all combining marks.
type stripAccents struct{}

func (stripAccents) normalize(a aligned) aligned {
	return mapRunes(a, func(r rune) (string, bool) { return "", unicode.IsMark(r) })
}

// nmt cleans control characters and odd spaces as SentencePiece's "nmt" rules
// do.
type nmt struct{}

func (nmt) normalize(a aligned) aligned {
	return mapRunes(a, func(r rune) (string, bool) {
		switch {
		case 1 <= r && r <= 8, r == 0xb, 0xe <= r && r <= 0x1f, r == 0x7f, r == 0x8f, r == 0x9f:
			return "", true
		case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, 0x200b <= r && r <= 0x200f,
			r == 0x2028, r == 0x2029, r == 0x2581, r == 0xfeff, r == utf8.RuneError:
			return " ", true
		}
		return "", false
	})
}

// prepend puts a text before another.
type prepend string

func (p prepend) normalize(a aligned) aligned {
	if a.text == "" {
		return a
	}
	w := rewrite(a)
	w.replace(0, 0, string(p))
	w.keep(0, len(a.text))
	return w.done()
}

// replace puts content in the place of every match.
type replace struct {
	find    finder
	content string
}

func (r replace) normalize(a aligned) aligned {
	start, end := r.find(a.text, 0)
	if start == end {
		return a
	}
	w := rewrite(a)
	kept := 0
	for start < end {
		w.keep(kept, start)
		w.replace(start, end, r.content)
		kept = end
		start, end = r.find(a.text, kept)
	}
	w.keep(kept, len(a.text))
	return w.done()
}

// strip drops the white space at the ends.
type strip struct{ left, right bool }

func (s strip) normalize(a aligned) aligned {
	i, j := 0, len(a.text)
	if s.left {
		i = run(a.text, space)
	}
	if s.right {
		j = i + len(strings.TrimRightFunc(a.text[i:], unicode.IsSpace))
	}
	return a.part(i, j)
}

// bertText is BERT's cleaning as one of several steps.
type bertText struct{ bertNormalizer }

func (n bertText) normalize(a aligned) aligned {
	w := rewrite(a)
	n.each(a.text, func(r rune, start, end int) { w.replace(start, end, string(r)) })
	return w.done()
}
