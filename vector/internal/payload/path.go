package payload

import (
	"fmt"
	"strings"
)

// Path is a way into a value: the keys of nested objects, outermost first.
type Path []string

// ParsePath reads "address.city". A key with a dot in it is quoted:
// `"a.b".c`. Arrays on the way need no mark, and an empty pair of brackets
// after a key, as other databases want it ("visits[].city"), means nothing.
func ParsePath(text string) (Path, error) {
	var path Path
	for rest := text; ; {
		var key string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			end := strings.IndexByte(quoted, '"')
			if end < 0 {
				return nil, fmt.Errorf("payload key %q: a quote is not closed", text)
			}
			key, rest = quoted[:end], quoted[end+1:]
		} else {
			end := strings.IndexAny(rest, ".")
			if end < 0 {
				end = len(rest)
			}
			key, rest = strings.TrimSuffix(rest[:end], "[]"), rest[end:]
		}
		if key == "" {
			return nil, fmt.Errorf("payload key %q: a part of it is empty", text)
		}
		path = append(path, key)
		rest = strings.TrimPrefix(rest, "[]")
		if rest == "" {
			return path, nil
		}
		next, ok := strings.CutPrefix(rest, ".")
		if !ok {
			return nil, fmt.Errorf("payload key %q: want a dot before %q", text, rest)
		}
		rest = next
	}
}

// Find calls yield with every value that the path leads to, until it returns
// false. Arrays on the way are entered, one at the end is yielded whole; a path
// that leads nowhere yields nothing.
func (v Value) Find(path Path, yield func(Value) bool) {
	v.find(path, yield, 0)
}

func (v Value) find(path Path, yield func(Value) bool, depth int) bool {
	switch {
	case len(path) == 0:
		return yield(v)
	case depth > MaxDepth:
		return true
	case v.Kind() == Object:
		if member, ok := v.Member(path[0]); ok {
			return member.find(path[1:], yield, depth+1)
		}
	case v.Kind() == Array:
		more := true
		v.Elements(func(element Value) bool {
			more = element.find(path, yield, depth+1)
			return more
		})
		return more
	}
	return true
}

// Leaves is Find with arrays at the end replaced by their elements.
func (v Value) Leaves(path Path, yield func(Value) bool) {
	v.Find(path, func(found Value) bool {
		if found.Kind() != Array {
			return yield(found)
		}
		more := true
		found.Elements(func(element Value) bool {
			more = yield(element)
			return more
		})
		return more
	})
}
