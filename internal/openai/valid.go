package openai

// mostNested is how deep arrays and objects may lie in one another, as
// encoding/json has it.
const mostNested = 10_000

// valid reports whether data is one JSON value (RFC 8259), as json.Valid does.
// That goes from state to state by a call for each byte, which for a request is
// what takes longest; this reads what is plain text of a string in a loop.
func valid(data []byte) bool {
	v := validator{data: data}
	v.space()
	return v.value() && v.at == len(v.data)
}

// validator reads JSON text. Its methods go past what they are named after, and
// report whether it is there.
type validator struct {
	data  []byte
	at    int
	depth int
}

// peek is the next byte, and 0 at the end: no JSON text has one outside of a
// string, nor within.
func (v *validator) peek() byte {
	if v.at < len(v.data) {
		return v.data[v.at]
	}
	return 0
}

func (v *validator) space() {
	for v.at < len(v.data) {
		switch v.data[v.at] {
		case ' ', '\n', '\t', '\r':
			v.at++
		default:
			return
		}
	}
}

// is goes past a byte and the white space behind it.
func (v *validator) is(c byte) bool {
	if v.peek() != c {
		return false
	}
	v.at++
	v.space()
	return true
}

// value goes past a value and the white space behind it.
func (v *validator) value() (ok bool) {
	switch c := v.peek(); c {
	case '{':
		ok = v.nested('}', v.member)
	case '[':
		ok = v.nested(']', v.value)
	case '"':
		return v.text()
	case 't':
		ok = v.word("true")
	case 'f':
		ok = v.word("false")
	case 'n':
		ok = v.word("null")
	default:
		ok = v.number()
	}
	v.space()
	return ok
}

// nested goes past the items of an array or object up to its end.
func (v *validator) nested(end byte, item func() bool) bool {
	if v.depth++; v.depth > mostNested {
		return false
	}
	defer func() { v.depth-- }()
	v.at++
	v.space()
	if v.is(end) {
		return true
	}
	for item() {
		if v.is(end) {
			return true
		}
		if !v.is(',') {
			return false
		}
	}
	return false
}

func (v *validator) member() bool {
	return v.peek() == '"' && v.text() && v.is(':') && v.value()
}

// text goes past a string and the white space behind it.
func (v *validator) text() bool {
	for v.at++; ; v.at++ {
		rest := v.data[v.at:]
		n := 0
		for n < len(rest) && plain[rest[n]] {
			n++
		}
		v.at += n
		switch v.peek() {
		case '"':
			v.at++
			v.space()
			return true
		case '\\':
			v.at++
			if !v.escape() {
				return false
			}
		default: // a control character, or the end
			return false
		}
	}
}

// plain are the bytes that mean themselves in a string.
var plain = func() (t [256]bool) {
	for c := ' '; c < 256; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// escape goes up to the last byte of what follows a backslash.
func (v *validator) escape() bool {
	switch v.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			v.at++
			if c := v.peek() | 0x20; (c < '0' || c > '9' || v.peek() < '0') && (c < 'a' || c > 'f') {
				return false
			}
		}
		return true
	}
	return false
}

func (v *validator) word(w string) bool {
	if len(v.data)-v.at < len(w) || string(v.data[v.at:v.at+len(w)]) != w {
		return false
	}
	v.at += len(w)
	return true
}

func (v *validator) number() bool {
	if v.peek() == '-' {
		v.at++
	}
	if v.peek() == '0' {
		v.at++
	} else if !v.digits() {
		return false
	}
	if v.peek() == '.' {
		v.at++
		if !v.digits() {
			return false
		}
	}
	if v.peek()|0x20 != 'e' {
		return true
	}
	v.at++
	if c := v.peek(); c == '+' || c == '-' {
		v.at++
	}
	return v.digits()
}

// digits goes past one digit or more.
func (v *validator) digits() bool {
	from := v.at
	for c := v.peek(); c >= '0' && c <= '9'; c = v.peek() {
		v.at++
	}
	return v.at > from
}
