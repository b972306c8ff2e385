package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits on the shape of a request's JSON text. They stand far above what any
// client sends (an embeddings request holds at most 300,000 token ids) and far
// below what would cost memory or stack out of proportion to the text.
const (
	maxDepth  = 100
	maxValues = 400_000
)

// kind is the JSON type of a value.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	dictionary
)

// value is one JSON value. Only what its kind needs is set.
type value struct {
	name string // its key, inside a dictionary
	kind kind
	text string  // a text's characters, a number's digits, "true" or "false"
	kids []value // an array's items, a dictionary's fields in order
}

// parse reads one JSON text: UTF-8, RFC 8259, one value. Keys must be unique.
func parse(data []byte) (*value, error) {
	if !utf8.Valid(data) {
		return nil, badJSON("it is not valid UTF-8")
	}
	if !valid(data) {
		return nil, badJSON(syntaxProblem(data))
	}
	p := parser{rest: data}
	var root value
	if err := p.value(&root, nil, 0); err != nil {
		return nil, err
	}
	return &root, nil
}

func badJSON(why string) *RequestError {
	return Refuse("", "", "We could not parse the JSON body of your request. (HINT: the body must be one JSON object in UTF-8; %s.)", why)
}

func syntaxProblem(data []byte) string {
	var ignored json.RawMessage
	if err := json.Unmarshal(data, &ignored); err != nil {
		return err.Error()
	}
	return "it has a syntax error"
}

// parser walks through a text that valid has accepted, so that there are
// no mistakes for it to find; it takes a third of the time of json.Decoder's
// tokens.
type parser struct {
	rest   []byte
	values int
}

// next returns the first byte of the next token, which it leaves.
func (p *parser) next() byte {
	for i, c := range p.rest {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			p.rest = p.rest[i:]
			return c
		}
	}
	return 0
}

// take takes n bytes.
func (p *parser) take(n int) []byte {
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

// more takes the comma before the next item of a list, or the bracket that
// closes it, and reports whether there is an item.
func (p *parser) more(closing byte) bool {
	switch p.next() {
	case ',':
		p.take(1)
	case closing:
		p.take(1)
		return false
	}
	return true
}

// text takes a text and returns its characters.
func (p *parser) text() string {
	for i := 1; ; i++ {
		switch p.rest[i] {
		case '"':
			return string(p.take(i + 1)[1:i])
		case '\\':
			return p.escapedText(i)
		}
	}
}

// escapedText is text where the first escape stands at byte i.
func (p *parser) escapedText(i int) (characters string) {
	for ; p.rest[i] != '"'; i++ {
		if p.rest[i] == '\\' {
			i++
		}
	}
	if err := json.Unmarshal(p.take(i+1), &characters); err != nil {
		panic("openai: a valid text is none: " + err.Error())
	}
	return characters
}

// number takes a number and returns its digits.
func (p *parser) number() string {
	n := bytes.IndexAny(p.rest, ",]} \n\t\r")
	if n < 0 {
		n = len(p.rest)
	}
	return string(p.take(n))
}

// place is where in the text the parser is. Its path is spelled out only when
// there is something to say about it.
type place struct {
	in    *place // nil: the whole text
	key   string
	index int // of an item, where key is empty
}

func (p *place) String() string {
	switch {
	case p == nil:
		return ""
	case p.key == "":
		return fmt.Sprintf("%s[%d]", p.in, p.index)
	}
	return join(p.in.String(), p.key)
}

// value reads the next value into v.
func (p *parser) value(v *value, at *place, depth int) error {
	if p.values++; p.values > maxValues {
		return Refuse("", "", "The request holds more than %d JSON values.", maxValues)
	}
	switch c := p.next(); c {
	case 'n':
		p.take(len("null"))
		v.kind = null
	case 't':
		v.kind, v.text = boolean, string(p.take(len("true")))
	case 'f':
		v.kind, v.text = boolean, string(p.take(len("false")))
	case '"':
		v.kind, v.text = text, p.text()
	case '[', '{':
		if depth == maxDepth {
			param := root(at.String()) // a path a hundred levels deep helps nobody
			return Refuse(param, CodeInvalidValue, "Invalid '%s': nested more than %d levels deep.", param, maxDepth)
		}
		p.take(1)
		if c == '[' {
			return p.array(v, at, depth)
		}
		return p.dictionary(v, at, depth)
	default:
		v.kind, v.text = number, p.number()
	}
	return nil
}

func (p *parser) array(v *value, at *place, depth int) error {
	v.kind = array
	item := &place{in: at}
	for ; p.more(']'); item.index++ {
		v.kids = append(v.kids, value{})
		if err := p.value(&v.kids[len(v.kids)-1], item, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) dictionary(v *value, at *place, depth int) error {
	v.kind = dictionary
	var known keys
	for p.more('}') {
		p.next()
		key := p.text()
		field := &place{in: at, key: key}
		if known.has(v.kids, key) {
			return Refuse(field.String(), CodeDuplicateParameter, "Duplicate parameter: '%s' is given twice.", abbreviate(field.String()))
		}
		p.next()
		p.take(1) // the colon
		v.kids = append(v.kids, value{name: key})
		if err := p.value(&v.kids[len(v.kids)-1], field, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// keys tell which a dictionary has. Only one with many gets a map for it.
type keys map[string]bool

// has reports whether key is one of those of fields, which are all that it was
// called with before, in order.
func (k *keys) has(fields []value, key string) bool {
	const many = 16
	if len(fields) < many {
		return slices.ContainsFunc(fields, func(f value) bool { return f.name == key })
	}
	if *k == nil {
		*k = keys{}
		for _, f := range fields {
			(*k)[f.name] = true
		}
	}
	known := (*k)[key]
	(*k)[key] = true
	return known
}

// join is the path of a key of the object at path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// root is the first name of a path.
func root(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}
