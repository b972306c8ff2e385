package files

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// lineChecker finds out whether what is written to it is lines of JSON: on each
// line one object (RFC 8259), in UTF-8, or nothing. It holds a line's nesting and
// not its text. Its first finding stands.
type lineChecker struct {
	line    int  // from 1
	seen    bool // an object on any line
	scanner jsonScanner
	partial []byte // the first bytes of a character whose others are to come
	err     error
}

func newLineChecker() *lineChecker { return &lineChecker{line: 1} }

// Write implements io.Writer. It never fails.
func (l *lineChecker) Write(p []byte) (int, error) {
	if l.err == nil {
		l.err = l.check(p)
	}
	return len(p), nil
}

func (l *lineChecker) check(p []byte) error {
	if !l.utf8(p) {
		return fmt.Errorf("line %d or one soon after is not UTF-8", l.line)
	}
	for _, c := range p {
		if c == '\n' {
			if err := l.endLine(); err != nil {
				return err
			}
			l.line++
			continue
		}
		if !l.scanner.step(c) {
			return fmt.Errorf("line %d is not", l.line)
		}
	}
	return nil
}

// endLine checks that a line has one object or nothing.
func (l *lineChecker) endLine() error {
	if !l.scanner.whole() {
		return fmt.Errorf("line %d ends before its object does", l.line)
	}
	l.seen = l.seen || l.scanner.state == scanDone
	l.scanner = jsonScanner{stack: l.scanner.stack[:0]}
	return nil
}

// problem is what is wrong, after the last Write.
func (l *lineChecker) problem() error {
	if l.err == nil {
		l.err = l.endLine()
	}
	switch {
	case l.err != nil:
		return l.err
	case !l.seen:
		return errors.New("it has no line")
	}
	return nil
}

// utf8 reports whether p continues valid UTF-8.
func (l *lineChecker) utf8(p []byte) bool {
	for len(l.partial) > 0 && len(p) > 0 {
		l.partial, p = append(l.partial, p[0]), p[1:]
		if utf8.FullRune(l.partial) {
			if !utf8.Valid(l.partial) {
				return false
			}
			l.partial = l.partial[:0]
		}
	}
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		if tail := p[len(p)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				l.partial, p = append(l.partial, tail...), p[:len(p)-i]
			}
			break
		}
	}
	return utf8.Valid(p)
}
