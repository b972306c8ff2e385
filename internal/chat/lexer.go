package chat

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is what a token is.
type tokenKind int

const (
	tokenData     tokenKind = iota // text between tags
	tokenBegin                     // {{
	tokenEnd                       // }}
	tokenTag                       // {%
	tokenTagEnd                    // %}
	tokenName                      // an identifier or keyword
	tokenString                    // a string, unquoted
	tokenNumber                    // an integer or a float
	tokenOperator                  // one of operators
	tokenEOF
)

// lexToken is a token of a template.
type lexToken struct {
	kind tokenKind
	s    string // data, name, string or operator
	n    value  // of a number
	line int
}

func (t lexToken) String() string {
	switch t.kind {
	case tokenEOF:
		return "the end of the template"
	case tokenData:
		return "text"
	case tokenNumber:
		return fmt.Sprint(t.n)
	case tokenString:
		return strconv.Quote(t.s)
	}
	return t.s
}

// operators, longest first where one begins another.
var operators = []string{
	"//", "**", "==", "!=", ">=", "<=",
	"+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",",
}

// lexer holds the rest of a template's source.
type lexer struct {
	rest   string
	line   int
	tokens []lexToken

	// startsLine: the last tag swallowed the line end after it, so that what
	// follows is at the start of a line.
	startsLine bool
}

// lex cuts a template into tokens, white space control applied, as jinja2's
// lexer does with trim_blocks and lstrip_blocks.
func lex(source string) ([]lexToken, error) {
	source = strings.ReplaceAll(source, "\r\n", "\n")
	source = strings.ReplaceAll(source, "\r", "\n")
	source = strings.TrimSuffix(source, "\n")
	l := &lexer{rest: source, line: 1, startsLine: true}
	for l.rest != "" {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	l.add(tokenEOF, "")
	return l.tokens, nil
}

func (l *lexer) fail(format string, args ...any) error {
	return &Error{Line: l.line, Reason: fmt.Sprintf(format, args...)}
}

func (l *lexer) add(kind tokenKind, s string) {
	l.tokens = append(l.tokens, lexToken{kind: kind, s: s, line: l.line})
}

// take removes the next n bytes and counts their lines.
func (l *lexer) take(n int) string {
	s := l.rest[:n]
	l.rest = l.rest[n:]
	l.line += strings.Count(s, "\n")
	return s
}

// next takes text up to a tag, and the tag.
func (l *lexer) next() error {
	at := 0
	for {
		i := strings.IndexByte(l.rest[at:], '{')
		if i < 0 || at+i+1 >= len(l.rest) {
			l.data(l.take(len(l.rest)))
			return nil
		}
		at += i
		if c := l.rest[at+1]; c == '{' || c == '%' || c == '#' {
			break
		}
		at++
	}
	before, open := l.rest[:at], l.rest[at+1]
	sign := byte(0)
	if at+2 < len(l.rest) && (l.rest[at+2] == '-' || l.rest[at+2] == '+') {
		sign = l.rest[at+2]
	}
	l.data(l.stripLeft(before, open, sign))
	n := at + 2
	if sign != 0 {
		n++
	}
	l.take(n)
	switch open {
	case '#':
		return l.comment()
	case '%':
		if l.raw() {
			return nil
		}
		return l.inside(tokenTag, tokenTagEnd)
	}
	return l.inside(tokenBegin, tokenEnd)
}

// stripLeft is the white space control on the left of a tag.
func (l *lexer) stripLeft(before string, open, sign byte) string {
	switch {
	case sign == '-':
		return strings.TrimRightFunc(before, isPythonSpace)
	case sign == '+' || open == '{':
		return before
	}
	lineStart := strings.LastIndexByte(before, '\n') + 1
	if (lineStart > 0 || l.startsLine) && strings.TrimFunc(before[lineStart:], isPythonSpace) == "" {
		return before[:lineStart]
	}
	return before
}

func (l *lexer) data(s string) {
	if s != "" {
		l.add(tokenData, s)
	}
}

// closeTag takes what ends a tag, spelled mark, if it is next, with the white
// space control on its right. After all but an expression that includes a line
// break (trim_blocks).
func (l *lexer) closeTag(mark string) bool {
	trimLine := mark != "}}"
	rest, sign := l.rest, byte(0)
	if rest != "" && (rest[0] == '-' || rest[0] == '+' && trimLine) {
		sign, rest = rest[0], rest[1:]
	}
	if !strings.HasPrefix(rest, mark) {
		return false
	}
	rest = rest[len(mark):]
	switch {
	case sign == '-':
		rest = strings.TrimLeftFunc(rest, isPythonSpace)
	case sign == 0 && trimLine:
		rest = strings.TrimPrefix(rest, "\n")
	}
	taken := l.take(len(l.rest) - len(rest))
	l.startsLine = strings.HasSuffix(taken, "\n")
	return true
}

func (l *lexer) comment() error {
	start := l.line
	i := strings.Index(l.rest, "#}")
	if i < 0 {
		return &Error{Line: start, Reason: "a comment does not end"}
	}
	if i > 0 && (l.rest[i-1] == '-' || l.rest[i-1] == '+') {
		i--
	}
	l.take(i)
	l.closeTag("#}")
	return nil
}

// raw takes a raw block, whose text is no template, if one starts here.
func (l *lexer) raw() bool {
	saved := *l
	if !l.word("raw") || !l.closeTag("%}") {
		*l = saved
		return false
	}
	for at := 0; ; at += 2 {
		i := strings.Index(l.rest[at:], "{%")
		if i < 0 {
			*l = saved
			return false
		}
		at += i
		inner := *l
		l.take(at + 2)
		sign := byte(0)
		if l.rest != "" && (l.rest[0] == '-' || l.rest[0] == '+') {
			sign = l.rest[0]
			l.take(1)
		}
		if l.word("endraw") && l.closeTag("%}") {
			body := inner.stripLeft(inner.rest[:at], '%', sign)
			l.tokens = append(inner.tokens, lexToken{kind: tokenData, s: body, line: inner.line})
			return true
		}
		*l = inner
	}
}

// word takes white space, a name and white space, if that is the next name.
func (l *lexer) word(name string) bool {
	rest := strings.TrimLeftFunc(l.rest, isPythonSpace)
	if !strings.HasPrefix(rest, name) || nameLength(rest) != len(name) {
		return false
	}
	rest = strings.TrimLeftFunc(rest[len(name):], isPythonSpace)
	l.take(len(l.rest) - len(rest))
	return true
}

// inside takes the tokens of a tag and its end.
func (l *lexer) inside(begin, end tokenKind) error {
	mark := "}}"
	if begin == tokenTag {
		mark = "%}"
	}
	l.add(begin, "{"+mark[:1])
	start := l.line
	var open []byte // brackets that wait for their end
	for {
		l.take(len(l.rest) - len(strings.TrimLeftFunc(l.rest, isPythonSpace)))
		if l.rest == "" {
			return &Error{Line: start, Reason: "a tag does not end with " + mark}
		}
		line := l.line
		if len(open) == 0 && l.closeTag(mark) {
			l.tokens = append(l.tokens, lexToken{kind: end, s: mark, line: line})
			return nil
		}
		var err error
		if open, err = l.token(open); err != nil {
			return err
		}
	}
}

// token takes one token of an expression.
func (l *lexer) token(open []byte) ([]byte, error) {
	c := l.rest[0]
	if c == '"' || c == '\'' {
		return open, l.string(c)
	}
	if '0' <= c && c <= '9' {
		return open, l.number()
	}
	if n := nameLength(l.rest); n > 0 {
		l.add(tokenName, l.take(n))
		return open, nil
	}
	for _, op := range operators {
		if !strings.HasPrefix(l.rest, op) {
			continue
		}
		switch op {
		case "(", "[", "{":
			open = append(open, op[0])
		case ")", "]", "}":
			want := map[string]byte{")": '(', "]": '[', "}": '{'}[op]
			if len(open) == 0 || open[len(open)-1] != want {
				return open, l.fail("unexpected %s", op)
			}
			open = open[:len(open)-1]
		}
		l.add(tokenOperator, op)
		l.take(len(op))
		return open, nil
	}
	r, _ := utf8.DecodeRuneInString(l.rest)
	return open, l.fail("unexpected character %q", r)
}

// nameLength is the length of the identifier at the start of s.
func nameLength(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return i
		}
	}
	return len(s)
}

// string takes a quoted string.
func (l *lexer) string(q byte) error {
	for i := 1; i < len(l.rest); i++ {
		switch l.rest[i] {
		case '\\':
			i++
		case q:
			l.add(tokenString, unescape(l.rest[1:i]))
			l.take(i + 1)
			return nil
		}
	}
	return l.fail("a string does not end")
}

// unescape resolves the escapes of a Python string; unknown ones stay.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	simple := map[byte]string{
		'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f",
		'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if out, ok := simple[s[i]]; ok {
			b.WriteString(out)
			continue
		}
		digits, base := 0, 16
		switch c := s[i]; {
		case c == 'x':
			digits = 2
		case c == 'u':
			digits = 4
		case c == 'U':
			digits = 8
		case '0' <= c && c <= '7':
			base = 8
		}
		var hex string
		if base == 8 {
			n := 1
			for n < 3 && i+n < len(s) && '0' <= s[i+n] && s[i+n] <= '7' {
				n++
			}
			hex = s[i : i+n]
			i--
		} else if digits > 0 && i+1+digits <= len(s) {
			hex = s[i+1 : i+1+digits]
		}
		code, err := strconv.ParseUint(hex, base, 32)
		if err != nil || code > unicode.MaxRune {
			b.WriteByte('\\')
			b.WriteByte(s[i])
			continue
		}
		b.WriteRune(rune(code))
		i += len(hex)
	}
	return b.String()
}

// number takes an integer or a float.
func (l *lexer) number() error {
	n := 0
	digits := func() {
		for n < len(l.rest) && (l.rest[n] == '_' || isAlphanumeric(l.rest[n])) {
			n++
		}
	}
	digits()
	prefixed := n > 1 && l.rest[0] == '0' && strings.ContainsRune("xXoObB", rune(l.rest[1]))
	float := false
	if !prefixed {
		n = leadingDigits(l.rest)
		last := l.tokens[len(l.tokens)-1]
		afterDot := last.kind == tokenOperator && last.s == "." // x.0.1 is two items
		if !afterDot && n+1 < len(l.rest) && l.rest[n] == '.' && '0' <= l.rest[n+1] && l.rest[n+1] <= '9' {
			float = true
			n += 1 + leadingDigits(l.rest[n+1:])
		}
		if e := exponentLength(l.rest[n:]); e > 0 {
			float = true
			n += e
		}
	}
	s := l.rest[:n]
	t := lexToken{kind: tokenNumber, s: s, line: l.line}
	if float {
		f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
		if err != nil {
			return l.fail("bad number %s", s)
		}
		t.n = f
	} else {
		i, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), base(prefixed), 64)
		if err != nil {
			return l.fail("bad number %s", s)
		}
		t.n = i
	}
	l.take(n)
	l.tokens = append(l.tokens, t)
	return nil
}

// base is the base argument of strconv.ParseInt.
func base(prefixed bool) int {
	if prefixed {
		return 0
	}
	return 10
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && ('0' <= s[n] && s[n] <= '9' || s[n] == '_') {
		n++
	}
	return n
}

// exponentLength is the length of an exponent such as e-5.
func exponentLength(s string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	n := 1
	if n < len(s) && (s[n] == '+' || s[n] == '-') {
		n++
	}
	if d := leadingDigits(s[n:]); d > 0 {
		return n + d
	}
	return 0
}
