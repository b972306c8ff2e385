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

	any  call // any value, once it is needed
	some bool // any has been made
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
	if !t.some {
		t.some = true
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
	d, err := ofLength(0, unbounded)
	if err != nil {
		panic("grammar: freeString: " + err.Error())
	}
	return t.string(d)
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

// stringText is the set of the JSON strings whose characters an automaton
// accepts. Characters stand for themselves, except those that JSON wants
// escaped; where any character may stand, any escape may.
type stringText struct {
	*runeDFA
	t *jsonText
}

func (s stringText) weight() int { return min(2*len(s.next)+2, maxStates) }

func (s stringText) emit(b *builder, from, to int32) {
	first, last := b.state(), b.state()
	b.edge(from, '"', '"', first)
	b.edge(last, '"', '"', to)
	before := int32(len(b.states))
	s.embed(b, first, last, s.t.addChars)
	for i, n := range s.plainRuns() {
		if b.err == nil {
			b.states[before+int32(i)].plain = n
		}
	}
}

// addChars adds the characters of a string that lead from one state to
// another. Only single bytes are edges; the rest is a rule for each set.
func (t *jsonText) addChars(from int32, spans []span, to int32) {
	key := fmt.Sprint(spans)
	rest, known := t.char[key]
	if !known {
		rest = t.declare("character")
		t.char[key] = rest
		t.define(rest, otherChars(spans))
	}
	for _, s := range intersect(spans, []span{{' ', '!'}, {'#', '['}, {']', 0x7F}}) {
		t.edge(from, byte(s.lo), byte(s.hi), to)
	}
	t.call(from, int32(rest), to)
}

// otherChars is the characters of a string that are not one byte.
func otherChars(spans []span) expr {
	chars := either{runes(intersect(spans, []span{{0x80, surrogateMin - 1}, {surrogateMax + 1, 0x10FFFF}}))}
	for _, s := range intersect(spans, []span{{0, ' ' - 1}, {'"', '"'}, {'\\', '\\'}}) {
		for r := s.lo; r <= s.hi; r++ {
			chars = append(chars, literal(escape(r)))
		}
	}
	if allChars(spans) {
		chars = append(chars, literal(`\/`), sequence{literal(`\u`), escapeDigits()})
	}
	return chars
}

// escapeDigits is the four digits of any character's escape, or those of a
// high surrogate with the escape of a low one.
func escapeDigits() expr {
	hex := either{digit, byteRange{'a', 'f'}, byteRange{'A', 'F'}}
	d := either{literal("d"), literal("D")}
	return either{
		sequence{either{digit, byteRange{'a', 'c'}, byteRange{'A', 'C'}, byteRange{'e', 'f'}, byteRange{'E', 'F'}}, hex, hex, hex},
		sequence{d, byteRange{'0', '7'}, hex, hex},
		sequence{d, either{digit89, byteRange{'a', 'b'}, byteRange{'A', 'B'}}, hex, hex, literal(`\u`), d,
			either{byteRange{'c', 'f'}, byteRange{'C', 'F'}}, hex, hex},
	}
}

var digit89 = byteRange{'8', '9'}

// plainRuns returns for each state how many plain characters may follow
// whatever they are; see program.plain.
func (d *runeDFA) plainRuns() []uint8 {
	runs := make([]uint8, len(d.next))
	back := make([][]int32, len(d.next))
	var todo []int32
	for s, row := range d.next {
		targets, spans := d.targets(row)
		plain := 0
		for i, to := range targets {
			for _, part := range intersect(spans[i], plainSpans) {
				plain += int(part.hi-part.lo) + 1
				back[to] = append(back[to], int32(s))
			}
		}
		runs[s] = plainForever
		if plain < plainCount {
			runs[s] = 0
			todo = append(todo, int32(s))
		}
	}
	for at := 0; at < len(todo); at++ { // in the order of their runs
		s := todo[at]
		for _, from := range back[s] {
			if runs[from] == plainForever {
				runs[from] = min(runs[s]+1, plainForever-1)
				todo = append(todo, from)
			}
		}
	}
	return runs
}

// plainSpans are the characters of isPlain, plainCount how many they are.
var (
	plainSpans = []span{{' ', '!'}, {'#', '['}, {']', surrogateMin - 1}, {surrogateMax + 1, 0x10FFFF}}
	plainCount = 0x110000 - 0x800 - 0x20 - 2
)
