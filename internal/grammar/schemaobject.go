package grammar

import "slices"

// objects is the objects that satisfy all schemas.
func (c *schemaCompiler) objects(all []*schemaNode) (expr, error) {
	o := &objectMembers{jsonText: c.jsonText}
	for _, name := range propertyNames(all) {
		value, err := c.compileAll(propertySchemas(all, name))
		if err != nil {
			return nil, err
		}
		required := slices.ContainsFunc(all, func(n *schemaNode) bool { return slices.Contains(n.required, name) })
		o.properties = append(o.properties, property{literal(quote(name)), value, required})
	}
	if isNever(additionalSchemas(all)) {
		return c.object(o), nil
	}
	names, err := otherThan(propertyNames(all))
	if err != nil {
		return nil, err
	}
	value, err := c.compileAll(additionalSchemas(all))
	if err != nil {
		return nil, err
	}
	o.others = c.rule("", c.member(c.string(names), value))
	return c.object(o), nil
}

// isNever reports whether a list holds the schema that nothing satisfies.
func isNever(list []*value) bool {
	return slices.ContainsFunc(list, func(v *value) bool { return v.kind == kindFalse })
}

// propertyNames returns the properties that schemas declare or require, in
// that order.
func propertyNames(all []*schemaNode) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, n := range all {
		for _, m := range n.properties {
			add(m.name)
		}
	}
	for _, n := range all {
		for _, name := range n.required {
			add(name)
		}
	}
	return names
}

// propertySchemas returns what schemas say about the value of a property.
func propertySchemas(all []*schemaNode, name string) []*value {
	var list []*value
	for _, n := range all {
		i := slices.IndexFunc(n.properties, func(m member) bool { return m.name == name })
		if i >= 0 {
			list = append(list, n.properties[i].value)
		} else if n.additional != nil {
			list = append(list, n.additional)
		}
	}
	return list
}

// additionalSchemas returns what schemas say about the properties that none of
// them declares.
func additionalSchemas(all []*schemaNode) []*value {
	var list []*value
	for _, n := range all {
		if n.additional != nil {
			list = append(list, n.additional)
		}
	}
	return list
}

// objectMembers is the members of an object: the properties in order, those
// that are not required may be missing, then any number of others.
type objectMembers struct {
	*jsonText
	properties []property
	others     expr // nil for none
}

// property is a member with a fixed name.
type property struct {
	name     literal
	value    expr
	required bool
}

func (o *objectMembers) weight() int {
	n := 8
	for _, p := range o.properties {
		n += len(p.name) + p.value.weight() + 4
	}
	return min(n, maxStates)
}

// emit has two ways through the properties, before and after the first member,
// that share the members themselves: only the commas differ.
func (o *objectMembers) emit(b *builder, from, to int32) {
	const nowhere = -1
	comma := sequence{literal(","), o.gap}
	empty := b.state()
	b.skip(from, empty)
	some := int32(nowhere)
	for _, p := range o.properties {
		start, next := b.state(), b.state()
		o.member(p.name, p.value).emit(b, start, next)
		if empty != nowhere {
			b.skip(empty, start)
		}
		if some != nowhere {
			comma.emit(b, some, start)
			if !p.required {
				b.skip(some, next)
			}
		}
		if p.required {
			empty = nowhere
		}
		some = next
	}
	if o.others != nil {
		start, next := b.state(), b.state()
		o.others.emit(b, start, next)
		comma.emit(b, next, start)
		b.skip(next, to)
		if empty != nowhere {
			b.skip(empty, start)
		}
		if some != nowhere {
			comma.emit(b, some, start)
		}
	}
	if empty != nowhere {
		b.skip(empty, to)
	}
	if some != nowhere {
		b.skip(some, to)
	}
}
