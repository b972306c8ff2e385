package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
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
// it; lookup reads an environment variable. Show names an item in one word.
func listSection[T any](key, usage, example string, into func(*Config) *[]T, check func(item *T, lookup func(string) string) error, show func(T) string) section {
	return section{
		key: key, usage: usage, example: example,
		fields: fieldsOf(reflect.TypeFor[T]()),
		read: func(f *file, e entry) {
			for i, n := range f.items(e.value, key) {
				before := len(f.problems)
				var item T
				f.decode(n, reflect.ValueOf(&item).Elem(), fmt.Sprintf("%s[%d]", key, i))
				if len(f.problems) == before {
					for _, err := range unjoin(check(&item, f.getenv)) {
						f.fail(line(n), "%s[%d]: %v", key, i, err)
					}
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
			fields = append(fields, sectionField{key, field.Tag.Get("doc")})
		}
	}
	return fields
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

// Alias is a name that means a model.
type Alias struct {
	Name  string // what programs ask for
	Model string // what runs: the name of a local model or of an upstream's
}

var aliases = section{
	key:     "aliases",
	usage:   "Names that programs ask for, and the models they mean. They win over the built-in ones.",
	example: "aliases:\n  gpt-4.1-mini: smollm2-135m-instruct\n  text-embedding-3-large: all-minilm-l6-v2",
	read: func(f *file, e entry) {
		for _, alias := range f.entries(e.value, "aliases") {
			model, ok := f.scalar(alias.value, alias.key)
			switch {
			case ok && (alias.key == "" || model == ""):
				f.fail(alias.line, "an alias has no name or no model: write NAME: MODEL")
			case ok:
				f.config.Aliases = append(f.config.Aliases, Alias{alias.key, model})
			}
		}
	},
	show: func(c *Config) string {
		var names []string
		for _, a := range c.Aliases {
			names = append(names, a.Name+"="+a.Model)
		}
		slices.Sort(names)
		return strings.Join(names, ", ")
	},
}
