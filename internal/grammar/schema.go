package grammar

import (
	"errors"
	"fmt"
	"slices"
)

// CompileSchema returns the JSON texts that satisfy a JSON Schema (draft
// 2020-12). It knows every keyword that OpenAI documents for structured
// outputs: type (also a list of types), properties, required,
// additionalProperties, items, enum, const, anyOf, $ref within the schema and
// $defs, pattern, format (date, time, date-time, duration, uuid, email,
// hostname, ipv4, ipv6), minimum, maximum, exclusiveMinimum, exclusiveMaximum,
// multipleOf, minItems, maxItems; and minLength and maxLength. Annotations are
// passed over. Anything else is a *SchemaError that names the keyword.
//
// Texts are written one way: on one line, with at most a space after each
// colon and comma, declared properties in the order of the schema before any
// others, nothing escaped that need not be except in strings that may hold any
// character, integers without a fraction, and numbers of at most 18 digits
// before the point, 17 after it, and an exponent of two digits, which numbers
// with bounds do not have.
func CompileSchema(schema []byte) (*Grammar, error) {
	root, err := parseValue(schema)
	if err != nil {
		return nil, fmt.Errorf("read JSON schema: %w", err)
	}
	c := &schemaCompiler{
		jsonText: newJSONText(),
		root:     root,
		parsed:   map[*value]*schemaNode{},
		rules:    map[string]call{},
	}
	c.parsed[root] = &schemaNode{path: "#", value: root}
	rule, err := c.compileAll([]*value{root})
	if err != nil {
		return nil, err
	}
	g, err := c.grammar(rule)
	if errors.Is(err, ErrEmpty) {
		err = &SchemaError{Path: "#", Reason: "no value satisfies it"}
	}
	return g, err
}

// SchemaError reports what a schema asks for that is not supported or makes no
// sense.
type SchemaError struct {
	Path    string // JSON pointer of the schema, such as #/properties/age
	Keyword string // the keyword in it; empty if the whole is meant
	Reason  string
}

func (e *SchemaError) Error() string {
	if e.Keyword == "" {
		return fmt.Sprintf("schema %s: %s", e.Path, e.Reason)
	}
	return fmt.Sprintf("schema %s: %s: %s", e.Path, e.Keyword, e.Reason)
}

// schemaCompiler turns the parts of one schema into rules.
//
// The unit it works on is a list of schemas that a value has to satisfy
// together: a schema with what its $ref names, or what several of those say
// about one property. expand turns a list into alternatives without any $ref
// or anyOf, each of which describe values by type.
type schemaCompiler struct {
	*jsonText
	root   *value
	parsed map[*value]*schemaNode
	rules  map[string]call // by list
}

// compileAll returns the rule of the values that satisfy all schemas of a list.
func (c *schemaCompiler) compileAll(list []*value) (call, error) {
	key, err := c.key(list)
	if err != nil {
		return 0, err
	}
	if rule, ok := c.rules[key]; ok {
		return rule, nil
	}
	name := "any value"
	if len(list) > 0 {
		name = c.parsed[list[0]].path
	}
	rule := c.declare(name)
	c.rules[key] = rule
	alternatives, err := c.expand(list)
	if err != nil {
		return 0, err
	}
	var values either
	for _, all := range alternatives {
		e, err := c.values(all)
		if err != nil {
			return 0, err
		}
		values = append(values, e)
	}
	c.define(rule, values)
	return rule, c.err
}

// key identifies a list.
func (c *schemaCompiler) key(list []*value) (string, error) {
	key := ""
	for _, v := range list {
		n, err := c.node(v)
		if err != nil {
			return "", err
		}
		key += n.path + "\n"
	}
	return key, nil
}

// pending is a schema that expand has still to look at, and those whose $ref
// or anyOf led to it.
type pending struct {
	value *value
	via   []*value
}

// maxAlternatives bounds what anyOf, and its products, come to.
const maxAlternatives = 512

// expand returns the alternatives of a list: a value satisfies the list if it
// satisfies all schemas of one of them, their $ref and anyOf aside.
func (c *schemaCompiler) expand(list []*value) ([][]*schemaNode, error) {
	var alternatives [][]*schemaNode
	steps := 0
	var walk func(done []*schemaNode, todo []pending) error
	walk = func(done []*schemaNode, todo []pending) error {
		if steps++; steps > 64*maxAlternatives || len(alternatives) > maxAlternatives {
			return &LimitError{What: "alternatives of anyOf for one value", Limit: maxAlternatives}
		}
		if len(todo) == 0 {
			alternatives = append(alternatives, slices.Clone(done))
			return nil
		}
		next, todo := todo[0], todo[1:]
		n, err := c.node(next.value)
		if err != nil || n.never {
			return err
		}
		if slices.Contains(next.via, next.value) {
			return &SchemaError{n.path, "$ref", "it comes back to itself with nothing in between"}
		}
		if slices.Contains(done, n) {
			return walk(done, todo)
		}
		if !n.free {
			done = append(done[:len(done):len(done)], n)
		}
		via := append(next.via[:len(next.via):len(next.via)], next.value)
		if n.ref != nil {
			todo = append(todo[:len(todo):len(todo)], pending{n.ref, via})
		}
		if n.anyOf == nil {
			return walk(done, todo)
		}
		for _, branch := range n.anyOf {
			if err := walk(done, append(todo[:len(todo):len(todo)], pending{branch, via})); err != nil {
				return err
			}
		}
		return nil
	}
	var todo []pending
	for _, v := range list {
		todo = append(todo, pending{value: v})
	}
	err := walk(nil, todo)
	return alternatives, err
}

// values is the values that satisfy all of some schemas, their $ref and anyOf
// aside.
func (c *schemaCompiler) values(all []*schemaNode) (expr, error) {
	if len(all) == 0 {
		return c.anyValue(), nil
	}
	types := allTypes
	for _, n := range all {
		types &= n.types
	}
	if i := slices.IndexFunc(all, func(n *schemaNode) bool { return n.enum != nil }); i >= 0 {
		return c.constants(all, all[i].enum)
	}
	var values either
	makers := []struct {
		kind kind
		make func(all []*schemaNode) (expr, error)
	}{{kindObject, c.objects}, {kindArray, c.arrays}, {kindString, c.strings}, {kindNumber, c.numbers}}
	for _, m := range makers {
		if types&(1<<m.kind) == 0 {
			continue
		}
		e, err := m.make(all)
		if err != nil {
			return nil, err
		}
		values = append(values, e)
	}
	for _, constant := range []struct {
		kind kind
		text literal
	}{{kindTrue, "true"}, {kindFalse, "false"}, {kindNull, "null"}} {
		if types&(1<<constant.kind) != 0 {
			values = append(values, constant.text)
		}
	}
	return values, nil
}

// constants is those of some values that satisfy all schemas.
func (c *schemaCompiler) constants(all []*schemaNode, candidates []*value) (expr, error) {
	var values either
	for _, v := range candidates {
		ok, err := c.satisfies(v, all)
		if err != nil {
			return nil, err
		}
		if ok {
			values = append(values, c.constant(v))
		}
	}
	return values, nil
}

// itemSchemas returns what schemas say about the items of an array.
func itemSchemas(all []*schemaNode) []*value {
	var list []*value
	for _, n := range all {
		if n.items != nil {
			list = append(list, n.items)
		}
	}
	return list
}

// arrays is the arrays that satisfy all schemas.
func (c *schemaCompiler) arrays(all []*schemaNode) (expr, error) {
	item, err := c.compileAll(itemSchemas(all))
	if err != nil {
		return nil, err
	}
	least, most := limits(all, func(n *schemaNode) sizes { return n.itemCount })
	if most != unbounded && least > most {
		return either{}, nil
	}
	if max(least, most) > maxStates/4 {
		return nil, &SchemaError{all[0].path, "maxItems", fmt.Sprintf("more than %d", maxStates/4)}
	}
	if least == 0 && most != 0 {
		// An array whose items cannot be satisfied is still an empty one.
		return either{c.array(item, 0, most), literal("[]")}, nil
	}
	return c.array(item, least, most), nil
}

// strings is the strings that satisfy all schemas.
func (c *schemaCompiler) strings(all []*schemaNode) (expr, error) {
	d, err := stringAutomaton(all)
	if errors.Is(err, ErrEmpty) {
		return either{}, nil
	}
	if err == nil && d.free() {
		return c.freeString(), nil
	}
	if err != nil {
		return nil, &SchemaError{Path: all[0].path, Reason: err.Error()}
	}
	return c.string(d), nil
}

// stringAutomaton accepts the strings that satisfy all schemas.
func stringAutomaton(all []*schemaNode) (*runeDFA, error) {
	least, most := limits(all, func(n *schemaNode) sizes { return n.length })
	if most != unbounded && least > most {
		return nil, ErrEmpty
	}
	d, err := ofLength(least, most)
	for _, n := range all {
		for _, other := range []*runeDFA{n.pattern, n.format} {
			if err == nil && other != nil {
				d, err = both(d, other)
			}
		}
	}
	return d, err
}

// limits returns the largest least and the smallest most of all schemas.
func limits(all []*schemaNode, of func(*schemaNode) sizes) (least, most int) {
	most = unbounded
	for _, n := range all {
		s := of(n)
		least = max(least, s.least)
		if s.most != nil && (most == unbounded || *s.most < most) {
			most = *s.most
		}
	}
	return least, most
}
