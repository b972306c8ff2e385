package chat

import (
	"math"
	"slices"
	"strings"
)

// arguments are the evaluated arguments of a call.
type arguments struct {
	positional []value
	names      []string
	named      []value
}

// get returns the argument at a position, or with a name.
func (a *arguments) get(i int, name string) (value, bool) {
	if i < len(a.positional) {
		return a.positional[i], true
	}
	for j, n := range a.names {
		if n == name {
			return a.named[j], true
		}
	}
	return nil, false
}

// accept checks that there are at most the named parameters, by position or
// by name.
func (a *arguments) accept(what string, params ...string) error {
	if len(a.positional) > len(params) {
		return failf("%s takes at most %d arguments, not %d", what, len(params), len(a.positional))
	}
	for _, n := range a.names {
		if !slices.Contains(params, n) {
			return failf("%s takes no argument %q", what, n)
		}
	}
	return nil
}

// eval evaluates an expression.
func (r *renderer) eval(x expression) (value, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	switch x := x.(type) {
	case constant:
		return x.v, nil
	case nameExpr:
		return r.name(x.name), nil
	case *listExpr:
		items, err := r.evalAll(x.items)
		if err != nil {
			return nil, err
		}
		return r.sequence(items, x.tuple)
	case *dictExpr:
		return r.dict(x)
	case *unaryExpr:
		return r.unary(x)
	case *binaryExpr:
		return r.binary(x)
	case *concatExpr:
		return r.concat(x)
	case *compareExpr:
		return r.compare(x)
	case *ifExpr:
		return r.conditional(x)
	case *attrExpr:
		v, err := r.eval(x.x)
		if err != nil {
			return nil, err
		}
		return r.attribute(v, x.name)
	case *itemExpr:
		return r.item(x)
	case *sliceExpr:
		return r.slice(x)
	case *callExpr:
		fn, err := r.eval(x.fn)
		if err != nil {
			return nil, err
		}
		a, err := r.arguments(x.args)
		if err != nil {
			return nil, err
		}
		return r.call(fn, a)
	case *filterExpr:
		return r.filter(x)
	case *testExpr:
		return r.test(x)
	case blockText:
		return r.block, nil
	}
	return nil, failf("unknown expression %T", x)
}

func (r *renderer) evalAll(xs []expression) ([]value, error) {
	out := make([]value, len(xs))
	for i, x := range xs {
		v, err := r.eval(x)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (r *renderer) arguments(a argumentExprs) (arguments, error) {
	positional, err := r.evalAll(a.positional)
	if err != nil {
		return arguments{}, err
	}
	named, err := r.evalAll(a.named)
	// The names are copied: a call block appends to them.
	return arguments{positional, append([]string(nil), a.names...), named}, err
}

func (r *renderer) name(name string) value {
	if v, ok := r.scope.lookup(name); ok {
		return v
	}
	if fn, ok := globalFunction(name); ok {
		return fn
	}
	return undefined{name}
}

// list makes a list within the limits, tuple a tuple.
func (r *renderer) list(items []value) (*list, error) { return r.sequence(items, false) }

func (r *renderer) tuple(items []value) (*list, error) { return r.sequence(items, true) }

func (r *renderer) sequence(items []value, tuple bool) (*list, error) {
	l := &list{items: items, tuple: tuple}
	var err error
	l.shape, err = r.shape(items)
	return l, err
}

// shape adds up what values hold and charges for a slice of them.
func (r *renderer) shape(items []value) (shape, error) {
	s := shape{values: 1}
	for _, item := range items {
		inner := shapeOf(item)
		s.values += inner.values
		s.depth = max(s.depth, inner.depth+1)
		if s.values > maxShape || s.depth > maxListDepth {
			return s, failf("a list or dictionary grows beyond %d values or %d levels", maxShape, maxListDepth)
		}
	}
	return s, r.charge(valueCost * len(items))
}

// mustBeDefined refuses an undefined value where Python's would raise.
func mustBeDefined(v value) error {
	if u, ok := v.(undefined); ok {
		return failf("%s is undefined", u.what)
	}
	return nil
}

func (r *renderer) dict(x *dictExpr) (value, error) {
	d := newDict()
	for i := range x.keys {
		k, err := r.eval(x.keys[i])
		if err != nil {
			return nil, err
		}
		v, err := r.eval(x.values[i])
		if err != nil {
			return nil, err
		}
		if !d.put(k, v) {
			return nil, failf("a %s cannot be a key", typeName(k))
		}
	}
	var err error
	d.shape, err = r.shape(d.vals)
	return d, err
}

func (r *renderer) unary(x *unaryExpr) (value, error) {
	v, err := r.eval(x.x)
	if err != nil {
		return nil, err
	}
	if x.op == "not" {
		return !truth(v), nil
	}
	if i, ok := integer(v); ok && i != math.MinInt64 {
		if x.op == "-" {
			return -i, nil
		}
		return i, nil
	}
	if f, ok := v.(float64); ok {
		if x.op == "-" {
			return -f, nil
		}
		return f, nil
	}
	return nil, failf("a %s has no sign", typeName(v))
}

func (r *renderer) binary(x *binaryExpr) (value, error) {
	l, err := r.eval(x.l)
	if err != nil {
		return nil, err
	}
	switch x.op {
	case "and":
		if !truth(l) {
			return l, nil
		}
		return r.eval(x.r)
	case "or":
		if truth(l) {
			return l, nil
		}
		return r.eval(x.r)
	}
	rhs, err := r.eval(x.r)
	if err != nil {
		return nil, err
	}
	return r.arithmetic(x.op, l, rhs)
}

func (r *renderer) concat(x *concatExpr) (value, error) {
	parts := make([]text, len(x.parts))
	for i, p := range x.parts {
		v, err := r.eval(p)
		if err != nil {
			return nil, err
		}
		if parts[i], err = r.str(v); err != nil {
			return nil, err
		}
		if err := r.charge(len(parts[i].s)); err != nil {
			return nil, err
		}
	}
	return concat(parts...), nil
}

func (r *renderer) compare(x *compareExpr) (value, error) {
	l, err := r.eval(x.first)
	if err != nil {
		return nil, err
	}
	for i, op := range x.ops {
		rhs, err := r.eval(x.rest[i])
		if err != nil {
			return nil, err
		}
		ok, err := r.holds(op, l, rhs)
		if err != nil || !ok {
			return false, err
		}
		l = rhs
	}
	return true, nil
}

// holds decides one comparison.
func (r *renderer) holds(op string, a, b value) (bool, error) {
	if err := r.charge(valueCost*(shapeOf(a).values+shapeOf(b).values) + size(a) + size(b)); err != nil {
		return false, err
	}
	switch op {
	case "==":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	case "in":
		return r.contains(b, a)
	case "not in":
		ok, err := r.contains(b, a)
		return !ok, err
	}
	for _, v := range []value{a, b} {
		if err := mustBeDefined(v); err != nil {
			return false, err
		}
	}
	c, ok := compare(a, b)
	if !ok {
		return false, failf("%s is not possible between %s and %s", op, typeName(a), typeName(b))
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

// size is the length of a string, which reading it costs.
func size(v value) int {
	if t, ok := v.(text); ok {
		return len(t.s)
	}
	return 0
}

// contains is item in container.
func (r *renderer) contains(container, item value) (bool, error) {
	switch c := container.(type) {
	case text:
		t, ok := item.(text)
		if !ok {
			return false, failf("'in <string>' wants a string, not %s", typeName(item))
		}
		return strings.Contains(c.s, t.s), nil
	case *list:
		for _, v := range c.items {
			if equal(v, item) {
				return true, nil
			}
		}
		return false, nil
	case *dict:
		_, ok := c.get(item)
		return ok, nil
	case undefined:
		return false, nil
	}
	return false, failf("nothing can be in a %s", typeName(container))
}

func (r *renderer) conditional(x *ifExpr) (value, error) {
	test, err := r.eval(x.test)
	if err != nil {
		return nil, err
	}
	if truth(test) {
		return r.eval(x.then)
	}
	if x.otherwise == nil {
		return undefined{"a condition without else"}, nil
	}
	return r.eval(x.otherwise)
}

// call calls a function, a macro or a recursive loop.
func (r *renderer) call(fn value, a arguments) (value, error) {
	switch fn := fn.(type) {
	case function:
		return fn.call(r, a)
	case *loop:
		if fn.recurse != nil && len(a.positional) == 1 {
			return fn.recurse(a.positional[0])
		}
	case undefined:
		return nil, mustBeDefined(fn)
	}
	return nil, failf("a %s cannot be called", typeName(fn))
}
