package llm

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"
)

// textStream turns the bytes of tokens, as they come, into text that may be
// shown: it ends before the first stop string, and holds back whatever later
// bytes could still change, which is the beginning of a stop string and the
// beginning of a character.
//
// A byte that is no part of a UTF-8 character becomes U+FFFD.
type textStream struct {
	stops   [][]byte
	held    []byte // bytes not shown yet
	shown   int    // bytes before held
	stopped bool   // a stop string was found; held is empty
}

func newTextStream(stops []string) textStream {
	t := textStream{}
	for _, s := range stops {
		t.stops = append(t.stops, []byte(s))
	}
	return t
}

// write adds the bytes of a token and returns the text they set free.
func (t *textStream) write(b []byte) string {
	t.held = append(t.held, b...)
	if at := t.findStop(); at >= 0 {
		t.held = t.held[:at]
		t.stopped = true
		return t.flush()
	}
	return t.release(len(t.held) - max(t.stopBegun(), runeBegun(t.held)))
}

// flush returns what was held back: the text has ended.
func (t *textStream) flush() string { return t.release(len(t.held)) }

// release shows the first n bytes held.
func (t *textStream) release(n int) string {
	text := validText(t.held[:n])
	t.held = t.held[:copy(t.held, t.held[n:])]
	t.shown += n
	return text
}

// findStop returns where the text ends if held has a stop string, else -1. Of
// several, the one that is whole first counts: what is shown is the same
// however the text was cut into tokens. The beginning of a stop string is
// always held back, so a whole one lies in held.
func (t *textStream) findStop() int {
	first, start := math.MaxInt, -1
	for _, stop := range t.stops {
		at := bytes.Index(t.held, stop)
		end := at + len(stop)
		if at >= 0 && (end < first || end == first && at < start) {
			first, start = end, at
		}
	}
	return start
}

// stopBegun returns the length of the longest end of held that begins a stop
// string.
func (t *textStream) stopBegun() int {
	longest := 0
	for _, stop := range t.stops {
		for n := min(len(stop)-1, len(t.held)); n > longest; n-- {
			if bytes.HasSuffix(t.held, stop[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// runeBegun returns the length of the end of b that begins a character but
// does not finish it.
func runeBegun(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		end := b[len(b)-n:]
		if utf8.RuneStart(end[0]) {
			if utf8.FullRune(end) {
				return 0
			}
			return n
		}
	}
	return 0
}

// validText replaces every byte that is no part of a character. The result
// does not depend on where the text was cut, as long as no character was.
func validText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		s.WriteRune(r)
		b = b[n:]
	}
	return s.String()
}
