// Package payload is the binary form of JSON values that points carry: compact,
// and read in place. A filter looks up "address.city" in a million payloads
// without decoding one of them.
//
// # Encoding
//
// A value is a tag byte and what the tag says follows. Numbers keep their
// kind: an integer comes back as an integer. Arrays and objects begin with the
// length of their content in bytes, so that they can be stepped over; the keys
// of an object are sorted, so that equal values have equal bytes.
// docs/formats/vector.md has the table.
//
// # Promises
//
// Encode refuses what JSON cannot hold (NaN, infinity, values nested deeper
// than MaxDepth). Every read checks bounds: damaged bytes give ErrCorrupt or
// fewer values, never a panic or an allocation larger than the bytes. Values
// are immutable and safe for concurrent use.
package payload

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrCorrupt reports bytes that are no encoded value.
var ErrCorrupt = errors.New("corrupt payload")

// MaxDepth is how deep arrays and objects may be nested.
const MaxDepth = 64

// Kind is the kind of a value.
type Kind byte

// The kinds, which are also the tags of the encoding.
const (
	Null   Kind = iota
	False       // the tag says it all
	True        //
	Int         // int64 as a zigzag varint
	Uint        // uint64 above the range of int64, as a uvarint
	Float       // float64, little-endian
	String      // length as a uvarint, bytes
	Array       // length of what follows in bytes as a uvarint, values
	Object      // length as Array's, pairs of a string without its tag and a value, sorted by key
)

// Value is one encoded value.
type Value []byte

// Kind returns the kind of the value; no bytes at all are Null.
func (v Value) Kind() Kind {
	if len(v) == 0 {
		return Null
	}
	return Kind(v[0])
}

// Bool returns a boolean; ok is false if the value is none.
func (v Value) Bool() (b, ok bool) {
	return v.Kind() == True, v.Kind() == True || v.Kind() == False
}

// Text returns the bytes of a string; ok is false if the value is none.
func (v Value) Text() (text []byte, ok bool) {
	if v.Kind() != String {
		return nil, false
	}
	text, _, ok = cutBytes(v[1:])
	return text, ok
}

// Number is a number of any kind: an integer where Integer says so, exactly,
// and a float64 that is near it in any case.
type Number struct {
	Float   float64
	Int     int64
	Integer bool // Int holds it; integers above the range of int64 are not
}

// Number returns a number; ok is false if the value is none.
func (v Value) Number() (n Number, ok bool) {
	switch v.Kind() {
	case Int:
		i, size := binary.Varint(v[1:])
		return Number{Float: float64(i), Int: i, Integer: true}, size > 0
	case Uint:
		u, size := binary.Uvarint(v[1:])
		return Number{Float: float64(u)}, size > 0
	case Float:
		if len(v) < 9 {
			return Number{}, false
		}
		return NumberOf(math.Float64frombits(binary.LittleEndian.Uint64(v[1:]))), true
	}
	return Number{}, false
}

// NumberOf returns a float as a number; a whole one within ±2⁵³ is an integer,
// so that 5.0 equals 5.
func NumberOf(f float64) Number {
	n := Number{Float: f}
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		n.Int, n.Integer = int64(f), true
	}
	return n
}

// Compare returns −1, 0 or 1, comparing integers exactly.
func (n Number) Compare(other Number) int {
	a, b := n.Float, other.Float
	if n.Integer && other.Integer {
		switch {
		case n.Int < other.Int:
			return -1
		case n.Int > other.Int:
			return 1
		}
		return 0
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// cutBytes cuts a length and as many bytes off data.
func cutBytes(data []byte) (content, rest []byte, ok bool) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > uint64(len(data)-size) {
		return nil, nil, false
	}
	end := size + int(n)
	return data[size:end:end], data[end:], true
}

// cutValue cuts the first value off data.
func cutValue(data []byte) (v Value, rest []byte, ok bool) {
	if len(data) == 0 {
		return nil, nil, false
	}
	size := 0
	switch Kind(data[0]) {
	case Null, False, True:
		size = 1
	case Int, Uint:
		_, n := binary.Uvarint(data[1:])
		if n <= 0 {
			return nil, nil, false
		}
		size = 1 + n
	case Float:
		size = 9
	case String, Array, Object:
		_, after, ok := cutBytes(data[1:])
		if !ok {
			return nil, nil, false
		}
		size = len(data) - len(after)
	default:
		return nil, nil, false
	}
	if size > len(data) {
		return nil, nil, false
	}
	return Value(data[:size:size]), data[size:], true
}

// Elements calls yield with every element of an array, until it returns false.
func (v Value) Elements(yield func(Value) bool) {
	if v.Kind() != Array {
		return
	}
	rest, _, ok := cutBytes(v[1:])
	for ok && len(rest) > 0 {
		var element Value
		if element, rest, ok = cutValue(rest); ok && !yield(element) {
			return
		}
	}
}

// Members calls yield with every key and value of an object, until it returns
// false.
func (v Value) Members(yield func(key []byte, member Value) bool) {
	if v.Kind() != Object {
		return
	}
	rest, _, ok := cutBytes(v[1:])
	for ok && len(rest) > 0 {
		var key []byte
		var member Value
		if key, rest, ok = cutBytes(rest); !ok {
			return
		}
		if member, rest, ok = cutValue(rest); ok && !yield(key, member) {
			return
		}
	}
}

// Member returns the value of an object's key.
func (v Value) Member(key string) (member Value, ok bool) {
	v.Members(func(k []byte, m Value) bool {
		if string(k) == key {
			member, ok = m, true
		}
		return string(k) < key // sorted
	})
	return member, ok
}
