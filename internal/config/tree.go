package config

import (
	"fmt"
	"path/filepath"
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
// A field's tag yaml is its key, doc says what it is for, secret:"true" marks what
// must not be shown, path:"true" a path relative to the file's folder, and
// within:"LOW HIGH" bounds a number. Fields are texts, numbers, booleans,
// durations, lists of texts or of such structs, maps of texts, and such structs.
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
		value := into.FieldByIndex(field.Index)
		before := len(f.problems)
		f.decodeValue(e.value, value, what+"."+e.key)
		if within := field.Tag.Get("within"); within != "" && len(f.problems) == before {
			f.checkWithin(e, what, within, value.Int())
		}
		if field.Tag.Get("path") != "" {
			value.SetString(f.beside(value.String()))
		}
		f.lines[what+"."+e.key] = e.line
		f.failed[what+"."+e.key] = len(f.problems) > before
	}
}

// checkWithin notes a number that is not within the bounds that a tag has.
func (f *file) checkWithin(e entry, what, within string, n int64) {
	var low, high int64
	if _, err := fmt.Sscan(within, &low, &high); err != nil {
		panic("config: a field's tag within is " + within)
	}
	if n < low || n > high {
		f.fail(e.line, "%s.%s is %d: want a number from %d to %d", what, e.key, n, low, high)
	}
}

// beside is a path of the file, which may be relative to the file's folder.
func (f *file) beside(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.path), path)
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
			place := what + "[" + strconv.Itoa(i) + "]"
			f.lines[place] = line(item)
			f.decodeValue(item, value, place)
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

// longest bounds the durations of sections: beyond it somebody has mistaken the
// unit.
const longest = 24 * time.Hour

func (f *file) decodeScalar(line int, text string, into reflect.Value, what string) {
	if into.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > longest {
			f.fail(line, "%s is %q: want a duration such as 90s, 10m or 2h, of at most a day", what, text)
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
