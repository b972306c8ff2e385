package chat

import (
	"strconv"
	"strings"
)

// formatMethod is str.format with fields {}, {0} and {name}, without format
// specifications.
func formatMethod(r *renderer, t text, a arguments) (value, error) {
	var b textBuilder
	auto := 0
	for at := 0; at < len(t.s); {
		i := strings.IndexAny(t.s[at:], "{}")
		if i < 0 {
			b.add(t.slice(at, len(t.s)))
			break
		}
		i += at
		b.add(t.slice(at, i))
		if strings.HasPrefix(t.s[i+1:], t.s[i:i+1]) { // {{ and }}
			b.add(t.slice(i, i+1))
			at = i + 2
			continue
		}
		end := strings.IndexByte(t.s[i:], '}')
		if t.s[i] == '}' || end < 0 {
			return nil, failf("format: a single brace")
		}
		field := t.s[i+1 : i+end]
		at = i + end + 1
		if field == "" {
			field = strconv.Itoa(auto)
			auto++
		}
		v, err := formatField(field, a)
		if err != nil {
			return nil, err
		}
		s, err := r.str(v)
		if err != nil {
			return nil, err
		}
		if err := r.charge(len(s.s) + nodeCost); err != nil {
			return nil, err
		}
		b.add(s)
	}
	return b.text(), r.charge(len(t.s))
}

func formatField(field string, a arguments) (value, error) {
	if n, err := strconv.Atoi(field); err == nil {
		if n < 0 || n >= len(a.positional) {
			return nil, failf("format: there is no argument %d", n)
		}
		return a.positional[n], nil
	}
	if strings.ContainsAny(field, ".[!:") {
		return nil, failf("format: the field {%s} is not supported", field)
	}
	v, ok := a.get(len(a.positional), field)
	if !ok {
		return nil, failf("format: there is no argument %q", field)
	}
	return v, nil
}

// percent is the % operator of strings with %s, %r, %d, %i, %f, %x and %%,
// without flags but a precision for %f.
func (r *renderer) percent(t text, v value) (value, error) {
	args := []value{v}
	if l, ok := v.(*list); ok && l.tuple {
		args = l.items
	}
	var b textBuilder
	rest := t
	for {
		i := strings.IndexByte(rest.s, '%')
		if i < 0 {
			break
		}
		b.add(rest.slice(0, i))
		verb, n := percentVerb(rest.s[i+1:])
		rest = rest.slice(i+1+n, len(rest.s))
		if verb == "%" {
			b.add(literal("%"))
			continue
		}
		if len(args) == 0 {
			return nil, failf("not enough arguments for %q", t.s)
		}
		s, err := r.formatVerb(verb, args[0])
		if err != nil {
			return nil, err
		}
		if err := r.charge(len(s.s) + len(rest.s)/16 + nodeCost); err != nil {
			return nil, err
		}
		b.add(s)
		args = args[1:]
	}
	if l, ok := v.(*list); len(args) > 0 && ok && l.tuple {
		return nil, failf("too many arguments for %q", t.s)
	}
	b.add(rest)
	return b.text(), r.charge(len(t.s))
}

// percentVerb returns the conversion after a percent sign, and its length.
func percentVerb(s string) (string, int) {
	n := 0
	for n < len(s) && (s[n] == '.' || '0' <= s[n] && s[n] <= '9') && n < 4 {
		n++
	}
	if n < len(s) {
		n++
	}
	return s[:n], n
}

func (r *renderer) formatVerb(verb string, v value) (text, error) {
	if verb == "" {
		return text{}, failf("an incomplete format")
	}
	precision := -1
	kind := verb[len(verb)-1]
	if digits, ok := strings.CutPrefix(verb[:len(verb)-1], "."); ok {
		precision, _ = strconv.Atoi(digits)
	} else if len(verb) > 1 {
		return text{}, failf("the format %%%s is not supported", verb)
	}
	f, isNumber := number(v)
	switch kind {
	case 's':
		return r.str(v)
	case 'r':
		return r.repr(v)
	case 'd', 'i', 'x':
		i, ok := integer(v)
		if !ok && isNumber && f > -1<<63 && f < 1<<63 && kind != 'x' {
			i, ok = int64(f), true
		}
		if !ok {
			return text{}, failf("%%%s wants an integer, not a %s", verb, typeName(v))
		}
		base := 10
		if kind == 'x' {
			base = 16
		}
		return literal(strconv.FormatInt(i, base)), nil
	case 'f':
		if !isNumber {
			return text{}, failf("%%%s wants a number, not a %s", verb, typeName(v))
		}
		if precision < 0 {
			precision = 6
		}
		return literal(strconv.FormatFloat(f, 'f', precision, 64)), nil
	}
	return text{}, failf("the format %%%s is not supported", verb)
}
