package grammar

import (
	"fmt"
	"strings"
)

// jsonText makes the grammar of JSON texts. How they are laid out is fixed,
// lest a model write white space for ever.
type jsonText struct {
	*builder
	gap  expr // after a colon or a comma
	pad  expr // inside brackets, before the first and after the last value
	char map[string]call

	any      call // any value, once anyMade
	anyMade  bool
	free     call // any string, once freeMade
	freeMade bool
}

// newJSONText lays texts out on one line: a space may follow a colon or comma,
// and there is no other.
func newJSONText() *jsonText {
	return &jsonText{builder: &builder{}, gap: optional(literal(" ")), char: map[string]call{}}
}

// newLooseJSONText also allows for lines with an indentation of up to 32.
func newLooseJSONText() *jsonText {
	t := newJSONText()
	indent := repeat{literal(" "), 0, 32}
	t.gap = t.rule("gap", either{optional(literal(" ")), sequence{literal("\n"), indent}})
	t.pad = t.gap
	return t
}

// JSONObject returns the texts that are one JSON object, on one line or
// indented.
func JSONObject() *Grammar {
	t := newLooseJSONText()
	root := t.rule("", t.object(t.freeMembers()))
	g, err := t.grammar(root)
	if err != nil {
		panic("grammar: JSONObject: " + err.Error())
	}
	return g
}

// padded is content between brackets, which may be empty.
func (t *jsonText) padded(open, content, shut expr) expr {
	if t.pad == nil {
		return sequence{open, content, shut}
	}
	return sequence{open, t.pad, content, t.pad, shut}
}

// object is an object whose members are as given.
func (t *jsonText) object(members expr) expr {
	return t.padded(literal("{"), members, literal("}"))
}

// array is an array of least to most items.
func (t *jsonText) array(item expr, least, most int) expr {
	if most == 0 {
		return literal("[]")
	}
	rest := repeat{sequence{literal(","), t.gap, item}, max(least-1, 0), unbounded}
	if most != unbounded {
		rest.most = most - 1
	}
	items := expr(sequence{item, rest})
	if least == 0 {
		items = optional(items)
	}
	return t.padded(literal("["), items, literal("]"))
}

// member is a name and a value.
func (t *jsonText) member(name, value expr) expr {
	return sequence{name, literal(":"), t.gap, value}
}

// freeMembers is any number of members.
func (t *jsonText) freeMembers() expr {
	m := t.rule("member", t.member(t.freeString(), t.anyValue()))
	return optional(m, repeat{sequence{literal(","), t.gap, m}, 0, unbounded})
}

// anyValue is any JSON value.
func (t *jsonText) anyValue() expr {
	if !t.anyMade {
		t.anyMade = true
		t.any = t.declare("value")
		t.define(t.any, either{
			t.object(t.freeMembers()), t.array(t.any, 0, unbounded), t.freeString(),
			plainNumber(), literal("true"), literal("false"), literal("null"),
		})
	}
	return t.any
}

// freeString is any string.
func (t *jsonText) freeString() expr {
	if !t.freeMade {
		d, err := ofLength(0, unbounded)
		if err != nil {
			panic("grammar: freeString: " + err.Error())
		}
		t.freeMade, t.free = true, t.rule("string", t.string(d))
	}
	return t.free
}

// string is a JSON string whose characters an automaton accepts.
func (t *jsonText) string(d *runeDFA) expr { return stringText{d, t} }

// constant is one value.
func (t *jsonText) constant(v *value) expr {
	switch v.kind {
	case kindString:
		return literal(quote(v.text))
	case kindNumber:
		return literal(v.numberText())
	case kindTrue:
		return literal("true")
	case kindFalse:
		return literal("false")
	case kindArray:
		return t.constantArray(v)
	case kindObject:
		return t.constantObject(v)
	}
	return literal("null")
}

func (t *jsonText) constantArray(v *value) expr {
	var items sequence
	for i, item := range v.items {
		if i > 0 {
			items = append(items, literal(","), t.gap)
		}
		items = append(items, t.constant(item))
	}
	return t.padded(literal("["), items, literal("]"))
}

func (t *jsonText) constantObject(v *value) expr {
	var members sequence
	for i, m := range v.members {
		if i > 0 {
			members = append(members, literal(","), t.gap)
		}
		members = append(members, t.member(literal(quote(m.name)), t.constant(m.value)))
	}
	return t.object(members)
}

// shortEscapes are the characters with an escape of two bytes that have to be
// escaped.
var shortEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

// escape is how a character that is not plain is written.
func escape(r rune) string {
	if short, ok := shortEscapes[r]; ok {
		return short
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// quote is a JSON string with nothing escaped that need not be.
func quote(s string) string {
	var q strings.Builder
	q.WriteByte('"')
	for _, r := range s {
		if isPlain(r) {
			q.WriteRune(r)
		} else {
			q.WriteString(escape(r))
		}
	}
	q.WriteByte('"')
	return q.String()
}

// plainNumber is any number, with so many digits that every reader of JSON
// takes it for a finite number.
func plainNumber() expr {
	fraction := optional(literal("."), repeat{digit, 1, maxFraction})
	sign := optional(either{literal("+"), literal("-")})
	exponent := optional(either{literal("e"), literal("E")}, sign, repeat{digit, 1, 2})
	return sequence{optional(literal("-")), wholeDigits(maxWhole), fraction, exponent}
}

// The digits of a number, before and after its point: as many as an int64 and
// a float64 can hold.
const (
	maxWhole    = 18
	maxFraction = 17
)

var digit = byteRange{'0', '9'}

// plainInteger is any integer.
func plainInteger() expr {
	return sequence{optional(literal("-")), wholeDigits(maxWhole)}
}

// wholeDigits is a whole number of at most so many digits.
func wholeDigits(most int) expr {
	return either{literal("0"), sequence{byteRange{'1', '9'}, repeat{digit, 0, most - 1}}}
}
