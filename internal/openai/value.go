package openai

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Limits on the shape of a request's JSON text. They stand far above what any
// client sends (an embeddings request holds at most 300,000 token ids) and far
// below what would cost memory or stack out of proportion to the text.
const (
	maxDepth  = 100
	maxValues = 1 << 20
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
	if err := p.value(&root, "", 0); err != nil {
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

// value reads the next value into v. The text is known to be valid JSON.
func (p *parser) value(v *value, path string, depth int) error {
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
			return Refuse(root(path), CodeInvalidValue, "Invalid '%s': nested more than %d levels deep.", root(path), maxDepth)
		}
		if t == '[' {
			return p.array(v, path, depth)
		}
		return p.dictionary(v, path, depth)
	}
	return nil
}

func (p *parser) array(v *value, path string, depth int) error {
	v.kind = array
	for p.tokens.More() {
		v.kids = append(v.kids, value{})
		// The path of an item costs memory and is only ever used for what
		// lies in it, so an item is named after its array.
		if err := p.value(&v.kids[len(v.kids)-1], path, depth+1); err != nil {
			return err
		}
	}
	return p.end()
}

func (p *parser) dictionary(v *value, path string, depth int) error {
	v.kind = dictionary
	seen := map[string]bool{}
	for p.tokens.More() {
		token, err := p.tokens.Token()
		if err != nil {
			return badJSON(err.Error())
		}
		key, _ := token.(string)
		at := join(path, key)
		if seen[key] {
			return Refuse(at, CodeDuplicateParameter, "Duplicate parameter: '%s' is given twice.", abbreviate(at))
		}
		seen[key] = true
		v.kids = append(v.kids, value{name: key})
		if err := p.value(&v.kids[len(v.kids)-1], at, depth+1); err != nil {
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

// root is the first name of a path: a path a hundred levels deep helps nobody.
func root(path string) string {
	for i := range len(path) {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return path
}
