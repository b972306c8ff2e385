package chat

import "strings"

// jsonScan checks a JSON object while it is being written (RFC 8259), byte by
// byte, so that it can be passed on without waiting for its end.
type jsonScan struct {
	open  []byte // the brackets that are open
	state scanState
	rest  string // in a literal: what must follow
	hex   int    // in \u: how many digits must follow
	key   bool   // the string is a key
}

type scanState uint8

const (
	scanStart scanState = iota // the object's {
	scanValue
	scanFirstValue // or ]
	scanFirstKey   // or }
	scanKey
	scanColon
	scanAfter // , or the closing bracket
	scanString
	scanEscape
	scanLiteral
	scanMinus
	scanZero
	scanDigits
	scanPoint
	scanFraction
	scanE
	scanSign
	scanExponent
)

// status says how a parse of text that may go on stands.
type status int

const (
	more status = iota // not decided yet
	yes
	no
)

// scanDepth is how deep values may nest.
const scanDepth = 200

// feed takes bytes of s up to the end of the object, or to the first that
// cannot be part of one, and returns how many it took.
func (j *jsonScan) feed(s string) (int, status) {
	for i := range len(s) {
		if !j.take(s[i]) {
			return i, no
		}
		if len(j.open) == 0 {
			return i + 1, yes
		}
	}
	return len(s), more
}

func (j *jsonScan) take(c byte) bool {
	switch j.state {
	case scanStart:
		return c == '{' && j.begin(c)
	case scanString:
		return j.inString(c)
	case scanEscape:
		return j.escape(c)
	case scanLiteral:
		if j.rest == "" || c != j.rest[0] {
			return false
		}
		if j.rest = j.rest[1:]; j.rest == "" {
			j.state = scanAfter
		}
		return true
	}
	if j.state >= scanMinus {
		if next, ok := numberStep(j.state, c); ok {
			j.state = next
			return true
		}
		switch j.state {
		case scanZero, scanDigits, scanFraction, scanExponent: // may end here
			j.state = scanAfter
		default:
			return false
		}
	}
	return strings.IndexByte(" \t\r\n", c) >= 0 || j.structure(c)
}

// structure takes what stands between values, or starts one.
func (j *jsonScan) structure(c byte) bool {
	switch j.state {
	case scanFirstKey, scanKey:
		if c == '}' && j.state == scanFirstKey {
			return j.end(c)
		}
		j.state, j.key = scanString, true
		return c == '"'
	case scanColon:
		j.state = scanValue
		return c == ':'
	case scanAfter:
		if c != ',' {
			return j.end(c)
		}
		j.state = scanValue
		if j.open[len(j.open)-1] == '{' {
			j.state = scanKey
		}
		return true
	case scanFirstValue:
		if c == ']' {
			return j.end(c)
		}
	}
	return j.value(c)
}

// value takes the first byte of a value.
func (j *jsonScan) value(c byte) bool {
	switch c {
	case '{', '[':
		return j.begin(c)
	case '"':
		j.state, j.key = scanString, false
	case 't':
		j.state, j.rest = scanLiteral, "rue"
	case 'f':
		j.state, j.rest = scanLiteral, "alse"
	case 'n':
		j.state, j.rest = scanLiteral, "ull"
	case '-':
		j.state = scanMinus
	case '0':
		j.state = scanZero
	default:
		j.state = scanDigits
		return '1' <= c && c <= '9'
	}
	return true
}

func (j *jsonScan) begin(c byte) bool {
	j.open = append(j.open, c)
	j.state = scanFirstKey
	if c == '[' {
		j.state = scanFirstValue
	}
	return len(j.open) <= scanDepth
}

func (j *jsonScan) end(c byte) bool {
	last := len(j.open) - 1
	opened := j.open[last]
	j.open, j.state = j.open[:last], scanAfter
	return c == '}' && opened == '{' || c == ']' && opened == '['
}

func (j *jsonScan) inString(c byte) bool {
	switch {
	case c == '\\':
		j.state, j.hex = scanEscape, 0
	case c == '"' && j.key:
		j.state = scanColon
	case c == '"':
		j.state = scanAfter
	}
	return c >= ' '
}

func (j *jsonScan) escape(c byte) bool {
	if j.hex == 0 {
		j.state = scanString
		if c == 'u' {
			j.state, j.hex = scanEscape, 4
			return true
		}
		return strings.IndexByte(`"\/bfnrt`, c) >= 0
	}
	if j.hex--; j.hex == 0 {
		j.state = scanString
	}
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// numberStep returns where a byte leads in a number.
func numberStep(at scanState, c byte) (scanState, bool) {
	digit := '0' <= c && c <= '9'
	switch at {
	case scanMinus:
		if c == '0' {
			return scanZero, true
		}
		return scanDigits, digit
	case scanZero, scanDigits:
		switch {
		case digit && at == scanDigits:
			return scanDigits, true
		case c == '.':
			return scanPoint, true
		case c == 'e' || c == 'E':
			return scanE, true
		}
	case scanPoint, scanFraction:
		if at == scanFraction && (c == 'e' || c == 'E') {
			return scanE, true
		}
		return scanFraction, digit
	case scanE:
		if c == '+' || c == '-' {
			return scanSign, true
		}
		return scanExponent, digit
	case scanSign, scanExponent:
		return scanExponent, digit
	}
	return at, false
}
