package payload

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Encode appends the encoding of a value to dst: nil, booleans, numbers,
// strings, times (as RFC 3339 text), []any and map[string]any; anything else
// as package encoding/json writes it.
func Encode(dst []byte, v any) ([]byte, error) { return encode(dst, v, 0) }

func encode(dst []byte, v any, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("values are nested deeper than %d", MaxDepth)
	}
	switch v := v.(type) {
	case nil:
		return append(dst, byte(Null)), nil
	case bool:
		if v {
			return append(dst, byte(True)), nil
		}
		return append(dst, byte(False)), nil
	case int:
		return encodeInt(dst, int64(v)), nil
	case int64:
		return encodeInt(dst, v), nil
	case int32:
		return encodeInt(dst, int64(v)), nil
	case uint64:
		if v <= math.MaxInt64 {
			return encodeInt(dst, int64(v)), nil
		}
		return binary.AppendUvarint(append(dst, byte(Uint)), v), nil
	case float64:
		return encodeFloat(dst, v)
	case float32:
		return encodeFloat(dst, float64(v))
	case string:
		return encodeString(dst, v), nil
	case json.Number:
		return encodeNumber(dst, v)
	case time.Time:
		return encodeString(dst, v.Format(time.RFC3339Nano)), nil
	case []any:
		return encodeArray(dst, v, depth)
	case map[string]any:
		return encodeObject(dst, v, depth)
	}
	return encodeOther(dst, v, depth)
}

func encodeInt(dst []byte, i int64) []byte {
	return binary.AppendVarint(append(dst, byte(Int)), i)
}

func encodeFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v is no JSON number", f)
	}
	return binary.LittleEndian.AppendUint64(append(dst, byte(Float)), math.Float64bits(f)), nil
}

func encodeString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) { // as encoding/json does
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst = binary.AppendUvarint(append(dst, byte(String)), uint64(len(s)))
	return append(dst, s...)
}

func encodeNumber(dst []byte, n json.Number) ([]byte, error) {
	if i, err := n.Int64(); err == nil {
		return encodeInt(dst, i), nil
	}
	var u uint64
	if _, err := fmt.Sscanf(string(n), "%d", &u); err == nil && fmt.Sprint(u) == string(n) {
		return encode(dst, u, 0)
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("number %s: %w", n, err)
	}
	return encodeFloat(dst, f)
}

func encodeArray(dst []byte, array []any, depth int) ([]byte, error) {
	var content []byte
	for i, element := range array {
		var err error
		if content, err = encode(content, element, depth+1); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return appendNested(dst, Array, content), nil
}

func encodeObject(dst []byte, object map[string]any, depth int) ([]byte, error) {
	var content []byte
	for _, key := range slices.Sorted(maps.Keys(object)) {
		var err error
		content = binary.AppendUvarint(content, uint64(len(key)))
		content = append(content, key...)
		if content, err = encode(content, object[key], depth+1); err != nil {
			return nil, fmt.Errorf("key %q: %w", key, err)
		}
	}
	return appendNested(dst, Object, content), nil
}

func appendNested(dst []byte, kind Kind, content []byte) []byte {
	dst = binary.AppendUvarint(append(dst, byte(kind)), uint64(len(content)))
	return append(dst, content...)
}

// encodeOther goes through JSON, so that structs and typed slices work as
// their authors declared them.
func encodeOther(dst []byte, v any, depth int) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var plain any
	if err := d.Decode(&plain); err != nil {
		return nil, err
	}
	return encode(dst, plain, depth)
}

// Decode returns the value as nil, bool, int64, uint64, float64, string, []any
// or map[string]any. The whole value is checked.
func (v Value) Decode() (any, error) {
	one, rest, ok := cutValue(v)
	if !ok || len(rest) > 0 {
		return nil, ErrCorrupt
	}
	return one.decode(0)
}

func (v Value) decode(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, ErrCorrupt
	}
	switch v.Kind() {
	case Null:
		return nil, nil
	case False, True:
		return v.Kind() == True, nil
	case Int:
		i, _ := binary.Varint(v[1:])
		return i, nil
	case Uint:
		u, _ := binary.Uvarint(v[1:])
		if u <= math.MaxInt64 {
			return nil, ErrCorrupt // it would have another encoding
		}
		return u, nil
	case Float:
		f := math.Float64frombits(binary.LittleEndian.Uint64(v[1:]))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, ErrCorrupt
		}
		return f, nil
	case String:
		text, _ := v.Text()
		return string(text), nil
	case Array:
		return v.decodeArray(depth)
	}
	return v.decodeObject(depth)
}

func (v Value) decodeArray(depth int) (any, error) {
	array := []any{}
	rest, _, _ := cutBytes(v[1:])
	for len(rest) > 0 {
		element, after, ok := cutValue(rest)
		if !ok {
			return nil, ErrCorrupt
		}
		decoded, err := element.decode(depth + 1)
		if err != nil {
			return nil, err
		}
		array, rest = append(array, decoded), after
	}
	return array, nil
}

func (v Value) decodeObject(depth int) (any, error) {
	object := map[string]any{}
	before, first := "", true
	rest, _, _ := cutBytes(v[1:])
	for len(rest) > 0 {
		key, after, ok := cutBytes(rest)
		if !ok || !first && string(key) <= before {
			return nil, ErrCorrupt
		}
		member, after, ok := cutValue(after)
		if !ok {
			return nil, ErrCorrupt
		}
		decoded, err := member.decode(depth + 1)
		if err != nil {
			return nil, err
		}
		before, first = string(key), false
		object[before], rest = decoded, after
	}
	return object, nil
}
