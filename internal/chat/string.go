package chat

import (
	"strconv"
)

// str is Python's str of a value.
func (r *renderer) str(v value) (text, error) {
	switch v := v.(type) {
	case text:
		return v, nil
	case undefined:
		return text{}, nil
	}
	return r.repr(v)
}

// repr is Python's repr of a value.
func (r *renderer) repr(v value) (text, error) {
	w := &valueWriter{r: r}
	w.python(v)
	return w.result()
}

// valueWriter writes a value as text and charges for it.
type valueWriter struct {
	r     *renderer
	b     textBuilder
	given bool // something of it came from the conversation
	err   error
}

func (w *valueWriter) result() (text, error) {
	t := w.b.text()
	if w.given {
		t = outside(t.s)
	}
	return t, w.err
}

func (w *valueWriter) write(s string) {
	if w.err == nil {
		w.err = w.r.charge(len(s) + 1)
	}
	if w.err == nil {
		w.b.add(literal(s))
	}
}

// writeText writes a string in a notation.
func (w *valueWriter) writeText(t text, notation func(string) string) {
	w.given = w.given || len(t.given) > 0
	if w.err == nil {
		w.err = w.r.charge(8 * len(t.s)) // character by character
	}
	if w.err == nil {
		w.write(notation(t.s))
	}
}

func (w *valueWriter) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// python writes v as repr does.
func (w *valueWriter) python(v value) {
	if w.err != nil {
		return
	}
	switch v := v.(type) {
	case nil:
		w.write("None")
	case bool:
		if v {
			w.write("True")
		} else {
			w.write("False")
		}
	case int64:
		w.write(strconv.FormatInt(v, 10))
	case bigInteger:
		w.write(string(v))
	case float64:
		w.write(formatFloat(v))
	case text:
		w.writeText(v, quote)
	case undefined:
		w.write("Undefined")
	case *list:
		w.pythonList(v)
	case *dict:
		w.write("{")
		for i := range v.keys {
			if i > 0 {
				w.write(", ")
			}
			w.python(v.key(i))
			w.write(": ")
			w.python(v.vals[i])
		}
		w.write("}")
	default:
		w.fail(failf("a %s cannot be printed", typeName(v)))
	}
}

func (w *valueWriter) pythonList(l *list) {
	begin, end := "[", "]"
	if l.tuple {
		begin, end = "(", ")"
		if len(l.items) == 1 {
			end = ",)"
		}
	}
	w.write(begin)
	for i, item := range l.items {
		if i > 0 {
			w.write(", ")
		}
		w.python(item)
	}
	w.write(end)
}
