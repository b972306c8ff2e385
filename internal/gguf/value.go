package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Kind is the kind of a metadata value. The values are the file's.
type Kind uint32

// The kinds that the format defines.
const (
	KindUint8   Kind = 0
	KindInt8    Kind = 1
	KindUint16  Kind = 2
	KindInt16   Kind = 3
	KindUint32  Kind = 4
	KindInt32   Kind = 5
	KindFloat32 Kind = 6
	KindBool    Kind = 7
	KindString  Kind = 8
	KindArray   Kind = 9
	KindUint64  Kind = 10
	KindInt64   Kind = 11
	KindFloat64 Kind = 12
)

// kinds gives each kind's name and its size, 0 where the value says its own.
var kinds = [...]struct {
	name  string
	bytes int
}{
	KindUint8: {"uint8", 1}, KindInt8: {"int8", 1},
	KindUint16: {"uint16", 2}, KindInt16: {"int16", 2},
	KindUint32: {"uint32", 4}, KindInt32: {"int32", 4},
	KindFloat32: {"float32", 4}, KindBool: {"bool", 1},
	KindString: {"string", 0}, KindArray: {"array", 0},
	KindUint64: {"uint64", 8}, KindInt64: {"int64", 8},
	KindFloat64: {"float64", 8},
}

// String returns the kind's name, such as "uint32".
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return fmt.Sprintf("kind %d", uint32(k))
}

// ErrMissing is wrapped by the error of an accessor whose key the file does
// not have.
var ErrMissing = errors.New("the file does not have it")

// value is a checked metadata value, still in the file's bytes.
type value struct {
	kind Kind
	elem Kind   // of an array: the kind of its elements
	n    int    // of an array: how many
	raw  []byte // a scalar's or string's bytes; an array's elements
}

// String describes the value's kind for an error.
func (v value) String() string {
	if v.kind == KindArray {
		return fmt.Sprintf("an array of %d %s", v.n, v.elem)
	}
	return v.kind.String()
}

// value takes one value of a kind, at a depth of enclosing arrays.
func (r *reader) value(what string, kind Kind, depth int) value {
	v := value{kind: kind}
	switch {
	case r.err != nil:
	case int(kind) >= len(kinds):
		r.refuse("%s has the unknown kind %d", what, uint32(kind))
	case kind == KindString:
		v.raw = r.bytes(what, r.uint64(what))
	case kind == KindArray:
		r.array(what, &v, depth)
	default:
		v.raw = r.bytes(what, uint64(kinds[kind].bytes))
		if kind == KindBool && r.err == nil && v.raw[0] > 1 {
			r.refuse("%s is a bool of value %d", what, v.raw[0])
		}
	}
	return v
}

// array takes the rest of an array value. Its elements are walked so that the
// accessors need not check them again.
func (r *reader) array(what string, v *value, depth int) {
	if depth >= MaxArrayDepth {
		r.refuse("%s nests arrays more than %d deep", what, MaxArrayDepth)
		return
	}
	v.elem = Kind(r.uint32(what))
	n := r.uint64(what)
	if r.err != nil {
		return
	}
	if int(v.elem) >= len(kinds) {
		r.refuse("%s is an array of the unknown kind %d", what, uint32(v.elem))
		return
	}
	size := kinds[v.elem].bytes
	least := size
	if size == 0 {
		least = 8 // strings and arrays have a length at least
	}
	if rest := uint64(len(r.data) - r.pos); n > rest/uint64(least) {
		r.refuse("%s announces %d elements of kind %s in %d bytes", what, n, v.elem, rest)
		return
	}
	start := r.pos
	if size > 0 && v.elem != KindBool {
		r.bytes(what, n*uint64(size))
	} else {
		for i := uint64(0); i < n && r.err == nil; i++ {
			r.value(what, v.elem, depth+1)
		}
	}
	v.n = int(n)
	v.raw = r.data[start:r.pos:r.pos]
}

// Has reports whether the file has a metadata key.
func (f *File) Has(key string) bool {
	_, ok := f.meta[key]
	return ok
}

// Keys returns the metadata keys in the file's order, in a new slice.
func (f *File) Keys() []string { return slices.Clone(f.keys) }

// lookup finds a value that must be of one of the wanted kinds; the phrase
// names them for the error.
func (f *File) lookup(key, want string, ok func(value) bool) (value, error) {
	v, found := f.meta[key]
	if !found {
		return v, fmt.Errorf("metadata key %q (%s): %w", key, want, ErrMissing)
	}
	if !ok(v) {
		return v, fmt.Errorf("metadata key %q is %s, want %s", key, v, want)
	}
	return v, nil
}

// String returns a string value.
func (f *File) String(key string) (string, error) {
	v, err := f.lookup(key, "a string", func(v value) bool { return v.kind == KindString })
	return string(v.raw), err
}

// Uint returns an integer value of any width that is not negative.
func (f *File) Uint(key string) (uint64, error) {
	v, err := f.lookup(key, "an unsigned integer", func(v value) bool { return isInteger(v.kind) })
	if err != nil {
		return 0, err
	}
	n := integer(v.kind, v.raw)
	if n < 0 && v.kind != KindUint64 {
		return 0, fmt.Errorf("metadata key %q is %d, want an unsigned integer", key, n)
	}
	return uint64(n), nil
}

// Float returns a floating-point value of either width.
func (f *File) Float(key string) (float64, error) {
	v, err := f.lookup(key, "a float", func(v value) bool { return isFloat(v.kind) })
	if err != nil {
		return 0, err
	}
	return float(v.kind, v.raw), nil
}

// Bool returns a boolean value.
func (f *File) Bool(key string) (bool, error) {
	v, err := f.lookup(key, "a bool", func(v value) bool { return v.kind == KindBool })
	return err == nil && v.raw[0] != 0, err
}

// Strings returns an array of strings.
func (f *File) Strings(key string) ([]string, error) {
	v, err := f.lookup(key, "an array of strings", arrayOf(func(k Kind) bool { return k == KindString }))
	if err != nil {
		return nil, err
	}
	all := string(v.raw) // one copy that every element is a part of
	out := make([]string, v.n)
	at := 0
	for i := range out {
		n := int(binary.LittleEndian.Uint64(v.raw[at:]))
		at += 8
		out[i] = all[at : at+n]
		at += n
	}
	return out, nil
}

// Ints returns an array of integers of any width. An element above the
// largest int64 is an error.
func (f *File) Ints(key string) ([]int64, error) {
	v, err := f.lookup(key, "an array of integers", arrayOf(isInteger))
	if err != nil {
		return nil, err
	}
	out := make([]int64, v.n)
	size := kinds[v.elem].bytes
	for i := range out {
		out[i] = integer(v.elem, v.raw[i*size:])
		if v.elem == KindUint64 && out[i] < 0 {
			return nil, fmt.Errorf("metadata key %q: element %d is %d, above the largest int64", key, i, uint64(out[i]))
		}
	}
	return out, nil
}

// Floats returns an array of floating-point numbers of either width.
func (f *File) Floats(key string) ([]float64, error) {
	v, err := f.lookup(key, "an array of floats", arrayOf(isFloat))
	if err != nil {
		return nil, err
	}
	out := make([]float64, v.n)
	size := kinds[v.elem].bytes
	for i := range out {
		out[i] = float(v.elem, v.raw[i*size:])
	}
	return out, nil
}

// Bools returns an array of booleans.
func (f *File) Bools(key string) ([]bool, error) {
	v, err := f.lookup(key, "an array of bools", arrayOf(func(k Kind) bool { return k == KindBool }))
	if err != nil {
		return nil, err
	}
	out := make([]bool, v.n)
	for i := range out {
		out[i] = v.raw[i] != 0
	}
	return out, nil
}

func arrayOf(elem func(Kind) bool) func(value) bool {
	return func(v value) bool { return v.kind == KindArray && elem(v.elem) }
}

func isFloat(k Kind) bool { return k == KindFloat32 || k == KindFloat64 }

func isInteger(k Kind) bool {
	return k <= KindInt32 || k == KindUint64 || k == KindInt64
}

// integer decodes an integer; a uint64 above the largest int64 comes out
// negative.
func integer(k Kind, b []byte) int64 {
	switch k {
	case KindUint8:
		return int64(b[0])
	case KindInt8:
		return int64(int8(b[0]))
	case KindUint16:
		return int64(binary.LittleEndian.Uint16(b))
	case KindInt16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case KindUint32:
		return int64(binary.LittleEndian.Uint32(b))
	case KindInt32:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	default:
		return int64(binary.LittleEndian.Uint64(b))
	}
}

func float(k Kind, b []byte) float64 {
	if k == KindFloat32 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}
