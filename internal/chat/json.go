package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxJSONDepth bounds how deep the conversation's JSON may nest.
const maxJSONDepth = 100

// decodeJSON reads a JSON value as Python's json does: the order of keys stays,
// integers stay integers. Its strings count as from outside.
func decodeJSON(data []byte) (value, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("the JSON value is followed by something else")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (value, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("the JSON nests more than %d deep", maxJSONDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case string:
		return outside(t), nil
	case json.Number:
		return decodeNumber(t)
	case bool:
		return t, nil
	case json.Delim:
		if t == '[' {
			return decodeList(d, depth)
		}
		return decodeDict(d, depth)
	}
	return nil, nil
}

func decodeNumber(n json.Number) (value, error) {
	if strings.ContainsAny(string(n), ".eE") {
		f, err := strconv.ParseFloat(string(n), 64)
		if err != nil && !math.IsInf(f, 0) {
			return nil, err
		}
		return f, nil
	}
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return i, nil
	}
	return bigInteger(n), nil
}

func decodeList(d *json.Decoder, depth int) (value, error) {
	l := &list{shape: shape{values: 1}}
	for d.More() {
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		l.items = append(l.items, v)
		l.shape.grow(v)
	}
	_, err := d.Token()
	return l, err
}

func decodeDict(d *json.Decoder, depth int) (value, error) {
	out := newDict()
	out.given = true
	out.shape.values = 1
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decodeValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		out.set(k.(string), v)
		out.shape.grow(v)
	}
	_, err := d.Token()
	return out, err
}

// grow adds a value to what a container holds.
func (s *shape) grow(v value) {
	inner := shapeOf(v)
	s.values += inner.values
	s.depth = max(s.depth, inner.depth+1)
}

// jsonStyle is how tojson writes.
type jsonStyle struct {
	indent      string // one level; empty writes one line
	item, key   string // separators after an item and after a key
	ascii, sort bool
}

// json writes v as Python's json.dumps does.
func (w *valueWriter) json(v value, s jsonStyle, level int) {
	if w.err != nil {
		return
	}
	switch v := v.(type) {
	case nil:
		w.write("null")
	case bool:
		w.write(strconv.FormatBool(v))
	case float64:
		w.write(jsonFloat(v))
	case int64, bigInteger:
		w.python(v)
	case text:
		w.writeText(v, func(t string) string { return jsonQuote(t, s.ascii) })
	case *list:
		w.jsonItems("[", "]", len(v.items), s, level, func(i int) { w.json(v.items[i], s, level+1) })
	case *dict:
		order := make([]int, len(v.keys))
		for i := range order {
			order[i] = i
		}
		if s.sort {
			slices.SortStableFunc(order, func(a, b int) int {
				c, _ := compare(v.keys[a], v.keys[b])
				return c
			})
		}
		w.jsonItems("{", "}", len(order), s, level, func(i int) {
			w.jsonKey(v.key(order[i]), s)
			w.json(v.vals[order[i]], s, level+1)
		})
	default:
		w.fail(failf("a %s has no JSON form", typeName(v)))
	}
}

// jsonItems writes the brackets of n items and what stands between them.
func (w *valueWriter) jsonItems(begin, end string, n int, s jsonStyle, level int, item func(i int)) {
	w.write(begin)
	for i := range n {
		if i > 0 {
			w.write(s.item)
		}
		w.newline(s, level+1)
		item(i)
		if w.err != nil {
			return
		}
	}
	if n > 0 {
		w.newline(s, level)
	}
	w.write(end)
}

// newline starts a line at a level, where lines are wanted.
func (w *valueWriter) newline(s jsonStyle, level int) {
	if s.indent != "" {
		w.write("\n")
		w.write(strings.Repeat(strings.TrimPrefix(s.indent, "\n"), level))
	}
}

func (w *valueWriter) jsonKey(k value, s jsonStyle) {
	switch k := k.(type) {
	case text:
		w.json(k, s, 0)
	case nil, bool, int64, bigInteger, float64:
		w.write(`"`)
		w.json(k, s, 0)
		w.write(`"`)
	default:
		w.fail(failf("a %s cannot be a key in JSON", typeName(k)))
	}
	w.write(s.key)
}

func jsonFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	return formatFloat(f)
}

// jsonQuote is a JSON string as Python writes it.
func jsonQuote(s string, ascii bool) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < ' ' || ascii && r > 0x7e && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case ascii && r >= utf8.RuneSelf:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
