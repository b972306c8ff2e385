package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	if !json.Valid(data) {
		return nil, badJSON(syntaxProblem(data))
	}
	p := parser{tokens: json.NewDecoder(bytes.NewReader(data))}
	p.tokens.UseNumber()
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

type parser struct {
	tokens *json.Decoder
	values int
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

// value reads the next value into v. The text is known to be valid JSON.
func (p *parser) value(v *value, at *place, depth int) error {
	token, err := p.tokens.Token()
	if err != nil {
		return badJSON(err.Error())
	}
	if p.values++; p.values > maxValues {
		return Refuse("", "", "The request holds more than %d JSON values.", maxValues)
	}
	switch t := token.(type) {
	case nil:
		v.kind = null
	case bool:
		v.kind = boolean
		if v.text = "false"; t {
			v.text = "true"
		}
	case json.Number:
		v.kind, v.text = number, t.String()
	case string:
		v.kind, v.text = text, t
	case json.Delim:
		if depth == maxDepth {
			param := root(at.String()) // a path a hundred levels deep helps nobody
			return Refuse(param, CodeInvalidValue, "Invalid '%s': nested more than %d levels deep.", param, maxDepth)
		}
		if t == '[' {
			return p.array(v, at, depth)
		}
		return p.dictionary(v, at, depth)
	}
	return nil
}

func (p *parser) array(v *value, at *place, depth int) error {
	v.kind = array
	item := &place{in: at}
	for ; p.tokens.More(); item.index++ {
		v.kids = append(v.kids, value{})
		if err := p.value(&v.kids[len(v.kids)-1], item, depth+1); err != nil {
			return err
		}
	}
	return p.end()
}

func (p *parser) dictionary(v *value, at *place, depth int) error {
	v.kind = dictionary
	seen := map[string]bool{}
	for p.tokens.More() {
		token, err := p.tokens.Token()
		if err != nil {
			return badJSON(err.Error())
		}
		key, _ := token.(string)
		field := &place{in: at, key: key}
		if seen[key] {
			return Refuse(field.String(), CodeDuplicateParameter, "Duplicate parameter: '%s' is given twice.", abbreviate(field.String()))
		}
		seen[key] = true
		v.kids = append(v.kids, value{name: key})
		if err := p.value(&v.kids[len(v.kids)-1], field, depth+1); err != nil {
			return err
		}
	}
	return p.end()
}

// end takes the closing bracket.
func (p *parser) end() error {
	if _, err := p.tokens.Token(); err != nil {
		return badJSON(err.Error())
	}
	return nil
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
