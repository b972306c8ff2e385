package chat

import (
	"strings"
	"unicode/utf8"

	"github.com/ragstone/ragstone/internal/tokenizer"
)

// text is a string that knows which of its bytes came from outside the
// template.
type text struct {
	s     string
	given []tokenizer.Span // in order, apart, none empty

	// markup is what the filters safe and escape make: a string that escapes
	// for HTML whatever is added to it with +.
	markup bool
}

// literal is text that the template wrote.
func literal(s string) text { return text{s: s} }

// outside is text that the conversation brought.
func outside(s string) text {
	if s == "" {
		return text{}
	}
	return text{s: s, given: []tokenizer.Span{{Start: 0, End: len(s)}}}
}

// derived is a string computed from others in a way that does not tell which
// byte came from where: it is from outside if any part of them was.
func derived(s string, from ...text) text {
	for _, f := range from {
		if len(f.given) > 0 {
			return outside(s)
		}
	}
	return literal(s)
}

// slice returns the bytes from i to j.
func (t text) slice(i, j int) text {
	out := text{s: t.s[i:j], markup: t.markup}
	for _, g := range t.given {
		start, end := max(g.Start, i), min(g.End, j)
		if start < end {
			out.given = append(out.given, tokenizer.Span{Start: start - i, End: end - i})
		}
	}
	return out
}

// concat joins texts.
func concat(parts ...text) text {
	var b textBuilder
	for _, p := range parts {
		b.add(p)
	}
	return b.text()
}

// plus is +: where one side is markup, the other is escaped.
func (t text) plus(u text) text {
	if !t.markup && !u.markup {
		return concat(t, u)
	}
	out := concat(t.escaped(), u.escaped())
	out.markup = true
	return out
}

// escaped is the text with the signs of HTML escaped, unless it is markup.
func (t text) escaped() text {
	if t.markup {
		return t
	}
	out := derived(htmlEscaper.Replace(t.s), t)
	out.markup = true
	return out
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// textBuilder collects texts.
type textBuilder struct {
	b     strings.Builder
	given []tokenizer.Span
}

func (b *textBuilder) add(t text) {
	at := b.b.Len()
	b.b.WriteString(t.s)
	for _, g := range t.given {
		g.Start += at
		g.End += at
		if n := len(b.given); n > 0 && b.given[n-1].End == g.Start {
			b.given[n-1].End = g.End
			continue
		}
		b.given = append(b.given, g)
	}
}

func (b *textBuilder) text() text { return text{s: b.b.String(), given: b.given} }

// length is the number of code points.
func (t text) length() int { return utf8.RuneCountInString(t.s) }

// offsets returns the byte offset of each code point and of the end, or nil
// where every code point is one byte.
func (t text) offsets() []int {
	if t.length() == len(t.s) {
		return nil
	}
	out := make([]int, 0, len(t.s))
	for i := range t.s {
		out = append(out, i)
	}
	return append(out, len(t.s))
}

// ends are the ends of a text.
type ends uint8

const (
	leftEnd ends = 1 << iota
	rightEnd
	bothEnds = leftEnd | rightEnd
)

// trim cuts white space, or the characters in set where it is given, from the
// left and the right as asked.
func (t text) trim(set *text, at ends) text {
	drop := isPythonSpace
	if set != nil {
		drop = func(r rune) bool { return strings.ContainsRune(set.s, r) }
	}
	i, j := 0, len(t.s)
	if at&leftEnd != 0 {
		i = len(t.s) - len(strings.TrimLeftFunc(t.s, drop))
	}
	if at&rightEnd != 0 {
		j = i + len(strings.TrimRightFunc(t.s[i:], drop))
	}
	return t.slice(i, j)
}

// replace replaces up to n occurrences of old, all where n is negative.
func (t text) replace(old, with text, n int) text {
	var b textBuilder
	at := 0
	if old.s == "" {
		for i := range t.s + "\x00" { // between all characters and at both ends
			if n == 0 {
				break
			}
			b.add(t.slice(at, i))
			b.add(with)
			at = i
			n--
		}
		b.add(t.slice(at, len(t.s)))
		return b.text()
	}
	for n != 0 {
		i := strings.Index(t.s[at:], old.s)
		if i < 0 {
			break
		}
		b.add(t.slice(at, at+i))
		b.add(with)
		at += i + len(old.s)
		n--
	}
	b.add(t.slice(at, len(t.s)))
	return b.text()
}

// split splits at a separator, at most n times where n is not negative.
func (t text) split(separator string, n int) []text {
	var out []text
	at := 0
	for n != 0 {
		i := strings.Index(t.s[at:], separator)
		if i < 0 {
			break
		}
		out = append(out, t.slice(at, at+i))
		at += i + len(separator)
		n--
	}
	return append(out, t.slice(at, len(t.s)))
}

// splitRight is split from the right.
func (t text) splitRight(separator string, n int) []text {
	var reversed []text
	end := len(t.s)
	for n != 0 {
		i := strings.LastIndex(t.s[:end], separator)
		if i < 0 {
			break
		}
		reversed = append(reversed, t.slice(i+len(separator), end))
		end = i
		n--
	}
	out := []text{t.slice(0, end)}
	for i := len(reversed) - 1; i >= 0; i-- {
		out = append(out, reversed[i])
	}
	return out
}

// fields splits at runs of white space, at most n times where n is not
// negative.
func (t text) fields(n int) []text {
	var out []text
	rest := t.trim(nil, leftEnd)
	for rest.s != "" {
		i := strings.IndexFunc(rest.s, isPythonSpace)
		if i < 0 || n == 0 {
			return append(out, rest)
		}
		out = append(out, rest.slice(0, i))
		rest = rest.slice(i, len(rest.s)).trim(nil, leftEnd)
		n--
	}
	return out
}

// lines splits at line ends, which are kept if asked for.
func (t text) lines(keep bool) []text {
	var out []text
	at := 0
	for at < len(t.s) {
		i := strings.IndexFunc(t.s[at:], isLineEnd)
		if i < 0 {
			return append(out, t.slice(at, len(t.s)))
		}
		i += at
		_, n := utf8.DecodeRuneInString(t.s[i:])
		if strings.HasPrefix(t.s[i:], "\r\n") {
			n = 2
		}
		end := i
		if keep {
			end += n
		}
		out = append(out, t.slice(at, end))
		at = i + n
	}
	return out
}
