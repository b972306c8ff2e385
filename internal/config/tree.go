package config

import (
	"reflect"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// entry is a key of a mapping in the file, with its value.
type entry struct {
	key   string
	line  int
	value ast.Node
}

func line(n ast.Node) int { return n.GetToken().Position.Line }

// entries are a mapping's, in order. What says what the mapping is, for errors.
func (f *file) entries(n ast.Node, what string) []entry {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		f.fail(line(n), "%s must be lines of NAME: VALUE", what)
		return nil
	}
	var list []entry
	first := map[string]int{}
	for _, pair := range pairs {
		key, ok := f.scalar(pair.Key, "a name")
		e := entry{key, line(pair.Key), pair.Value}
		switch {
		case !ok:
		case first[key] > 0:
			f.fail(e.line, "%s stands here and in line %d: keep one", key, first[key])
		default:
			first[key] = e.line
			list = append(list, e)
		}
	}
	return list
}

// items are a list's.
func (f *file) items(n ast.Node, what string) []ast.Node {
	switch n := n.(type) {
	case *ast.SequenceNode:
		return n.Values
	case *ast.NullNode:
		return nil
	}
	f.fail(line(n), "%s must be a list: a line that begins with - for each", what)
	return nil
}

// scalar is the text of a single value, empty for none. It reports false once
// it has noted why it is no such thing.
func (f *file) scalar(n ast.Node, what string) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.NullNode:
		return "", true
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		f.fail(line(n), "%s is an anchor, an alias or a tag: write the value itself", what)
		return "", false
	}
	f.fail(line(n), "%s must be one value, not a list or a map", what)
	return "", false
}

// decode sets into, a struct whose fields have tags, from a mapping. What is the
// place it has in the file, such as upstreams[0].
//
// A field's tag yaml is its key, doc says what it is for, and secret:"true"
// marks what must not be shown. Fields are texts, numbers, booleans, durations,
// lists of texts or of such structs, maps of texts, and such structs.
func (f *file) decode(n ast.Node, into reflect.Value, what string) {
	var known []string
	for _, field := range reflect.VisibleFields(into.Type()) {
		if key := field.Tag.Get("yaml"); key != "" {
			known = append(known, key)
		}
	}
	for _, e := range f.entries(n, what) {
		field, ok := fieldOf(into.Type(), e.key)
		if !ok {
			f.unknown(e, what, known)
			continue
		}
		if field.Tag.Get("secret") != "" {
			f.secret = e.line
		}
		f.decodeValue(e.value, into.FieldByIndex(field.Index), what+"."+e.key)
	}
}

func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("yaml") == key {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

func (f *file) decodeValue(n ast.Node, into reflect.Value, what string) {
	switch into.Kind() {
	case reflect.Struct:
		f.decode(n, into, what)
	case reflect.Slice:
		for i, item := range f.items(n, what) {
			value := reflect.New(into.Type().Elem()).Elem()
			f.decodeValue(item, value, what+"["+strconv.Itoa(i)+"]")
			into.Set(reflect.Append(into, value))
		}
	case reflect.Map:
		into.Set(reflect.MakeMap(into.Type()))
		for _, e := range f.entries(n, what) {
			value := reflect.New(into.Type().Elem()).Elem()
			f.decodeValue(e.value, value, what+"."+e.key)
			into.SetMapIndex(reflect.ValueOf(e.key), value)
		}
	default:
		if text, ok := f.scalar(n, what); ok && text != "" {
			f.decodeScalar(line(n), text, into, what)
		}
	}
}

func (f *file) decodeScalar(line int, text string, into reflect.Value, what string) {
	if into.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			f.fail(line, "%s is %q: want a duration such as 90s, 10m or 2h", what, text)
		}
		into.SetInt(int64(d))
		return
	}
	var err error
	want := ""
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		want = "true or false"
		var b bool
		b, err = strconv.ParseBool(text)
		into.SetBool(b)
	case reflect.Int, reflect.Int64:
		want = "a whole number"
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		into.SetInt(n)
	case reflect.Float64:
		want = "a number"
		var x float64
		x, err = strconv.ParseFloat(text, 64)
		into.SetFloat(x)
	default:
		panic("config: a section has a field of type " + into.Type().String())
	}
	if err != nil {
		f.fail(line, "%s is %q: want %s", what, text, want)
	}
}
