package openai

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// object takes the fields of one JSON object, by name and type. The first
// thing found wrong is kept and makes every later step a no-op, so a decoder
// is a plain list of fields; decode and each return it.
type object struct {
	path  string
	value *value
	taken []string
	state *decoding
}

// decoding is shared by all objects of one request.
type decoding struct{ err error }

func (d *decoding) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// decode parses data, which must be an object, and lets read take its fields;
// a field that read leaves is unknown.
func decode(data []byte, read func(*object)) error {
	root, err := parse(data)
	if err != nil {
		return err
	}
	if root.kind != dictionary {
		return badJSON("it is " + root.described() + ", not an object")
	}
	o := &object{value: root, state: &decoding{}}
	read(o)
	o.rejectUnknown(func(name string) *RequestError {
		return Refuse(name, "", "Unrecognized request argument supplied: %s", abbreviate(name))
	})
	return o.state.err
}

// rejectUnknown fails on the first field that was not taken.
func (o *object) rejectUnknown(refuse func(path string) *RequestError) {
	for i := range o.value.kids {
		if name := o.value.kids[i].name; !slices.Contains(o.taken, name) {
			o.state.fail(refuse(join(o.path, name)))
		}
	}
}

func unknownParameter(path string) *RequestError {
	return Refuse(path, "unknown_parameter", "Unknown parameter: '%s'.", abbreviate(path))
}

// take returns the field, or nil where it is absent or null.
func (o *object) take(name string) *value {
	v := o.takeNullable(name)
	if v != nil && v.kind == null {
		return nil
	}
	return v
}

// takeNullable returns the field, or nil where it is absent.
func (o *object) takeNullable(name string) *value {
	o.taken = append(o.taken, name)
	if o.state.err != nil {
		return nil
	}
	for i := range o.value.kids {
		if o.value.kids[i].name == name {
			return &o.value.kids[i]
		}
	}
	return nil
}

func (o *object) failType(path, want string, got *value) {
	o.state.fail(invalidType(path, want, got))
}

func invalidType(path, want string, got *value) *RequestError {
	return Refuse(path, CodeInvalidType, "Invalid type for '%s': expected %s, but got %s instead.", path, want, got.described())
}

// described is the value's type with its article, as the API's messages say it.
func (v *value) described() string {
	if v.kind == number && isInteger(v.text) {
		return "an integer"
	}
	return v.kind.described()
}

func (k kind) described() string {
	return [...]string{null: "null", boolean: "a boolean", number: "a decimal number", text: "a string", array: "an array", dictionary: "an object"}[k]
}

func isInteger(digits string) bool { return !strings.ContainsAny(digits, ".eE") }

// text takes an optional string.
func (o *object) text(name string) *string {
	v := o.take(name)
	if v == nil {
		return nil
	}
	if v.kind != text {
		o.failType(join(o.path, name), "a string", v)
		return nil
	}
	return &v.text
}

// flag takes an optional boolean.
func (o *object) flag(name string) *bool {
	v := o.take(name)
	if v == nil {
		return nil
	}
	if v.kind != boolean {
		o.failType(join(o.path, name), "a boolean", v)
		return nil
	}
	set := v.text == "true"
	return &set
}

// decimal takes an optional number.
func (o *object) decimal(name string) *float64 {
	v := o.take(name)
	if v == nil {
		return nil
	}
	f, err := v.float(join(o.path, name))
	if err != nil {
		o.state.fail(err)
		return nil
	}
	return &f
}

// integer takes an optional whole number.
func (o *object) integer(name string) *int64 {
	v := o.take(name)
	if v == nil {
		return nil
	}
	n, err := v.integer(join(o.path, name))
	if err != nil {
		o.state.fail(err)
		return nil
	}
	return &n
}

func (v *value) float(path string) (float64, error) {
	if v.kind != number {
		return 0, invalidType(path, "a decimal", v)
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, Refuse(path, CodeInvalidValue, "Invalid '%s': the number %s is out of range.", path, abbreviate(v.text))
	}
	return f, nil
}

func (v *value) integer(path string) (int64, error) {
	if v.kind != number || !isInteger(v.text) {
		return 0, invalidType(path, "an integer", v)
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		return 0, Refuse(path, CodeInvalidValue, "Invalid '%s': the integer %s is out of range.", path, abbreviate(v.text))
	}
	return n, nil
}

// each calls read with every item of an optional array, which must all be
// objects. It reports whether the field is there.
func (o *object) each(name, want string, read func(*object)) bool {
	v := o.take(name)
	if v == nil {
		return false
	}
	path := join(o.path, name)
	if v.kind != array {
		o.failType(path, want, v)
		return true
	}
	for i := range v.kids {
		at := fmt.Sprintf("%s[%d]", path, i)
		if v.kids[i].kind != dictionary {
			o.failType(at, "an object", &v.kids[i])
			return true
		}
		read(&object{path: at, value: &v.kids[i], state: o.state})
	}
	return true
}

// inner takes an optional object.
func (o *object) inner(name string) *object {
	v := o.take(name)
	if v == nil {
		return nil
	}
	path := join(o.path, name)
	if v.kind != dictionary {
		o.failType(path, "an object", v)
		return nil
	}
	return &object{path: path, value: v, state: o.state}
}

// advice takes an optional object whose contents bind nobody.
func (o *object) advice(name string) { o.inner(name) }

// unserved takes a parameter that no Ragstone of this version serves, of one of
// the given kinds, and returns its name if it is given.
func (o *object) unserved(name string, kinds ...kind) []string {
	v := o.take(name)
	if v == nil {
		return nil
	}
	if !slices.Contains(kinds, v.kind) {
		o.failType(join(o.path, name), kinds[0].described(), v)
		return nil
	}
	return []string{name}
}
