package chat

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// filterFunc is a filter: x | name(a).
type filterFunc func(r *renderer, x value, a arguments) (value, error)

// filterNamed finds a filter of jinja2 by its name.
func filterNamed(name string) (filterFunc, bool) {
	switch name {
	case "length", "count":
		return length, true
	case "default", "d":
		return otherwise, true
	case "tojson":
		return toJSON, true
	case "join":
		return join, true
	case "list":
		return toList, true
	case "items":
		return items, true
	case "string":
		return func(r *renderer, x value, _ arguments) (value, error) { return r.str(x) }, true
	case "safe":
		return safe, true
	case "trim", "upper", "lower", "capitalize", "title", "replace", "center":
		return viaMethod(name), true
	case "escape", "e":
		return escape, true
	case "indent":
		return indent, true
	case "wordcount":
		return wordCount, true
	case "first", "last":
		return end(name), true
	case "reverse":
		return reverse, true
	case "unique":
		return unique, true
	case "sort":
		return sorted, true
	case "dictsort":
		return dictSort, true
	case "min", "max":
		return extreme(name), true
	case "sum":
		return sum, true
	case "map":
		return mapItems, true
	case "select", "reject":
		return selectItems(name), true
	case "selectattr", "rejectattr":
		return selectItems(name), true
	case "groupby":
		return groupBy, true
	case "attr":
		return attr, true
	case "abs":
		return abs, true
	case "round":
		return round, true
	case "int":
		return toInt, true
	case "float":
		return toFloat, true
	case "format":
		return format, true
	}
	return nil, false
}

func (r *renderer) filter(x *filterExpr) (value, error) {
	v, err := r.eval(x.x)
	if err != nil {
		return nil, err
	}
	a, err := r.arguments(x.args)
	if err != nil {
		return nil, err
	}
	f, _ := filterNamed(x.name) // the parser has checked
	return f(r, v, a)
}

// viaMethod applies a string method to the str of a value.
func viaMethod(name string) filterFunc {
	return func(r *renderer, x value, a arguments) (value, error) {
		t, err := r.str(x)
		if err != nil {
			return nil, err
		}
		method := name
		switch name {
		case "trim":
			method = "strip"
		case "center":
			if len(a.positional) == 0 && len(a.names) == 0 {
				a.positional = []value{int64(80)}
			}
		case "replace":
			if len(a.positional) < 2 {
				return nil, failf("replace wants the old and the new text")
			}
			for i := range 2 {
				if a.positional[i], err = r.str(a.positional[i]); err != nil {
					return nil, err
				}
			}
		}
		m, _ := textMethod(method)
		return m(r, t, a)
	}
}

func length(r *renderer, x value, _ arguments) (value, error) {
	switch x := x.(type) {
	case text:
		return int64(x.length()), r.charge(len(x.s))
	case *list:
		return int64(len(x.items)), nil
	case *dict:
		return int64(len(x.keys)), nil
	case *loop:
		return int64(len(x.items)), nil
	case undefined:
		return int64(0), nil
	}
	return nil, failf("a %s has no length", typeName(x))
}

func otherwise(_ *renderer, x value, a arguments) (value, error) {
	if err := a.accept("default", "default_value", "boolean"); err != nil {
		return nil, err
	}
	alternative, ok := a.get(0, "default_value")
	if !ok {
		alternative = text{}
	}
	boolean, _ := a.get(1, "boolean")
	if _, missing := x.(undefined); missing || truth(boolean) && !truth(x) {
		return alternative, nil
	}
	return x, nil
}

// toJSON is transformers' own tojson.
func toJSON(r *renderer, x value, a arguments) (value, error) {
	if err := a.accept("tojson", "ensure_ascii", "indent", "separators", "sort_keys"); err != nil {
		return nil, err
	}
	s := jsonStyle{item: ", ", key: ": "}
	if v, ok := a.get(0, "ensure_ascii"); ok {
		s.ascii = truth(v)
	}
	if v, ok := a.get(1, "indent"); ok && v != nil {
		s.item = ","
		if t, ok := v.(text); ok {
			s.indent = "\n" + t.s
		} else if n, ok := integer(v); ok && n <= 64 {
			s.indent = "\n" + strings.Repeat(" ", int(max(n, 0)))
		} else {
			return nil, failf("tojson cannot indent by this %s", typeName(v))
		}
	}
	if v, ok := a.get(2, "separators"); ok && v != nil {
		pair, ok := v.(*list)
		if !ok || len(pair.items) != 2 {
			return nil, failf("tojson wants two separators")
		}
		item, ok1 := pair.items[0].(text)
		key, ok2 := pair.items[1].(text)
		if !ok1 || !ok2 {
			return nil, failf("tojson wants strings as separators")
		}
		s.item, s.key = item.s, key.s
	}
	if v, ok := a.get(3, "sort_keys"); ok {
		s.sort = truth(v)
	}
	w := &valueWriter{r: r}
	w.json(x, s, 0)
	return w.result()
}

func safe(r *renderer, x value, _ arguments) (value, error) {
	t, err := r.str(x)
	t.markup = true
	return t, err
}

func escape(r *renderer, x value, _ arguments) (value, error) {
	t, err := r.str(x)
	if err != nil {
		return nil, err
	}
	return t.escaped(), r.charge(6 * len(t.s))
}

func indent(r *renderer, x value, a arguments) (value, error) {
	if err := a.accept("indent", "width", "first", "blank"); err != nil {
		return nil, err
	}
	t, err := r.str(x)
	if err != nil {
		return nil, err
	}
	margin := literal("    ")
	if v, ok := a.get(0, "width"); ok {
		if m, ok := v.(text); ok {
			margin = m
		} else if n, ok := integer(v); ok && n <= 1000 {
			margin = literal(strings.Repeat(" ", int(max(n, 0))))
		} else {
			return nil, failf("indent wants a width, not this %s", typeName(v))
		}
	}
	atFirst, _ := a.get(1, "first")
	blank, _ := a.get(2, "blank")
	lines := concat(t, literal("\n")).lines(false)
	if err := r.charge(2*len(t.s) + len(lines)*(64+len(margin.s))); err != nil {
		return nil, err
	}
	var b textBuilder
	for i, line := range lines {
		if i > 0 {
			b.add(literal("\n"))
		}
		if i == 0 && truth(atFirst) || i > 0 && (line.s != "" || truth(blank)) {
			b.add(margin)
		}
		b.add(line)
	}
	return b.text(), nil
}

func wordCount(r *renderer, x value, _ arguments) (value, error) {
	t, err := r.str(x)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, f := range strings.FieldsFunc(t.s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		if f != "" {
			n++
		}
	}
	return int64(n), r.charge(len(t.s))
}

func attr(r *renderer, x value, a arguments) (value, error) {
	name, ok := a.get(0, "name")
	t, isText := name.(text)
	if !ok || !isText {
		return nil, failf("attr wants a name")
	}
	return r.attribute(x, t.s)
}

func abs(_ *renderer, x value, _ arguments) (value, error) {
	if i, ok := integer(x); ok && i != math.MinInt64 {
		return max(i, -i), nil
	}
	if f, ok := x.(float64); ok {
		return math.Abs(f), nil
	}
	return nil, failf("a %s has no absolute value", typeName(x))
}

func round(_ *renderer, x value, a arguments) (value, error) {
	if err := a.accept("round", "precision", "method"); err != nil {
		return nil, err
	}
	f, ok := number(x)
	if !ok {
		return nil, failf("a %s cannot be rounded", typeName(x))
	}
	precision, _ := a.get(0, "precision")
	digits, _ := integer(precision)
	if digits < -300 || digits > 300 {
		return nil, failf("round to %d digits", digits)
	}
	method, _ := a.get(1, "method")
	scale := math.Pow(10, float64(digits))
	if i, ok := integer(x); ok && method == nil { // integers stay integers
		if digits >= 0 {
			return i, nil
		}
		return int64(math.RoundToEven(f*scale) * math.Pow(10, float64(-digits))), nil
	}
	switch {
	case equal(method, literal("ceil")):
		return math.Ceil(f*scale) / scale, nil
	case equal(method, literal("floor")):
		return math.Floor(f*scale) / scale, nil
	case digits <= 0:
		return math.RoundToEven(f*scale) / scale, nil
	}
	return strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(digits), 64), 64)
}

func toInt(_ *renderer, x value, a arguments) (value, error) {
	if err := a.accept("int", "default", "base"); err != nil {
		return nil, err
	}
	alternative, ok := a.get(0, "default")
	if !ok {
		alternative = int64(0)
	}
	base := int64(10)
	if v, ok := a.get(1, "base"); ok {
		base, _ = integer(v)
	}
	switch x := x.(type) {
	case int64, bool:
		i, _ := integer(x)
		return i, nil
	case float64:
		if math.Abs(x) < 1<<63 {
			return int64(x), nil
		}
	case text:
		s := strings.ReplaceAll(strings.TrimSpace(x.s), "_", "")
		if base < 2 || base > 36 {
			base = 10
		}
		if i, err := strconv.ParseInt(s, int(base), 64); err == nil {
			return i, nil
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<63 {
			return int64(f), nil
		}
	}
	return alternative, nil
}

func toFloat(_ *renderer, x value, a arguments) (value, error) {
	if f, ok := number(x); ok {
		return f, nil
	}
	if t, ok := x.(text); ok {
		if f, err := strconv.ParseFloat(strings.TrimSpace(t.s), 64); err == nil {
			return f, nil
		}
	}
	if v, ok := a.get(0, "default"); ok {
		return v, nil
	}
	return 0.0, nil
}

func format(r *renderer, x value, a arguments) (value, error) {
	t, err := r.str(x)
	if err != nil {
		return nil, err
	}
	if len(a.names) > 0 {
		return nil, failf("format with named arguments is not supported")
	}
	return r.percent(t, &list{items: a.positional, tuple: true})
}
