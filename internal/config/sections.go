package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// section is a part of the file that is more than one value. Flags and
// variables do not have it.
type section struct {
	key     string
	usage   string
	example string // as the file has it, without comment marks
	fields  []sectionField
	read    func(f *file, e entry)
	show    func(c *Config) string // empty: nothing is set
}

// sectionField is a key of a section's items.
type sectionField struct{ key, usage string }

// listSection is a section that is a list of structs T, each documented by the
// tags of its fields (decode has them). Check is called with every item once it
// is read, may fill in what the file leaves out, and says all that is wrong with
// it, in a *fieldError where a field is; lookup reads an environment variable.
// Show names an item in one word.
func listSection[T any](key, usage, example string, into func(*Config) *[]T, check func(item *T, lookup func(string) string) error, show func(T) string) section {
	return section{
		key: key, usage: usage, example: example,
		fields: fieldsOf(reflect.TypeFor[T]()),
		read: func(f *file, e entry) {
			for i, n := range f.items(e.value, key) {
				var item T
				what := fmt.Sprintf("%s[%d]", key, i)
				f.lines[what] = line(n)
				f.decode(n, reflect.ValueOf(&item).Elem(), what)
				for _, err := range unjoin(check(&item, f.getenv)) {
					f.failAt(what, err)
				}
				*into(&f.config) = append(*into(&f.config), item)
			}
		},
		show: func(c *Config) string {
			var names []string
			for _, item := range *into(c) {
				names = append(names, show(item))
			}
			return strings.Join(names, ", ")
		},
	}
}

func fieldsOf(t reflect.Type) (fields []sectionField) {
	for _, field := range reflect.VisibleFields(t) {
		if key := field.Tag.Get("yaml"); key != "" {
			usage := field.Tag.Get("doc")
			if field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct {
				var parts []string
				for _, part := range fieldsOf(field.Type.Elem()) {
					parts = append(parts, part.key+", "+part.usage)
				}
				usage += ": " + strings.Join(parts, "; ")
			}
			fields = append(fields, sectionField{key, usage})
		}
	}
	return fields
}

// fieldError is what is wrong with a field of a section's item.
type fieldError struct {
	field   string // such as models[0]
	problem string
}

func (e *fieldError) Error() string { return e.field + ": " + e.problem }

// wrong is a fieldError.
func wrong(field, format string, arguments ...any) error {
	return &fieldError{field, fmt.Sprintf(format, arguments...)}
}

// failAt notes a problem of the item at a place, at the line of the field that it
// is about, or of what holds the field. Of a field that could not be read, enough
// has been said.
func (l *loader) failAt(place string, err error) {
	name := place
	if e, ok := errors.AsType[*fieldError](err); ok {
		place += "." + e.field
		name, err = place, errors.New(e.problem)
	}
	if l.failed[place] {
		return
	}
	for l.lines[place] == 0 && strings.ContainsAny(place, ".[") {
		place = place[:strings.LastIndexAny(place, ".[")]
	}
	l.problems = append(l.problems, &FileError{l.path, l.lines[place], name + ": " + err.Error()})
}

// unjoin is the errors that errors.Join has joined.
func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
