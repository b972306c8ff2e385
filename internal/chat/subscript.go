package chat

import "unicode/utf8"

// attribute is v.name: a method or property, else an item.
func (r *renderer) attribute(v value, name string) (value, error) {
	if err := mustBeDefined(v); err != nil {
		return nil, failf("%s, so it has no attribute %q", err.(*Error).Reason, name)
	}
	switch v := v.(type) {
	case *namespace:
		if x, ok := v.vars[name]; ok {
			return x, nil
		}
		return undefined{name}, nil
	case *loop:
		return v.attribute(name), nil
	}
	if m, ok := methodNamed(v, name); ok {
		return function{name, func(r *renderer, a arguments) (value, error) { return m(r, v, a) }}, nil
	}
	if d, ok := v.(*dict); ok {
		if x, ok := d.get(literal(name)); ok {
			return x, nil
		}
	}
	return undefined{name}, nil
}

func (r *renderer) item(x *itemExpr) (value, error) {
	v, err := r.eval(x.x)
	if err != nil {
		return nil, err
	}
	index, err := r.eval(x.index)
	if err != nil {
		return nil, err
	}
	return r.subscript(v, index)
}

// subscript is v[index]: an item, else an attribute.
func (r *renderer) subscript(v, index value) (value, error) {
	switch v := v.(type) {
	case undefined:
		return nil, mustBeDefined(v)
	case *dict:
		if x, ok := v.get(index); ok {
			return x, nil
		}
	case *list:
		if i, ok := integer(index); ok {
			if i < 0 {
				i += int64(len(v.items))
			}
			if i >= 0 && i < int64(len(v.items)) {
				return v.items[i], nil
			}
			return undefined{"an item beyond the list"}, nil
		}
	case text:
		if i, ok := integer(index); ok {
			return r.character(v, i)
		}
	}
	if name, ok := index.(text); ok {
		return r.attribute(v, name.s)
	}
	return undefined{"an item"}, nil
}

// character is the code point at an index.
func (r *renderer) character(t text, i int64) (value, error) {
	if err := r.charge(len(t.s)); err != nil {
		return nil, err
	}
	n := int64(t.length())
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return undefined{"a character beyond the string"}, nil
	}
	at := 0
	for ; i > 0; i-- {
		_, n := utf8.DecodeRuneInString(t.s[at:])
		at += n
	}
	_, width := utf8.DecodeRuneInString(t.s[at:])
	return t.slice(at, at+width), nil
}

func (r *renderer) slice(x *sliceExpr) (value, error) {
	v, err := r.eval(x.x)
	if err != nil {
		return nil, err
	}
	var bounds [3]*int64
	for i, b := range []expression{x.from, x.to, x.step} {
		if b == nil {
			continue
		}
		bv, err := r.eval(b)
		if err != nil {
			return nil, err
		}
		if bv == nil {
			continue
		}
		n, ok := integer(bv)
		if !ok {
			return nil, failf("a slice bound is a %s, want an integer", typeName(bv))
		}
		bounds[i] = &n
	}
	switch v := v.(type) {
	case *list:
		indices, err := sliceIndices(len(v.items), bounds)
		if err != nil {
			return nil, err
		}
		items := make([]value, len(indices))
		for i, at := range indices {
			items[i] = v.items[at]
		}
		return r.sequence(items, v.tuple)
	case text:
		return r.sliceText(v, bounds)
	case undefined:
		return nil, mustBeDefined(v)
	}
	return nil, failf("a %s cannot be sliced", typeName(v))
}

func (r *renderer) sliceText(t text, bounds [3]*int64) (value, error) {
	if err := r.charge(16 * len(t.s)); err != nil {
		return nil, err
	}
	offsets := t.offsets()
	at := func(i int) int {
		if offsets == nil {
			return i
		}
		return offsets[i]
	}
	indices, err := sliceIndices(t.length(), bounds)
	if err != nil || len(indices) == 0 {
		return text{}, err
	}
	if bounds[2] == nil || *bounds[2] == 1 {
		return t.slice(at(indices[0]), at(indices[len(indices)-1]+1)), nil
	}
	var b textBuilder
	for _, i := range indices {
		b.add(t.slice(at(i), at(i+1)))
	}
	return b.text(), nil
}

// sliceIndices lists the indices that a Python slice of n items takes.
func sliceIndices(n int, bounds [3]*int64) ([]int, error) {
	step := int64(1)
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return nil, failf("a slice step is zero")
	}
	length := int64(n)
	lowest, highest := int64(0), length // of what a bound may be
	first, last := lowest, highest
	if step < 0 {
		lowest, highest = -1, length-1
		first, last = highest, lowest
	}
	clamp := func(b *int64, otherwise int64) int64 {
		switch {
		case b == nil:
			return otherwise
		case *b < 0:
			return max(*b+length, lowest)
		}
		return min(*b, highest)
	}
	from, to := clamp(bounds[0], first), clamp(bounds[1], last)
	step = max(min(step, length+1), -length-1)
	var out []int
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		out = append(out, int(i))
	}
	return out, nil
}

// items lists what iterating over a value gives.
func (r *renderer) items(v value) ([]value, error) {
	switch v := v.(type) {
	case *list:
		return v.items, r.charge(len(v.items))
	case *dict:
		out := make([]value, len(v.keys))
		for i := range out {
			out[i] = v.key(i)
		}
		return out, r.charge(valueCost * len(out))
	case text:
		if err := r.charge(4 * valueCost * len(v.s)); err != nil {
			return nil, err
		}
		var out []value
		for i := 0; i < len(v.s); {
			_, n := utf8.DecodeRuneInString(v.s[i:])
			out = append(out, v.slice(i, i+n))
			i += n
		}
		return out, nil
	case undefined:
		return nil, nil
	}
	return nil, failf("a %s cannot be iterated over", typeName(v))
}
