package grammar

import "slices"

// satisfies reports whether a value satisfies all schemas, their $ref and
// anyOf aside.
func (c *schemaCompiler) satisfies(v *value, all []*schemaNode) (bool, error) {
	for _, n := range all {
		if n.types&(1<<v.kind) == 0 || n.enum != nil && !slices.ContainsFunc(n.enum, v.equal) {
			return false, nil
		}
	}
	switch v.kind {
	case kindString:
		d, err := stringAutomaton(all)
		if err == ErrEmpty {
			return false, nil
		}
		return err == nil && d.matches(v.text), err
	case kindNumber:
		x, ok := parseNumber(v.text)
		return !ok || limitsOf(all).allows(x), nil
	case kindArray:
		least, most := limits(all, func(n *schemaNode) sizes { return n.itemCount })
		if len(v.items) < least || most != unbounded && len(v.items) > most {
			return false, nil
		}
		return c.satisfyAll(v.items, func(int) []*value { return itemSchemas(all) })
	case kindObject:
		for _, n := range all {
			if slices.ContainsFunc(n.required, func(name string) bool { return v.get(name) == nil }) {
				return false, nil
			}
		}
		var items []*value
		for _, m := range v.members {
			items = append(items, m.value)
		}
		return c.satisfyAll(items, func(i int) []*value { return propertySchemas(all, v.members[i].name) })
	}
	return true, nil
}

// satisfyAll reports whether each value satisfies its own list of schemas.
func (c *schemaCompiler) satisfyAll(values []*value, list func(i int) []*value) (bool, error) {
	for i, v := range values {
		alternatives, err := c.expand(list(i))
		if err != nil {
			return false, err
		}
		any := false
		for _, all := range alternatives {
			ok, err := c.satisfies(v, all)
			if err != nil {
				return false, err
			}
			any = any || ok
		}
		if !any {
			return false, nil
		}
	}
	return true, nil
}
