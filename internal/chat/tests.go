package chat

import "unicode"

// testFunc is a test: x is name(a).
type testFunc func(r *renderer, x value, a arguments) (bool, error)

// testNamed finds a test of jinja2 by its name.
func testNamed(name string) (testFunc, bool) {
	simple := func(f func(x value) bool) (testFunc, bool) {
		return func(_ *renderer, x value, _ arguments) (bool, error) { return f(x), nil }, true
	}
	switch name {
	case "defined":
		return simple(func(x value) bool { return !isUndefined(x) })
	case "undefined":
		return simple(isUndefined)
	case "none":
		return simple(func(x value) bool { return x == nil })
	case "boolean":
		return simple(func(x value) bool { _, ok := x.(bool); return ok })
	case "true":
		return simple(func(x value) bool { return x == true })
	case "false":
		return simple(func(x value) bool { return x == false })
	case "string":
		return simple(func(x value) bool { _, ok := x.(text); return ok })
	case "mapping":
		return simple(func(x value) bool { _, ok := x.(*dict); return ok })
	case "integer":
		return simple(isInteger)
	case "float":
		return simple(func(x value) bool { _, ok := x.(float64); return ok })
	case "number":
		return simple(func(x value) bool { _, ok := number(x); return ok || isInteger(x) })
	case "sequence":
		return simple(isSequence)
	case "iterable":
		return simple(func(x value) bool { return isSequence(x) || isUndefined(x) })
	case "callable":
		return simple(func(x value) bool { _, ok := x.(function); return ok })
	case "odd":
		return simple(func(x value) bool { i, ok := integer(x); return ok && i%2 != 0 })
	case "even":
		return simple(func(x value) bool { i, ok := integer(x); return ok && i%2 == 0 })
	case "lower":
		return simple(func(x value) bool { t, ok := x.(text); return ok && hasCase(t.s, unicode.IsUpper) })
	case "upper":
		return simple(func(x value) bool { t, ok := x.(text); return ok && hasCase(t.s, unicode.IsLower) })
	case "filter":
		return simple(func(x value) bool { t, _ := x.(text); _, ok := filterNamed(t.s); return ok })
	case "test":
		return simple(func(x value) bool { t, _ := x.(text); _, ok := testNamed(t.s); return ok })
	case "sameas":
		return withArgument("==")
	case "divisibleby":
		return divisibleBy, true
	case "eq", "equalto", "==":
		return withArgument("==")
	case "ne", "!=":
		return withArgument("!=")
	case "lt", "lessthan", "<":
		return withArgument("<")
	case "le", "<=":
		return withArgument("<=")
	case "gt", "greaterthan", ">":
		return withArgument(">")
	case "ge", ">=":
		return withArgument(">=")
	case "in":
		return withArgument("in")
	}
	return nil, false
}

func (r *renderer) test(x *testExpr) (value, error) {
	v, err := r.eval(x.x)
	if err != nil {
		return nil, err
	}
	a, err := r.arguments(x.args)
	if err != nil {
		return nil, err
	}
	t, _ := testNamed(x.name) // the parser has checked
	ok, err := t(r, v, a)
	return ok != x.not, err
}

// withArgument is a test that compares with its one argument.
func withArgument(op string) (testFunc, bool) {
	return func(r *renderer, x value, a arguments) (bool, error) {
		if len(a.positional) != 1 {
			return false, failf("the test wants one value to compare with")
		}
		return r.holds(op, x, a.positional[0])
	}, true
}

func divisibleBy(_ *renderer, x value, a arguments) (bool, error) {
	if len(a.positional) != 1 {
		return false, failf("divisibleby wants one number")
	}
	i, ok := integer(x)
	by, ok2 := integer(a.positional[0])
	if !ok || !ok2 || by == 0 {
		return false, failf("divisibleby wants integers that are not zero")
	}
	return i%by == 0, nil
}

func isUndefined(x value) bool { _, ok := x.(undefined); return ok }

func isInteger(x value) bool {
	switch x.(type) {
	case int64, bigInteger:
		return true
	}
	return false
}

func isSequence(x value) bool {
	switch x.(type) {
	case text, *list, *dict:
		return true
	}
	return false
}

// hasCase is Python's islower and isupper: there are cased letters, and none
// of the other case.
func hasCase(s string, other func(rune) bool) bool {
	cased := false
	for _, r := range s {
		if other(r) {
			return false
		}
		cased = cased || unicode.IsUpper(r) || unicode.IsLower(r)
	}
	return cased
}
