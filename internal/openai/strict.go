package openai

import (
	"fmt"
	"slices"
	"strings"
)

// The bounds of a strict schema, as OpenAI's guide to structured outputs gives
// them.
const (
	maxStrictProperties = 5000
	maxStrictDepth      = 10
	maxStrictNames      = 120_000 // characters of names, enums and constants
	maxStrictEnum       = 1000
)

// strictProblem says what keeps a schema from being strict, in the API's words,
// or nothing. What it lets pass may still hold a keyword that the model's
// grammar refuses.
func strictProblem(schema *value) string {
	c := &strictChecker{}
	if kind := schema.field("type"); kind == nil || kind.kind != text || kind.text != "object" {
		got := "None"
		if kind != nil && kind.kind == text {
			got = kind.text
		}
		return fmt.Sprintf(`schema must be a JSON Schema of 'type: "object"', got 'type: "%s"'.`, abbreviate(got))
	}
	if schema.field("anyOf") != nil {
		return "In context=(), 'anyOf' is not permitted at the root."
	}
	c.check(schema, nil, 0)
	return c.problem
}

// strictChecker walks a schema and keeps the first problem.
type strictChecker struct {
	problem    string
	properties int
	names      int
}

// fail keeps a problem found at a place in the schema.
func (c *strictChecker) fail(at []string, format string, args ...any) {
	if c.problem != "" {
		return
	}
	quoted := make([]string, len(at))
	for i, step := range at {
		quoted[i] = "'" + abbreviate(step) + "'"
	}
	context := strings.Join(quoted, ", ")
	if len(at) == 1 {
		context += "," // as Python writes a tuple of one
	}
	c.problem = fmt.Sprintf("In context=(%s), %s", context, fmt.Sprintf(format, args...))
}

// forbiddenInStrict are keywords that a strict schema cannot have.
var forbiddenInStrict = []string{"allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else", "oneOf", "patternProperties"}

func (c *strictChecker) check(schema *value, at []string, depth int) {
	if c.problem != "" || schema.kind != dictionary {
		return
	}
	if depth > maxStrictDepth {
		c.fail(at, "the schema is nested more than %d levels deep.", maxStrictDepth)
		return
	}
	for _, keyword := range forbiddenInStrict {
		if schema.field(keyword) != nil {
			c.fail(at, "'%s' is not permitted.", keyword)
			return
		}
	}
	c.checkObject(schema, at, depth)
	if items := schema.field("items"); items != nil {
		c.check(items, append(at, "items"), depth+1)
	}
	if enum := schema.field("enum"); enum != nil {
		if len(enum.kids) > maxStrictEnum {
			c.fail(at, "'enum' has more than %d values.", maxStrictEnum)
		}
		for i := range enum.kids {
			c.count(enum.kids[i].text, at)
		}
	}
	c.checkEach(schema, "anyOf", at, depth)
	for _, definitions := range []string{"$defs", "definitions"} {
		c.checkEach(schema, definitions, at, depth)
	}
}

// checkEach checks every schema of a list or map of them.
func (c *strictChecker) checkEach(schema *value, keyword string, at []string, depth int) {
	all := schema.field(keyword)
	if all == nil {
		return
	}
	for i := range all.kids {
		step := all.kids[i].name
		if step == "" {
			step = fmt.Sprint(i)
		}
		next := depth
		if keyword == "anyOf" {
			next++
		}
		c.check(&all.kids[i], append(slices.Clone(at), keyword, step), next)
	}
}

// checkObject checks that every property is required and no other allowed.
func (c *strictChecker) checkObject(schema *value, at []string, depth int) {
	properties := schema.field("properties")
	if properties == nil && !isObjectType(schema.field("type")) {
		return
	}
	if extra := schema.field("additionalProperties"); extra == nil || extra.kind != boolean || extra.text != "false" {
		c.fail(at, "'additionalProperties' is required to be supplied and to be false.")
		return
	}
	if properties == nil {
		return
	}
	var required []string
	if list := schema.field("required"); list != nil {
		for i := range list.kids {
			required = append(required, list.kids[i].text)
		}
	}
	for i := range properties.kids {
		name := properties.kids[i].name
		if !slices.Contains(required, name) {
			c.fail(at, "'required' is required to be supplied and to be an array including every key in properties. Missing '%s'.", abbreviate(name))
			return
		}
		c.count(name, at)
		if c.properties++; c.properties > maxStrictProperties {
			c.fail(at, "the schema has more than %d properties.", maxStrictProperties)
			return
		}
		c.check(&properties.kids[i], append(slices.Clone(at), "properties", name), depth+1)
	}
}

func (c *strictChecker) count(name string, at []string) {
	if c.names += len(name); c.names > maxStrictNames {
		c.fail(at, "the names and values of the schema have more than %d characters.", maxStrictNames)
	}
}

// isObjectType reports whether a schema's type is object, or may be.
func isObjectType(kind *value) bool {
	if kind == nil {
		return false
	}
	if kind.kind == text {
		return kind.text == "object"
	}
	return slices.ContainsFunc(kind.kids, func(v value) bool { return v.text == "object" })
}
