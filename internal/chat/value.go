package chat

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// value is a Python value: nil, bool, int64, float64, bigInteger, text, *list,
// *dict, *namespace, *loop, undefined, or function.
type value any

// bigInteger is an integer of the conversation beyond 64 bits. It can be
// printed, nothing else.
type bigInteger string

// undefined is what a name or an attribute that does not exist gives. It is
// false, empty and prints as nothing; to use it otherwise is an error.
type undefined struct{ what string }

// list is a list, or a tuple.
type list struct {
	items []value
	tuple bool
	shape shape
}

// dict keeps its order. A key is a string, an integer or another scalar.
type dict struct {
	keys  []value
	vals  []value
	index map[string]int // by keyID
	given bool           // its keys came from the conversation
	shape shape
}

// shape is how much a list or dictionary of a template holds, counted as if
// nothing were shared. It bounds what walking over it costs.
type shape struct{ values, depth int }

func shapeOf(v value) shape {
	switch v := v.(type) {
	case *list:
		return v.shape
	case *dict:
		return v.shape
	}
	return shape{values: 1}
}

func newDict() *dict { return &dict{index: map[string]int{}} }

// keyID identifies a key; keys that Python holds equal have the same.
func keyID(k value) (string, bool) {
	switch k := k.(type) {
	case text:
		return "s" + k.s, true
	case nil:
		return "n", true
	case bool, int64, float64:
		f, _ := number(k)
		return "f" + strconv.FormatFloat(f, 'g', -1, 64), true
	case bigInteger:
		return "b" + string(k), true
	case *list:
		if !k.tuple {
			return "", false
		}
		var id strings.Builder
		for _, item := range k.items {
			part, ok := keyID(item)
			if !ok {
				return "", false
			}
			fmt.Fprintf(&id, "%d:%s", len(part), part)
		}
		return "t" + id.String(), true
	}
	return "", false
}

// put sets a key that may be a key.
func (d *dict) put(k, v value) bool {
	id, ok := keyID(k)
	if !ok {
		return false
	}
	if i, ok := d.index[id]; ok {
		d.vals[i] = v
		return true
	}
	d.index[id] = len(d.keys)
	d.keys = append(d.keys, k)
	d.vals = append(d.vals, v)
	return true
}

func (d *dict) set(k string, v value) { d.put(literal(k), v) }

func (d *dict) get(k value) (value, bool) {
	id, ok := keyID(k)
	if !ok {
		return nil, false
	}
	i, ok := d.index[id]
	if !ok {
		return nil, false
	}
	return d.vals[i], true
}

// key returns key i, which is from outside where the dictionary is.
func (d *dict) key(i int) value {
	if k, ok := d.keys[i].(text); ok && d.given {
		return outside(k.s)
	}
	return d.keys[i]
}

// namespace is the one thing a template may change.
type namespace struct{ vars map[string]value }

// function is something that can be called.
type function struct {
	name string
	call func(r *renderer, a arguments) (value, error)
}

// typeName is the Python name of a value's type.
func typeName(v value) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, bigInteger:
		return "int"
	case float64:
		return "float"
	case text:
		return "str"
	case *list:
		if v.tuple {
			return "tuple"
		}
		return "list"
	case *dict:
		return "dict"
	case *namespace:
		return "namespace"
	case *loop:
		return "loop"
	case undefined:
		return "undefined"
	}
	return "function"
}

func truth(v value) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case text:
		return v.s != ""
	case *list:
		return len(v.items) > 0
	case *dict:
		return len(v.keys) > 0
	}
	return true
}

// number returns a value as a float, which booleans are too.
func number(v value) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	n, ok := integer(v)
	return float64(n), ok
}

// integer returns a value as an integer, which booleans are too.
func integer(v value) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	}
	return 0, false
}

// equal is Python's ==.
func equal(a, b value) bool {
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case text:
		b, ok := b.(text)
		return ok && a.s == b.s
	case bigInteger:
		b, ok := b.(bigInteger)
		return ok && a == b
	case undefined:
		_, ok := b.(undefined)
		return ok
	case *list:
		b, ok := b.(*list)
		return ok && a.tuple == b.tuple && equalItems(a.items, b.items)
	case *dict:
		b, ok := b.(*dict)
		if !ok || len(a.keys) != len(b.keys) {
			return false
		}
		for i, k := range a.keys {
			v, ok := b.get(k)
			if !ok || !equal(a.vals[i], v) {
				return false
			}
		}
		return true
	case *namespace:
		b, ok := b.(*namespace)
		return ok && a == b
	}
	return false
}

func equalItems(a, b []value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// compare orders two values as Python's < does: numbers, strings, lists.
func compare(a, b value) (int, bool) {
	if x, ok := number(a); ok {
		y, ok := number(b)
		switch {
		case !ok:
			return 0, false
		case x < y:
			return -1, true
		case x > y:
			return 1, true
		}
		return 0, true
	}
	switch a := a.(type) {
	case text:
		if b, ok := b.(text); ok {
			return strings.Compare(a.s, b.s), true
		}
	case *list:
		b, ok := b.(*list)
		if !ok || a.tuple != b.tuple {
			return 0, false
		}
		for i := range min(len(a.items), len(b.items)) {
			if equal(a.items[i], b.items[i]) {
				continue
			}
			return compare(a.items[i], b.items[i])
		}
		return len(a.items) - len(b.items), true
	}
	return 0, false
}

// formatFloat is Python's repr of a float.
func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	_, exponent, _ := strings.Cut(s, "e")
	if e, _ := strconv.Atoi(exponent); e < -4 || e >= 16 {
		return s
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote is Python's repr of a string.
func quote(s string) string {
	q := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.WriteRune(q)
	for _, r := range s {
		switch {
		case r == q || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f || r < 0x100 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case r >= 0x100 && !unicode.IsPrint(r) && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case r >= 0x10000 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteRune(q)
	return b.String()
}

// isPythonSpace is str.isspace for one character.
func isPythonSpace(r rune) bool {
	return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
}

// isLineEnd is where str.splitlines splits.
func isLineEnd(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}
