package chat

import (
	"slices"
	"strconv"
	"strings"
)

func join(r *renderer, x value, a arguments) (value, error) {
	if err := a.accept("join", "d", "attribute"); err != nil {
		return nil, err
	}
	all, err := r.items(x)
	if err != nil {
		return nil, err
	}
	var separator text
	if v, ok := a.get(0, "d"); ok {
		if separator, err = r.str(v); err != nil {
			return nil, err
		}
	}
	attribute, byAttribute := a.get(1, "attribute")
	var b textBuilder
	for i, item := range all {
		if byAttribute {
			if item, err = r.path(item, attribute); err != nil {
				return nil, err
			}
		}
		t, err := r.str(item)
		if err != nil {
			return nil, err
		}
		if err := r.charge(len(t.s) + len(separator.s)); err != nil {
			return nil, err
		}
		if i > 0 {
			b.add(separator)
		}
		b.add(t)
	}
	return b.text(), nil
}

// path follows an attribute such as "function.name" or an index.
func (r *renderer) path(v, attribute value) (value, error) {
	name, ok := attribute.(text)
	if !ok {
		return r.subscript(v, attribute)
	}
	for part := range strings.SplitSeq(name.s, ".") {
		var key value = literal(part)
		if n, err := strconv.ParseInt(part, 10, 64); err == nil {
			key = n
		}
		var err error
		if v, err = r.subscript(v, key); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func toList(r *renderer, x value, _ arguments) (value, error) {
	all, err := r.items(x)
	if err != nil {
		return nil, err
	}
	return r.list(all)
}

func items(r *renderer, x value, _ arguments) (value, error) {
	switch x := x.(type) {
	case undefined:
		return r.list(nil)
	case *dict:
		return r.pairs(x)
	}
	return nil, failf("a %s has no items", typeName(x))
}

// pairs lists a dictionary's keys with their values.
func (r *renderer) pairs(d *dict) (*list, error) {
	out := make([]value, len(d.keys))
	for i := range out {
		pair, err := r.tuple([]value{d.key(i), d.vals[i]})
		if err != nil {
			return nil, err
		}
		out[i] = pair
	}
	return r.list(out)
}

func end(name string) filterFunc {
	return func(r *renderer, x value, _ arguments) (value, error) {
		all, err := r.items(x)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			return undefined{"the " + name + " item of nothing"}, nil
		}
		if name == "first" {
			return all[0], nil
		}
		return all[len(all)-1], nil
	}
}

func reverse(r *renderer, x value, _ arguments) (value, error) {
	all, err := r.items(x)
	if err != nil {
		return nil, err
	}
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	if _, ok := x.(text); ok {
		parts := make([]text, len(backwards))
		for i, v := range backwards {
			parts[i] = v.(text)
		}
		return concat(parts...), nil
	}
	return r.list(backwards)
}

// sortKey is what sorting compares: an attribute, without case unless asked.
func (r *renderer) sortKey(v, attribute value, caseSensitive bool) (value, error) {
	if attribute != nil {
		var err error
		if v, err = r.path(v, attribute); err != nil {
			return nil, err
		}
	}
	if t, ok := v.(text); ok && !caseSensitive {
		if err := r.charge(len(t.s)); err != nil {
			return nil, err
		}
		return literal(strings.ToLower(t.s)), nil
	}
	return v, nil
}

func unique(r *renderer, x value, a arguments) (value, error) {
	if err := a.accept("unique", "case_sensitive", "attribute"); err != nil {
		return nil, err
	}
	all, err := r.items(x)
	if err != nil {
		return nil, err
	}
	caseSensitive, _ := a.get(0, "case_sensitive")
	attribute, _ := a.get(1, "attribute")
	seen := newDict()
	var out []value
	for _, v := range all {
		k, err := r.sortKey(v, attribute, truth(caseSensitive))
		if err != nil {
			return nil, err
		}
		if err := r.charge(size(k) + shapeOf(k).values); err != nil {
			return nil, err
		}
		if _, ok := seen.get(k); ok {
			continue
		}
		if !seen.put(k, nil) {
			return nil, failf("unique cannot compare a %s", typeName(k))
		}
		out = append(out, v)
	}
	return r.list(out)
}

// sortBy sorts values by their keys, and charges for it.
func (r *renderer) sortBy(all []value, key func(value) (value, error), descending bool) ([]value, error) {
	type keyed struct{ k, v value }
	rows := make([]keyed, len(all))
	for i, v := range all {
		k, err := key(v)
		if err != nil {
			return nil, err
		}
		rows[i] = keyed{k, v}
	}
	var failed error
	slices.SortStableFunc(rows, func(x, y keyed) int {
		if failed == nil {
			failed = r.charge(nodeCost + shapeOf(x.k).values + min(size(x.k), size(y.k)))
		}
		c, ok := compare(x.k, y.k)
		if !ok && failed == nil {
			failed = failf("< is not possible between %s and %s", typeName(x.k), typeName(y.k))
		}
		if descending {
			return -c
		}
		return c
	})
	out := make([]value, len(rows))
	for i, row := range rows {
		out[i] = row.v
	}
	return out, failed
}

func sorted(r *renderer, x value, a arguments) (value, error) {
	if err := a.accept("sort", "reverse", "case_sensitive", "attribute"); err != nil {
		return nil, err
	}
	all, err := r.items(x)
	if err != nil {
		return nil, err
	}
	descending, _ := a.get(0, "reverse")
	caseSensitive, _ := a.get(1, "case_sensitive")
	attribute, _ := a.get(2, "attribute")
	out, err := r.sortBy(all, func(v value) (value, error) {
		return r.sortKey(v, attribute, truth(caseSensitive))
	}, truth(descending))
	if err != nil {
		return nil, err
	}
	return r.list(out)
}

func dictSort(r *renderer, x value, a arguments) (value, error) {
	if err := a.accept("dictsort", "case_sensitive", "by", "reverse"); err != nil {
		return nil, err
	}
	d, ok := x.(*dict)
	if !ok {
		return nil, failf("dictsort wants a dictionary, not a %s", typeName(x))
	}
	pairs, err := r.pairs(d)
	if err != nil {
		return nil, err
	}
	caseSensitive, _ := a.get(0, "case_sensitive")
	by, _ := a.get(1, "by")
	descending, _ := a.get(2, "reverse")
	at := int64(0)
	if equal(by, literal("value")) {
		at = 1
	}
	out, err := r.sortBy(pairs.items, func(v value) (value, error) {
		return r.sortKey(v, at, truth(caseSensitive))
	}, truth(descending))
	if err != nil {
		return nil, err
	}
	return r.list(out)
}

func extreme(name string) filterFunc {
	return func(r *renderer, x value, a arguments) (value, error) {
		if err := a.accept(name, "case_sensitive", "attribute"); err != nil {
			return nil, err
		}
		all, err := r.items(x)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			return undefined{"the " + name + " of nothing"}, nil
		}
		caseSensitive, _ := a.get(0, "case_sensitive")
		attribute, _ := a.get(1, "attribute")
		out, err := r.sortBy(all, func(v value) (value, error) {
			return r.sortKey(v, attribute, truth(caseSensitive))
		}, name == "max")
		if err != nil {
			return nil, err
		}
		return out[0], nil
	}
}

func sum(r *renderer, x value, a arguments) (value, error) {
	if err := a.accept("sum", "attribute", "start"); err != nil {
		return nil, err
	}
	all, err := r.items(x)
	if err != nil {
		return nil, err
	}
	total, ok := a.get(1, "start")
	if !ok {
		total = int64(0)
	}
	attribute, _ := a.get(0, "attribute")
	for _, v := range all {
		if attribute != nil {
			if v, err = r.path(v, attribute); err != nil {
				return nil, err
			}
		}
		if total, err = r.arithmetic("+", total, v); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// itemsIfAny is items, none where the value is false: map and select take
// None for an empty list.
func (r *renderer) itemsIfAny(x value) ([]value, error) {
	if !truth(x) {
		return nil, nil
	}
	return r.items(x)
}

// mapItems is map(attribute="name", default=x) and map("filter", …).
func mapItems(r *renderer, x value, a arguments) (value, error) {
	all, err := r.itemsIfAny(x)
	if err != nil {
		return nil, err
	}
	apply := func(v value) (value, error) { return nil, failf("map wants an attribute or a filter") }
	if attribute, ok := a.get(len(a.positional), "attribute"); ok {
		alternative, hasDefault := a.get(len(a.positional), "default")
		apply = func(v value) (value, error) {
			v, err := r.path(v, attribute)
			if _, missing := v.(undefined); missing && hasDefault {
				return alternative, err
			}
			return v, err
		}
	} else if len(a.positional) > 0 {
		name, _ := a.positional[0].(text)
		f, ok := filterNamed(name.s)
		if !ok {
			return nil, failf("there is no filter %q", name.s)
		}
		inner := arguments{a.positional[1:], a.names, a.named}
		apply = func(v value) (value, error) {
			inner := arguments{slices.Clone(inner.positional), inner.names, inner.named}
			return f(r, v, inner)
		}
	}
	out := make([]value, len(all))
	for i, v := range all {
		if err := r.enter(); err != nil {
			return nil, err
		}
		out[i], err = apply(v)
		r.leave()
		if err != nil {
			return nil, err
		}
	}
	return r.list(out)
}

// selectItems are select, reject, selectattr and rejectattr: they keep the
// items that pass a test or are true, or whose attribute is, or the others.
func selectItems(name string) filterFunc {
	want, byAttribute := strings.HasPrefix(name, "select"), strings.HasSuffix(name, "attr")
	return func(r *renderer, x value, a arguments) (value, error) {
		all, err := r.itemsIfAny(x)
		if err != nil {
			return nil, err
		}
		args := a.positional
		var attribute value
		if byAttribute {
			if len(args) == 0 {
				return nil, failf("selectattr wants an attribute")
			}
			attribute, args = args[0], args[1:]
		}
		check := func(_ *renderer, v value, _ arguments) (bool, error) { return truth(v), nil }
		if len(args) > 0 {
			name, _ := args[0].(text)
			t, ok := testNamed(name.s)
			if !ok {
				return nil, failf("there is no test %q", name.s)
			}
			check, args = t, args[1:]
		}
		var out []value
		for _, item := range all {
			v := item
			if attribute != nil {
				if v, err = r.path(item, attribute); err != nil {
					return nil, err
				}
			}
			ok, err := check(r, v, arguments{positional: args})
			if err != nil {
				return nil, err
			}
			if err := r.charge(nodeCost); err != nil {
				return nil, err
			}
			if ok == want {
				out = append(out, item)
			}
		}
		return r.list(out)
	}
}

func groupBy(r *renderer, x value, a arguments) (value, error) {
	if err := a.accept("groupby", "attribute", "default", "case_sensitive"); err != nil {
		return nil, err
	}
	attribute, ok := a.get(0, "attribute")
	if !ok {
		return nil, failf("groupby wants an attribute")
	}
	all, err := r.items(x)
	if err != nil {
		return nil, err
	}
	caseSensitive, _ := a.get(2, "case_sensitive")
	key := func(v value) (value, error) { return r.sortKey(v, attribute, truth(caseSensitive)) }
	ordered, err := r.sortBy(all, key, false)
	if err != nil {
		return nil, err
	}
	var groups []value
	var members []value
	var last value
	flush := func() error {
		if len(members) == 0 {
			return nil
		}
		grouper, err := r.path(members[0], attribute)
		if err != nil {
			return err
		}
		inner, err := r.list(members)
		if err != nil {
			return err
		}
		pair, err := r.tuple([]value{grouper, inner})
		groups, members = append(groups, pair), nil
		return err
	}
	for _, v := range ordered {
		k, err := key(v)
		if err != nil {
			return nil, err
		}
		if len(members) > 0 && !equal(k, last) {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		members, last = append(members, v), k
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return r.list(groups)
}
