package grammar

import (
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// schemaNode is one schema, its keywords read.
type schemaNode struct {
	path  string
	value *value

	read  bool
	never bool // it is false
	free  bool // it says nothing about a value
	types kinds

	ref   *value
	anyOf []*value
	enum  []*value // of enum or const; nil if there is neither

	properties []member
	required   []string
	additional *value
	items      *value
	itemCount  sizes

	length          sizes
	pattern, format *runeDFA

	low, high  bound
	multipleOf *big.Rat
}

// sizes are bounds of a length.
type sizes struct {
	least int
	most  *int
}

// bound is a limit of a number.
type bound struct {
	value     *big.Rat // nil for none
	exclusive bool
}

// kinds has a bit for each kind, and this one for numbers with a fraction.
const fractions kinds = 1 << 7

const allTypes kinds = 0xFF

// typeNames are the values of the keyword type.
var typeNames = map[string]kinds{
	"object":  1 << kindObject,
	"array":   1 << kindArray,
	"string":  1 << kindString,
	"number":  1<<kindNumber | fractions,
	"integer": 1 << kindNumber,
	"boolean": 1<<kindTrue | 1<<kindFalse,
	"null":    1 << kindNull,
}

// node returns a schema with its keywords read.
func (c *schemaCompiler) node(v *value) (*schemaNode, error) {
	n := c.parsed[v]
	if n.read {
		return n, nil
	}
	n.read, n.types, n.free = true, allTypes, true
	switch v.kind {
	case kindTrue:
		return n, nil
	case kindFalse:
		n.never, n.free = true, false
		return n, nil
	case kindObject:
	default:
		return nil, &SchemaError{Path: n.path, Reason: "want an object, true or false"}
	}
	for _, m := range v.members {
		if err := c.keyword(n, m); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// keyword reads one keyword into its schema.
func (c *schemaCompiler) keyword(n *schemaNode, m member) error {
	if slices.Contains(annotations, m.name) {
		return nil
	}
	read, ok := keywords[m.name]
	if !ok {
		return &SchemaError{n.path, m.name, "this keyword is not supported"}
	}
	if m.name != "$ref" && m.name != "anyOf" {
		n.free = false
	}
	if err := read(c, n, m.value); err != nil {
		if _, ok := err.(*SchemaError); ok {
			return err
		}
		return &SchemaError{n.path, m.name, err.Error()}
	}
	return nil
}

// annotations are the keywords that say nothing about a value. $defs and
// definitions only hold schemas for $ref.
var annotations = []string{
	"title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
	"$schema", "$comment", "$defs", "definitions",
}

// keywords are those that restrict a value.
var keywords = map[string]func(c *schemaCompiler, n *schemaNode, v *value) error{
	"$id":                  (*schemaCompiler).readID,
	"$ref":                 (*schemaCompiler).readRef,
	"anyOf":                (*schemaCompiler).readAnyOf,
	"type":                 (*schemaCompiler).readType,
	"enum":                 (*schemaCompiler).readEnum,
	"const":                (*schemaCompiler).readConst,
	"properties":           (*schemaCompiler).readProperties,
	"required":             (*schemaCompiler).readRequired,
	"additionalProperties": (*schemaCompiler).readAdditional,
	"items":                (*schemaCompiler).readItems,
	"minItems":             count(func(n *schemaNode, size int) { n.itemCount.least = size }),
	"maxItems":             count(func(n *schemaNode, size int) { n.itemCount.most = &size }),
	"minLength":            count(func(n *schemaNode, size int) { n.length.least = size }),
	"maxLength":            count(func(n *schemaNode, size int) { n.length.most = &size }),
	"pattern":              (*schemaCompiler).readPattern,
	"format":               (*schemaCompiler).readFormat,
	"minimum":              number(func(n *schemaNode, x *big.Rat) { n.low = n.low.above(bound{x, false}) }),
	"maximum":              number(func(n *schemaNode, x *big.Rat) { n.high = n.high.below(bound{x, false}) }),
	"exclusiveMinimum":     number(func(n *schemaNode, x *big.Rat) { n.low = n.low.above(bound{x, true}) }),
	"exclusiveMaximum":     number(func(n *schemaNode, x *big.Rat) { n.high = n.high.below(bound{x, true}) }),
	"multipleOf":           (*schemaCompiler).readMultipleOf,
}

// child remembers where in the schema a part of a node lies.
func (c *schemaCompiler) child(n *schemaNode, v *value, names ...string) *value {
	if c.parsed[v] == nil {
		path := n.path
		for _, name := range names {
			path += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		}
		c.parsed[v] = &schemaNode{path: path, value: v}
	}
	return v
}

func (c *schemaCompiler) readID(n *schemaNode, v *value) error {
	if v.kind != kindString || n.value != c.root {
		return fmt.Errorf("it is supported at the top of the schema only")
	}
	return nil
}

// readRef follows a reference within the schema.
func (c *schemaCompiler) readRef(n *schemaNode, v *value) error {
	if v.kind != kindString {
		return fmt.Errorf("want a string")
	}
	pointer, ok := strings.CutPrefix(v.text, "#")
	pointer, err := url.PathUnescape(pointer)
	if !ok || err != nil || pointer != "" && pointer[0] != '/' {
		return fmt.Errorf("%q: only references within the schema are supported, such as #/$defs/name", v.text)
	}
	to := c.root
	for _, name := range strings.Split(pointer, "/")[1:] {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch {
		case to.kind == kindArray:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(to.items) {
				return fmt.Errorf("%q leads nowhere", v.text)
			}
			to = to.items[i]
		default:
			if to = to.get(name); to == nil {
				return fmt.Errorf("%q leads nowhere", v.text)
			}
		}
	}
	if c.parsed[to] == nil {
		c.parsed[to] = &schemaNode{path: "#" + pointer, value: to}
	}
	n.ref = to
	return nil
}

func (c *schemaCompiler) readAnyOf(n *schemaNode, v *value) error {
	if v.kind != kindArray || len(v.items) == 0 {
		return fmt.Errorf("want a list of schemas")
	}
	for i, branch := range v.items {
		n.anyOf = append(n.anyOf, c.child(n, branch, "anyOf", strconv.Itoa(i)))
	}
	return nil
}

func (c *schemaCompiler) readType(n *schemaNode, v *value) error {
	names := []*value{v}
	if v.kind == kindArray {
		names = v.items
	}
	n.types = 0
	for _, name := range names {
		bits, ok := typeNames[name.text]
		if name.kind != kindString || !ok {
			return fmt.Errorf("want object, array, string, number, integer, boolean, null, or a list of these; got %q", name.text)
		}
		n.types |= bits
	}
	return nil
}

func (c *schemaCompiler) readEnum(n *schemaNode, v *value) error {
	if v.kind != kindArray {
		return fmt.Errorf("want a list of values")
	}
	return n.addConstants(v.items)
}

func (c *schemaCompiler) readConst(n *schemaNode, v *value) error {
	return n.addConstants([]*value{v})
}

// addConstants restricts a schema to values; const and enum may stand
// together.
func (n *schemaNode) addConstants(values []*value) error {
	allowed := make([]*value, 0, len(values))
	for _, v := range values {
		if n.enum == nil || slices.ContainsFunc(n.enum, v.equal) {
			allowed = append(allowed, v)
		}
	}
	n.enum = allowed
	return nil
}

func (c *schemaCompiler) readProperties(n *schemaNode, v *value) error {
	if v.kind != kindObject {
		return fmt.Errorf("want an object of schemas")
	}
	for _, m := range v.members {
		n.properties = append(n.properties, member{m.name, c.child(n, m.value, "properties", m.name)})
	}
	return nil
}

func (c *schemaCompiler) readRequired(n *schemaNode, v *value) error {
	for _, name := range v.items {
		if name.kind != kindString {
			return fmt.Errorf("want a list of names")
		}
		n.required = append(n.required, name.text)
	}
	if v.kind != kindArray {
		return fmt.Errorf("want a list of names")
	}
	return nil
}

func (c *schemaCompiler) readAdditional(n *schemaNode, v *value) error {
	n.additional = c.child(n, v, "additionalProperties")
	return nil
}

func (c *schemaCompiler) readItems(n *schemaNode, v *value) error {
	n.items = c.child(n, v, "items")
	return nil
}

// count reads a keyword that is a number of things.
func count(set func(n *schemaNode, size int)) func(*schemaCompiler, *schemaNode, *value) error {
	return func(_ *schemaCompiler, n *schemaNode, v *value) error {
		x, ok := parseNumber(v.text)
		if v.kind != kindNumber || !ok || !x.IsInt() || x.Sign() < 0 {
			return fmt.Errorf("want a whole number from 0")
		}
		size := maxStates
		if x.Num().IsInt64() {
			size = int(min(x.Num().Int64(), maxStates))
		}
		set(n, size)
		return nil
	}
}

// number reads a keyword that is a number.
func number(set func(n *schemaNode, x *big.Rat)) func(*schemaCompiler, *schemaNode, *value) error {
	return func(_ *schemaCompiler, n *schemaNode, v *value) error {
		x, ok := parseNumber(v.text)
		if v.kind != kindNumber || !ok {
			return fmt.Errorf("want a number whose exponent has at most two digits")
		}
		set(n, x)
		return nil
	}
}

func (c *schemaCompiler) readMultipleOf(n *schemaNode, v *value) error {
	return number(func(n *schemaNode, x *big.Rat) { n.multipleOf = x })(c, n, v)
}

func (c *schemaCompiler) readPattern(n *schemaNode, v *value) error {
	if v.kind != kindString {
		return fmt.Errorf("want a regular expression")
	}
	d, err := parseRegex(fromECMA(v.text), anyPart)
	n.pattern = d
	return err
}

func (c *schemaCompiler) readFormat(n *schemaNode, v *value) error {
	pattern, ok := formats[v.text]
	if v.kind != kindString || !ok {
		return fmt.Errorf("%q is not supported; these are: %s", v.text, strings.Join(formatNames(), ", "))
	}
	d, err := parseRegex(pattern, wholeText)
	n.format = d
	return err
}
