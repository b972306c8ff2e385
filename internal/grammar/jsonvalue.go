package grammar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
)

// value is a JSON value whose members keep their order.
type value struct {
	kind    kind
	text    string   // of a string its characters, of a number its literal
	members []member // of an object
	items   []*value // of an array
}

// member is a name and its value in an object.
type member struct {
	name  string
	value *value
}

// kind is a type of JSON values; kinds is a set of them.
type (
	kind  uint8
	kinds uint8
)

const (
	kindObject kind = iota
	kindArray
	kindString
	kindNumber
	kindTrue
	kindFalse
	kindNull
)

// get returns the member with a name, nil if there is none.
func (v *value) get(name string) *value {
	if v.kind == kindObject {
		for i := range v.members {
			if v.members[i].name == name {
				return v.members[i].value
			}
		}
	}
	return nil
}

// parseValue reads one JSON text.
func parseValue(data []byte) (*value, error) {
	if len(data) > maxSource {
		return nil, &LimitError{What: "bytes", Limit: maxSource}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more after the JSON value")
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (*value, error) {
	if depth > maxDepth {
		return nil, &LimitError{What: "values within one another", Limit: maxDepth}
	}
	t, err := d.Token()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch t := t.(type) {
	case string:
		return &value{kind: kindString, text: t}, nil
	case json.Number:
		return &value{kind: kindNumber, text: t.String()}, nil
	case bool:
		if t {
			return &value{kind: kindTrue}, nil
		}
		return &value{kind: kindFalse}, nil
	case json.Delim:
		if t == '[' {
			return readArray(d, depth)
		}
		return readObject(d, depth)
	}
	return &value{kind: kindNull}, nil
}

func readArray(d *json.Decoder, depth int) (*value, error) {
	v := &value{kind: kindArray}
	for d.More() {
		item, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		v.items = append(v.items, item)
	}
	_, err := d.Token()
	return v, err
}

func readObject(d *json.Decoder, depth int) (*value, error) {
	v := &value{kind: kindObject}
	known := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := t.(string)
		if known[name] {
			return nil, fmt.Errorf("the name %q stands twice in one object", name)
		}
		known[name] = true
		item, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		v.members = append(v.members, member{name, item})
	}
	_, err := d.Token()
	return v, err
}

// equal reports whether two values are the same to JSON Schema: numbers by
// their value, objects whatever the order of their members.
func (v *value) equal(w *value) bool {
	if v.kind != w.kind || len(v.items) != len(w.items) || len(v.members) != len(w.members) {
		return false
	}
	switch v.kind {
	case kindString:
		return v.text == w.text
	case kindNumber:
		a, okA := parseNumber(v.text)
		b, okB := parseNumber(w.text)
		return okA && okB && a.Cmp(b) == 0 || v.text == w.text
	case kindArray:
		return slices.EqualFunc(v.items, w.items, (*value).equal)
	case kindObject:
		for _, m := range v.members {
			if other := w.get(m.name); other == nil || !m.value.equal(other) {
				return false
			}
		}
	}
	return true
}

// parseNumber returns the value of a JSON number, unless its exponent is
// beyond anything a schema means.
func parseNumber(text string) (*big.Rat, bool) {
	if _, exponent, ok := strings.Cut(strings.ToLower(text), "e"); ok && len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// numberText is a number as it is written: integers without a fraction.
func (v *value) numberText() string {
	if x, ok := parseNumber(v.text); ok && x.IsInt() {
		return x.Num().String()
	}
	return v.text
}
