package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// method is a method of a value.
type method func(r *renderer, self value, a arguments) (value, error)

// methodNamed finds a method of a string, dictionary or list.
func methodNamed(v value, name string) (method, bool) {
	switch v.(type) {
	case text:
		m, ok := textMethod(name)
		return func(r *renderer, self value, a arguments) (value, error) { return m(r, self.(text), a) }, ok
	case *dict:
		m, ok := dictMethod(name)
		return func(r *renderer, self value, a arguments) (value, error) { return m(r, self.(*dict), a) }, ok
	case *list:
		m, ok := listMethod(name)
		return func(r *renderer, self value, a arguments) (value, error) { return m(r, self.(*list), a) }, ok
	}
	return nil, false
}

func dictMethod(name string) (func(r *renderer, d *dict, a arguments) (value, error), bool) {
	switch name {
	case "items":
		return func(r *renderer, d *dict, _ arguments) (value, error) { return r.pairs(d) }, true
	case "keys":
		return func(r *renderer, d *dict, _ arguments) (value, error) { return toList(r, d, arguments{}) }, true
	case "values":
		return func(r *renderer, d *dict, _ arguments) (value, error) { return r.list(d.vals) }, true
	case "copy":
		return func(_ *renderer, d *dict, _ arguments) (value, error) { return d, nil }, true
	case "get":
		return func(_ *renderer, d *dict, a arguments) (value, error) {
			if len(a.positional) == 0 {
				return nil, failf("get wants a key")
			}
			if v, ok := d.get(a.positional[0]); ok {
				return v, nil
			}
			alternative, _ := a.get(1, "default")
			return alternative, nil
		}, true
	}
	return nil, false
}

func listMethod(name string) (func(r *renderer, l *list, a arguments) (value, error), bool) {
	switch name {
	case "copy":
		return func(_ *renderer, l *list, _ arguments) (value, error) { return l, nil }, true
	case "count", "index":
		return func(r *renderer, l *list, a arguments) (value, error) {
			if len(a.positional) != 1 {
				return nil, failf("%s wants one value", name)
			}
			if err := r.charge(valueCost*l.shape.values + len(l.items)*size(a.positional[0])); err != nil {
				return nil, err
			}
			n := int64(0)
			for i, v := range l.items {
				if !equal(v, a.positional[0]) {
					continue
				}
				if name == "index" {
					return int64(i), nil
				}
				n++
			}
			if name == "index" {
				return nil, failf("the value is not in the list")
			}
			return n, nil
		}, true
	case "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse":
		return func(*renderer, *list, arguments) (value, error) {
			return nil, failf("a list cannot be changed with %s", name)
		}, true
	}
	return nil, false
}

// textFunc is a method of a string.
type textFunc func(r *renderer, t text, a arguments) (value, error)

// textMethod finds a method of Python's str.
func textMethod(name string) (textFunc, bool) {
	switch name {
	case "strip":
		return trimMethod(bothEnds), true
	case "lstrip":
		return trimMethod(leftEnd), true
	case "rstrip":
		return trimMethod(rightEnd), true
	case "split":
		return splitMethod(text.split, text.fields), true
	case "rsplit":
		return splitMethod(text.splitRight, nil), true
	case "splitlines":
		return splitLines, true
	case "partition", "rpartition":
		return partition(name == "rpartition"), true
	case "replace":
		return replaceMethod, true
	case "join":
		return func(r *renderer, t text, a arguments) (value, error) {
			if len(a.positional) != 1 {
				return nil, failf("join wants one list")
			}
			return join(r, a.positional[0], arguments{positional: []value{t}})
		}, true
	case "startswith":
		return affix(strings.HasPrefix), true
	case "endswith":
		return affix(strings.HasSuffix), true
	case "removeprefix":
		return removeAffix(func(t text, s string) text { return t.slice(len(t.s)-len(strings.TrimPrefix(t.s, s)), len(t.s)) }), true
	case "removesuffix":
		return removeAffix(func(t text, s string) text { return t.slice(0, len(strings.TrimSuffix(t.s, s))) }), true
	case "find", "index":
		return find(strings.Index, name), true
	case "rfind", "rindex":
		return find(strings.LastIndex, name), true
	case "count":
		return count, true
	case "upper":
		return changed(strings.ToUpper), true
	case "lower", "casefold":
		return changed(strings.ToLower), true
	case "capitalize":
		return changed(capitalize), true
	case "title":
		return changed(title), true
	case "swapcase":
		return changed(swapCase), true
	case "isdigit", "isdecimal", "isnumeric":
		return every(unicode.IsDigit), true
	case "isalpha":
		return every(unicode.IsLetter), true
	case "isalnum":
		return every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }), true
	case "isspace":
		return every(isPythonSpace), true
	case "islower":
		return predicate(func(s string) bool { return hasCase(s, unicode.IsUpper) }), true
	case "isupper":
		return predicate(func(s string) bool { return hasCase(s, unicode.IsLower) }), true
	case "ljust", "rjust", "center", "zfill":
		return pad(name), true
	case "format":
		return formatMethod, true
	}
	return nil, false
}

// textArgument returns an argument that must be a string.
func textArgument(a arguments, i int, what string) (text, error) {
	v, ok := a.get(i, what)
	if !ok {
		return text{}, failf("argument %q is missing", what)
	}
	t, ok := v.(text)
	if !ok {
		return text{}, failf("argument %q is a %s, want a string", what, typeName(v))
	}
	return t, nil
}

// countArgument returns an optional integer argument.
func countArgument(a arguments, i int, what string) (int, error) {
	v, ok := a.get(i, what)
	if !ok {
		return -1, nil
	}
	n, ok := integer(v)
	if !ok {
		return 0, failf("argument %q is a %s, want an integer", what, typeName(v))
	}
	return int(min(max(n, -1), 1<<30)), nil
}

func trimMethod(at ends) textFunc {
	return func(r *renderer, t text, a arguments) (value, error) {
		if err := a.accept("strip", "chars"); err != nil {
			return nil, err
		}
		var set *text
		if v, ok := a.get(0, "chars"); ok && v != nil {
			s, ok := v.(text)
			if !ok {
				return nil, failf("strip wants a string, not a %s", typeName(v))
			}
			set = &s
			if err := r.charge(len(s.s) * (1 + len(t.s)/16)); err != nil {
				return nil, err
			}
		}
		return t.trim(set, at), r.charge(len(t.s))
	}
}

// splitMethod is split with bySeparator, and byFields where no separator is
// given.
func splitMethod(bySeparator func(text, string, int) []text, byFields func(text, int) []text) textFunc {
	return func(r *renderer, t text, a arguments) (value, error) {
		if err := a.accept("split", "sep", "maxsplit"); err != nil {
			return nil, err
		}
		n, err := countArgument(a, 1, "maxsplit")
		if err != nil {
			return nil, err
		}
		if err := r.charge(8 * valueCost * (1 + len(t.s)/4)); err != nil {
			return nil, err
		}
		separator, _ := a.get(0, "sep")
		if separator == nil {
			if byFields == nil {
				return nil, failf("rsplit without a separator is not supported")
			}
			return r.texts(byFields(t, n))
		}
		s, ok := separator.(text)
		if !ok || s.s == "" {
			return nil, failf("split wants a separator that is not empty")
		}
		return r.texts(bySeparator(t, s.s, n))
	}
}

// texts makes a list of strings.
func (r *renderer) texts(parts []text) (value, error) {
	out := make([]value, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return r.list(out)
}

func splitLines(r *renderer, t text, a arguments) (value, error) {
	if err := r.charge(8 * valueCost * (1 + len(t.s)/4)); err != nil {
		return nil, err
	}
	keep, _ := a.get(0, "keepends")
	return r.texts(t.lines(truth(keep)))
}

func partition(fromRight bool) textFunc {
	return func(r *renderer, t text, a arguments) (value, error) {
		separator, err := textArgument(a, 0, "sep")
		if err != nil {
			return nil, err
		}
		if separator.s == "" {
			return nil, failf("partition wants a separator that is not empty")
		}
		i := strings.Index(t.s, separator.s)
		if fromRight {
			i = strings.LastIndex(t.s, separator.s)
		}
		parts := []value{t, text{}, text{}}
		if i < 0 && fromRight {
			parts = []value{text{}, text{}, t}
		}
		if i >= 0 {
			j := i + len(separator.s)
			parts = []value{t.slice(0, i), t.slice(i, j), t.slice(j, len(t.s))}
		}
		if err := r.charge(len(t.s)); err != nil {
			return nil, err
		}
		return r.tuple(parts)
	}
}

func replaceMethod(r *renderer, t text, a arguments) (value, error) {
	if err := a.accept("replace", "old", "new", "count"); err != nil {
		return nil, err
	}
	old, err := textArgument(a, 0, "old")
	if err != nil {
		return nil, err
	}
	with, err := textArgument(a, 1, "new")
	if err != nil {
		return nil, err
	}
	n := -1
	if v, ok := a.get(2, "count"); ok && v != nil {
		if n, err = countArgument(a, 2, "count"); err != nil {
			return nil, err
		}
	}
	times := strings.Count(t.s, old.s)
	if n >= 0 {
		times = min(times, n)
	}
	if len(with.s) > 0 && times > r.budget/len(with.s) {
		return nil, r.charge(r.budget + 1)
	}
	if err := r.charge(len(t.s) + times*(len(with.s)+64)); err != nil {
		return nil, err
	}
	return t.replace(old, with, n), nil
}

// affix is startswith and endswith, whose argument may be a tuple.
func affix(has func(s, affix string) bool) textFunc {
	return func(r *renderer, t text, a arguments) (value, error) {
		if len(a.positional) != 1 {
			return nil, failf("startswith and endswith take one argument")
		}
		choices := []value{a.positional[0]}
		if l, ok := a.positional[0].(*list); ok && l.tuple {
			choices = l.items
		}
		for _, c := range choices {
			s, ok := c.(text)
			if !ok {
				return nil, failf("startswith and endswith want strings, not %s", typeName(c))
			}
			if has(t.s, s.s) {
				return true, nil
			}
		}
		return false, r.charge(len(choices))
	}
}

func removeAffix(remove func(t text, s string) text) textFunc {
	return func(r *renderer, t text, a arguments) (value, error) {
		s, err := textArgument(a, 0, "affix")
		if err != nil {
			return nil, err
		}
		return remove(t, s.s), r.charge(len(t.s))
	}
}

func find(search func(s, what string) int, name string) textFunc {
	return func(r *renderer, t text, a arguments) (value, error) {
		what, err := textArgument(a, 0, "sub")
		if err != nil {
			return nil, err
		}
		if len(a.positional) > 1 {
			return nil, failf("%s with bounds is not supported", name)
		}
		if err := r.charge(2 * len(t.s)); err != nil {
			return nil, err
		}
		i := search(t.s, what.s)
		if i < 0 {
			if strings.HasSuffix(name, "index") {
				return nil, failf("%q is not in the string", what.s)
			}
			return int64(-1), nil
		}
		return int64(utf8.RuneCountInString(t.s[:i])), nil
	}
}

func count(r *renderer, t text, a arguments) (value, error) {
	what, err := textArgument(a, 0, "sub")
	if err != nil {
		return nil, err
	}
	return int64(strings.Count(t.s, what.s)), r.charge(len(t.s))
}

// changed applies a function to the whole string.
func changed(f func(string) string) textFunc {
	return func(r *renderer, t text, _ arguments) (value, error) {
		if err := r.charge(4 * len(t.s)); err != nil {
			return nil, err
		}
		return derived(f(t.s), t), nil
	}
}

func capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToTitle(s[:n]) + strings.ToLower(s[n:])
}

// title capitalises each run of letters.
func title(s string) string {
	inside := false
	return strings.Map(func(r rune) rune {
		was := inside
		inside = unicode.IsLetter(r)
		if inside && !was {
			return unicode.ToTitle(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func predicate(f func(string) bool) textFunc {
	return func(r *renderer, t text, _ arguments) (value, error) {
		return f(t.s), r.charge(len(t.s))
	}
}

// every reports whether there are characters and all have a property.
func every(has func(rune) bool) textFunc {
	return predicate(func(s string) bool {
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !has(r) }) < 0
	})
}

// pad is ljust, rjust, center and zfill.
func pad(name string) textFunc {
	return func(r *renderer, t text, a arguments) (value, error) {
		v, _ := a.get(0, "width")
		width, ok := integer(v)
		if !ok {
			return nil, failf("%s wants a width", name)
		}
		fill := literal(" ")
		if name == "zfill" {
			fill = literal("0")
		} else if len(a.positional) > 1 {
			var err error
			if fill, err = textArgument(a, 1, "fillchar"); err != nil {
				return nil, err
			}
		}
		missing := width - int64(t.length())
		if missing <= 0 || fill.length() != 1 {
			return t, nil
		}
		left := int64(0)
		switch name {
		case "rjust", "zfill":
			left = missing
		case "center":
			left = missing/2 + missing&width&1
		}
		before, err := r.repeatText(fill, left)
		if err != nil {
			return nil, err
		}
		after, err := r.repeatText(fill, missing-left)
		if err != nil {
			return nil, err
		}
		if name == "zfill" && t.s != "" && (t.s[0] == '-' || t.s[0] == '+') {
			return concat(t.slice(0, 1), before.(text), t.slice(1, len(t.s))), nil
		}
		return concat(before.(text), t, after.(text)), nil
	}
}
