package files

import "strings"

// jsonScanner recognises one JSON object, byte by byte, as the grammar of RFC
// 8259 has it. Its zero value is before the object.
type jsonScanner struct {
	state scanState
	name  bool   // the text is a key
	stack []byte // { or [ for each that is open
	left  string // of a word such as true; for the digits of \u, as long
}

type scanState uint8

const (
	scanStart     scanState = iota // before the object
	scanDone                       // after it
	scanValue                      // a value must come
	scanFirstItem                  // a value or ]
	scanFirstKey                   // a key or }
	scanKey                        // a key must come
	scanColon
	scanNext     // a comma or the container's end
	scanText     // inside a text
	scanEscape   // after its backslash
	scanHex      // inside the digits of \u
	scanWord     // inside true, false or null
	scanMinus    // digits must come
	scanZero     // no further digit may come
	scanInteger  // digits may come
	scanPoint    // digits must come
	scanFraction // digits may come
	scanE        // a sign or digits must come
	scanESign    // digits must come
	scanExponent // digits may come
)

// maxNesting bounds what is open at once.
const maxNesting = 1000

// whole reports whether the text may end here.
func (s *jsonScanner) whole() bool { return s.state == scanStart || s.state == scanDone }

// step takes a byte, and reports whether it may stand there.
func (s *jsonScanner) step(c byte) bool {
	switch s.state {
	case scanText:
		return s.stepText(c)
	case scanEscape:
		return s.stepEscape(c)
	case scanHex:
		return s.stepHex(c)
	case scanWord:
		return s.stepWord(c)
	case scanMinus, scanZero, scanInteger, scanPoint, scanFraction, scanE, scanESign, scanExponent:
		return s.stepNumber(c)
	}
	if c == ' ' || c == '\t' || c == '\r' {
		return true
	}
	switch s.state {
	case scanStart:
		return c == '{' && s.open(c)
	case scanValue:
		return s.begin(c)
	case scanFirstItem:
		return c == ']' && s.close('[') || c != ']' && s.begin(c)
	case scanFirstKey:
		return c == '}' && s.close('{') || s.beginName(c)
	case scanKey:
		return s.beginName(c)
	case scanColon:
		return c == ':' && s.to(scanValue)
	case scanNext:
		return s.next(c)
	}
	return false // after the object
}

// to goes to a state, which is always right.
func (s *jsonScanner) to(state scanState) bool {
	s.state = state
	return true
}

func (s *jsonScanner) open(c byte) bool {
	if len(s.stack) == maxNesting {
		return false
	}
	if s.stack = append(s.stack, c); c == '{' {
		return s.to(scanFirstKey)
	}
	return s.to(scanFirstItem)
}

// close ends the innermost container, which opener began.
func (s *jsonScanner) close(opener byte) bool {
	if s.stack[len(s.stack)-1] != opener {
		return false
	}
	s.stack = s.stack[:len(s.stack)-1]
	return s.ended()
}

// ended goes to what may follow a value.
func (s *jsonScanner) ended() bool {
	if len(s.stack) == 0 {
		return s.to(scanDone)
	}
	return s.to(scanNext)
}

func (s *jsonScanner) next(c byte) bool {
	switch c {
	case '}':
		return s.close('{')
	case ']':
		return s.close('[')
	case ',':
		if s.stack[len(s.stack)-1] == '{' {
			return s.to(scanKey)
		}
		return s.to(scanValue)
	}
	return false
}

func (s *jsonScanner) beginName(c byte) bool {
	s.name = true
	return c == '"' && s.to(scanText)
}

// begin begins a value.
func (s *jsonScanner) begin(c byte) bool {
	switch {
	case c == '{' || c == '[':
		return s.open(c)
	case c == '"':
		s.name = false
		return s.to(scanText)
	case c == '-':
		return s.to(scanMinus)
	case c == '0':
		return s.to(scanZero)
	case isDigit(c):
		return s.to(scanInteger)
	}
	for _, word := range []string{"true", "false", "null"} {
		if c == word[0] {
			s.left = word[1:]
			return s.to(scanWord)
		}
	}
	return false
}

func (s *jsonScanner) stepText(c byte) bool {
	switch {
	case c == '\\':
		return s.to(scanEscape)
	case c == '"' && s.name:
		return s.to(scanColon)
	case c == '"':
		return s.ended()
	}
	return c >= ' '
}

func (s *jsonScanner) stepEscape(c byte) bool {
	if c == 'u' {
		s.left = "hhhh"
		return s.to(scanHex)
	}
	return strings.IndexByte(`"\/bfnrt`, c) >= 0 && s.to(scanText)
}

func (s *jsonScanner) stepHex(c byte) bool {
	if s.left = s.left[1:]; s.left == "" {
		s.state = scanText
	}
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func (s *jsonScanner) stepWord(c byte) bool {
	if c != s.left[0] {
		return false
	}
	if s.left = s.left[1:]; s.left == "" {
		return s.ended()
	}
	return true
}

// stepNumber takes a byte of a number, or the one after it.
func (s *jsonScanner) stepNumber(c byte) bool {
	digit := isDigit(c)
	switch s.state {
	case scanMinus:
		return c == '0' && s.to(scanZero) || digit && s.to(scanInteger)
	case scanPoint:
		return digit && s.to(scanFraction)
	case scanE:
		return (c == '+' || c == '-') && s.to(scanESign) || digit && s.to(scanExponent)
	case scanESign:
		return digit && s.to(scanExponent)
	}
	switch {
	case digit:
		return s.state != scanZero
	case c == '.' && (s.state == scanZero || s.state == scanInteger):
		return s.to(scanPoint)
	case c|0x20 == 'e' && s.state != scanExponent:
		return s.to(scanE)
	}
	return s.ended() && s.step(c)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
