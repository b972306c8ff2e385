package chat

import (
	"encoding/json"
	"strings"
)

// head is the beginning of a call, up to its arguments.
type head struct {
	name, id string

	// The arguments begin at byte at of the text; or, where they were read on
	// the way, they are whole and the text after the head begins at at.
	at    int
	whole string

	around around
}

// around is what stands around the arguments of a call.
type around int

const (
	aroundNothing around = iota
	aroundObject         // the rest of an object
	aroundList           // the rest of an object in a list, and more of them
)

// headFunc reads the head of a call from the text after its mark.
type headFunc func(s string) (head, status)

// cursor reads JSON from a text that may go on. Once st is not yes, nothing more
// is read.
type cursor struct {
	s  string
	i  int
	st status
}

func (c *cursor) space() {
	for c.i < len(c.s) && strings.IndexByte(" \t\r\n", c.s[c.i]) >= 0 {
		c.i++
	}
}

// peek returns the next byte that is no white space, 0 if there is none.
func (c *cursor) peek() byte {
	if c.space(); c.st != yes {
		return 0
	}
	if c.i == len(c.s) {
		c.st = more
		return 0
	}
	return c.s[c.i]
}

// want takes a byte after white space.
func (c *cursor) want(b byte) {
	if got := c.peek(); c.st == yes && got != b {
		c.st = no
	} else if c.st == yes {
		c.i++
	}
}

// value takes a JSON value and returns its text. A number that ends the text
// may go on.
func (c *cursor) value() string {
	first := c.peek()
	if c.st != yes {
		return ""
	}
	start := c.i
	if first == '{' {
		var j jsonScan
		n, st := j.feed(c.s[start:])
		c.i, c.st = start+n, st
		return c.s[start:c.i]
	}
	// The others are scanned as the only value of an array in an object.
	var j jsonScan
	j.feed(`{"":[`)
	depth := len(j.open)
	for ; c.i < len(c.s); c.i++ {
		if len(j.open) == depth && j.state == scanAfter || !j.take(c.s[c.i]) {
			break
		}
		if len(j.open) < depth { // the ] or , after a number
			break
		}
	}
	text := c.s[start:c.i]
	switch {
	case c.i == len(c.s) && (j.state != scanAfter || len(j.open) > depth):
		c.st = more
	case !json.Valid([]byte(text)):
		c.st = no
	}
	return text
}

// text takes a string and returns what it says.
func (c *cursor) text() string {
	if b := c.peek(); c.st == yes && b != '"' {
		c.st = no
	}
	raw := c.value()
	if c.st != yes {
		return ""
	}
	var s string
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		c.st = no
	}
	return s
}

// objectHead reads {"name": …, "arguments": as the families spell it, in any
// order, other members between.
func objectHead(s string) (head, status) { return readObject(s, false) }

// bareObjectHead is objectHead where no mark says that a call is meant: it must
// have arguments.
func bareObjectHead(s string) (head, status) { return readObject("{"+s, true) }

func readObject(s string, bare bool) (head, status) {
	c := cursor{s: s, st: yes}
	h := head{around: aroundObject}
	shift := 0
	if bare {
		shift = 1 // the mark was the brace itself
	}
	named, argued := false, false
	for c.want('{'); c.st == yes; c.want(',') {
		if c.peek() == '}' && !argued && !named {
			return h, no
		}
		key := c.text()
		c.want(':')
		first := c.peek()
		if c.st != yes {
			break
		}
		switch {
		case (key == "name" || key == "tool_name" || key == "function") && first == '"':
			h.name, named = c.text(), true
		case key == "id" || key == "tool_call_id" || key == "call_id":
			h.id = strings.Trim(c.value(), `"`)
		case (key == "arguments" || key == "parameters") && first == '{' && named:
			h.at = c.i - shift
			return h, yes
		case (key == "arguments" || key == "parameters") && (first == '{' || first == '"'):
			h.whole, argued = c.value(), true
			if first == '"' {
				h.whole = unquote(h.whole)
			}
		default:
			c.value()
		}
		if c.st == yes && c.peek() == '}' && named && (argued || !bare) {
			if !argued {
				h.whole = "{}"
			}
			h.at = c.i - shift // the brace is for the tail
			return h, checkWhole(h.whole)
		}
		if c.st == yes && named && argued {
			h.at = c.i - shift
			return h, checkWhole(h.whole)
		}
	}
	return h, c.st
}

func unquote(raw string) string {
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil {
		return ""
	}
	return s
}

// checkWhole needs arguments that are an object.
func checkWhole(arguments string) status {
	var j jsonScan
	if n, st := j.feed(arguments); st != yes || strings.TrimSpace(arguments[n:]) != "" {
		return no
	}
	return yes
}

// listHead is objectHead after the bracket of a list.
func listHead(s string) (head, status) {
	c := cursor{s: s, st: yes}
	if c.want('['); c.st != yes {
		return head{}, c.st
	}
	h, st := objectHead(s[c.i:])
	h.at += c.i
	h.around = aroundList
	return h, st
}

// before takes a name up to a separator, which may not have white space or
// brackets in it.
func before(s, separator string) (name, rest string, st status) {
	name, rest, found := strings.Cut(s, separator)
	if found {
		if !isFunctionName(name) {
			return "", "", no
		}
		return name, rest, yes
	}
	for n := min(len(separator)-1, len(s)); n > 0; n-- {
		if strings.HasSuffix(s, separator[:n]) {
			name = s[:len(s)-n]
			break
		}
	}
	if name != "" && !isFunctionName(name) {
		return "", "", no
	}
	return "", "", more
}

// isFunctionName reports whether a name may be a function's: the API allows
// letters, digits, _ and -; models' own may have dots and colons.
func isFunctionName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !(c == '_' || c == '-' || c == '.' || c == ':' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80) {
			return false
		}
	}
	return 0 < len(name) && len(name) <= 256
}

// namedHead reads a name, a separator, and the object's brace.
func namedHead(separator string) headFunc {
	return func(s string) (head, status) {
		name, rest, st := before(s, separator)
		if st != yes {
			return head{}, st
		}
		return braceAfter(head{name: name}, s, rest)
	}
}

// braceAfter finishes a head whose arguments come next in rest, the end of s.
func braceAfter(h head, s, rest string) (head, status) {
	c := cursor{s: rest, st: yes}
	if b := c.peek(); c.st == yes && b != '{' {
		return h, no
	}
	h.at = len(s) - len(rest) + c.i
	return h, c.st
}

// mistralHead reads name[ARGS]{…}, name[CALL_ID]id[ARGS]{…} or a list.
func mistralHead(s string) (head, status) {
	c := cursor{s: s, st: yes}
	if c.peek() == '[' {
		return listHead(s)
	}
	if c.st == more {
		return head{}, more
	}
	name, rest, st := before(s, "[")
	if st != yes {
		return head{}, st
	}
	h := head{name: name}
	rest = "[" + rest
	if after, ok := strings.CutPrefix(rest, "[CALL_ID]"); ok {
		if h.id, rest, st = before(after, "["); st != yes {
			return h, st
		}
		rest = "[" + rest
	} else if strings.HasPrefix("[CALL_ID]", rest) {
		return h, more
	}
	after, ok := strings.CutPrefix(rest, "[ARGS]")
	if !ok {
		if strings.HasPrefix("[ARGS]", rest) {
			return h, more
		}
		return h, no
	}
	return braceAfter(h, s, after)
}

// deepSeekHead reads name<｜tool▁sep｜>{…} or, as the older models write,
// function<｜tool▁sep｜>name, a line end and ```json before the object.
func deepSeekHead(s string) (head, status) {
	name, rest, st := before(s, deepSeekSeparator)
	if st != yes {
		return head{}, st
	}
	c := cursor{s: rest, st: yes}
	if b := c.peek(); c.st != yes || b == '{' {
		return head{name: name, at: len(s) - len(rest) + c.i}, c.st
	}
	if name, rest, st = before(rest[c.i:], "\n"); st != yes {
		return head{}, st
	}
	after, ok := strings.CutPrefix(rest, "```json")
	if !ok {
		if strings.HasPrefix("```json", rest) {
			return head{}, more
		}
		return head{}, no
	}
	return braceAfter(head{name: name}, s, after)
}

// afterMark reads a head behind one more mark, such as that of the first call
// behind that of all calls.
func afterMark(mark string, h headFunc) headFunc {
	return func(s string) (head, status) {
		rest := strings.TrimLeft(s, " \t\r\n")
		after, ok := strings.CutPrefix(rest, mark)
		if !ok {
			if strings.HasPrefix(mark, rest) {
				return head{}, more
			}
			return head{}, no
		}
		out, st := h(after)
		out.at += len(s) - len(after)
		return out, st
	}
}

// kimiHead reads functions.name:0<|tool_call_argument_begin|>{…}.
func kimiHead(s string) (head, status) {
	h, st := namedHead("<|tool_call_argument_begin|>")(s)
	if st != yes {
		return h, st
	}
	h.id = h.name
	h.name = strings.TrimPrefix(h.name, "functions.")
	if i := strings.LastIndexByte(h.name, ':'); i >= 0 {
		h.name = h.name[:i]
	}
	return h, yes
}
