package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/vector"
)

// plainJSON is what is wrong with a JSON text, without the names that our
// program has for what it wants.
func plainJSON(err error) error {
	text := err.Error()
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what := "it"
		if e.Field != "" {
			what = e.Field
		}
		text = strings.Replace(text, e.Error(), what+" is "+article(e.Value)+": want "+kindOf(e.Type), 1)
	}
	text = strings.ReplaceAll(text, "json: unknown field", "there is no field")
	if errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(text, "unexpected end of JSON") {
		text = "the JSON text ends in the middle"
	}
	return errors.New(text)
}

// article is a JSON value's kind as encoding/json calls it, such as object or
// "number 5", with its article.
func article(value string) string {
	if value != "" && strings.ContainsRune("aeiou", rune(value[0])) {
		return "an " + value
	}
	return "a " + value
}

// kindOf is what a Go type is in JSON.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Slice, reflect.Array:
		if k := t.Elem().Kind(); k == reflect.Float32 || k == reflect.Float64 {
			return "a list of numbers"
		}
		return "a list"
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a number"
}

// checkQuery says which flag of a query cannot be, as far as the collection's
// schema tells.
func checkQuery(q vector.Query, collection string, s vector.Schema) error {
	for flag, n := range map[string]int{"offset": q.Offset, "ef": q.EF, "nprobe": q.NProbe} {
		if n < 0 {
			return misuse("--%s is %d: want 0 or more", flag, n)
		}
	}
	ways := 0
	for _, given := range []bool{q.Vector != nil, q.Like != nil, q.Text != ""} {
		if given {
			ways++
		}
	}
	spec, isVector := s.Vectors[q.Using]
	_, isKeywords := s.Keywords[q.Using]
	switch {
	case ways != 1:
		return misuse("give one of --vector, --like and --text: what is to be near")
	case q.K < 1:
		return misuse("-k is %d: want at least 1", q.K)
	case q.Rescore < 0:
		return misuse("--rescore is %v: want 0 or more", q.Rescore)
	case q.Text != "" && !isKeywords:
		return misuse("--using %q: %s has %s", q.Using, collection, namesOf("keyword index", "keyword indexes", names(s.Keywords)))
	case q.Text == "" && !isVector && !slices.Contains(s.Sparse, q.Using):
		return misuse("--using %q: %s has %s", q.Using, collection, namesOf("vector", "vectors", append(names(s.Vectors), s.Sparse...)))
	case q.Vector != nil && isVector && len(q.Vector) != spec.Dimensions:
		return misuse("--vector has %s: the vectors of %s have %d", plural(len(q.Vector), "number"), collection, spec.Dimensions)
	}
	return nil
}

// searchProblem names the flag that a search was refused for.
func searchProblem(err error, likeID string) error {
	switch {
	case likeID != "" && errors.Is(err, vector.ErrNotFound):
		return misuse("--like %s: there is no such point", likeID)
	case errors.Is(err, vector.ErrInvalid):
		text := strings.TrimPrefix(err.Error(), vector.ErrInvalid.Error()+": ")
		if rest, ok := strings.CutPrefix(text, "filter: "); ok {
			text = "--filter: " + rest
		}
		return misuse("%s", text)
	}
	return err
}

func names[T any](m map[string]T) (all []string) {
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// namesOf tells a list of names, of which the empty one has no name.
func namesOf(one, many string, names []string) string {
	if len(names) == 0 {
		return "no " + one
	}
	var quoted []string
	for _, name := range names {
		if name == "" {
			name = "the unnamed one"
		}
		quoted = append(quoted, name)
	}
	return "these " + many + ": " + strings.Join(quoted, ", ")
}

// newFolder returns what takes a folder away again that an unsuccessful import has
// made, with those above it that it had to make.
func newFolder(dir string) (remove func() error) {
	first := ""
	for path := filepath.Clean(dir); ; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); err == nil || path == filepath.Dir(path) {
			break
		}
		first = path
	}
	if first == "" {
		return nil
	}
	return func() error { return os.RemoveAll(first) }
}
