package vector

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxIDBytes is the longest string that may be an ID, and the longest name of
// a namespace.
const MaxIDBytes = 1024

// ID names a point within its namespace: a number, a UUID or a string. IDs of
// different kinds are different even if they read alike. The zero ID names
// nothing. IDs may be compared with == and be keys of maps.
type ID struct {
	kind   idKind
	number uint64
	text   string // of a UUID its 16 bytes
}

// idKind is also the byte before an ID in a key, so it decides the order of
// scrolling: numbers, then UUIDs, then strings.
type idKind byte

const (
	numberID idKind = 1 + iota
	uuidID
	stringID
)

// Num returns the ID of a number.
func Num(n uint64) ID { return ID{kind: numberID, number: n} }

// Str returns the ID of a string of 1 to MaxIDBytes bytes of UTF-8.
func Str(s string) ID { return ID{kind: stringID, text: s} }

// UUID returns the ID of a UUID.
func UUID(u [16]byte) ID { return ID{kind: uuidID, text: string(u[:])} }

// ParseID reads an ID as String writes it: decimal digits are a number, the
// 36 characters of RFC 9562 (hyphens in their places) a UUID, and anything else
// a string.
func ParseID(text string) ID {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && strconv.FormatUint(n, 10) == text {
		return Num(n)
	}
	if u, ok := parseUUID(text); ok {
		return UUID(u)
	}
	return Str(text)
}

func parseUUID(text string) (u [16]byte, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return u, false
	}
	digits := strings.ReplaceAll(text, "-", "")
	n, err := hex.Decode(u[:], []byte(digits))
	return u, err == nil && n == 16 && len(digits) == 32
}

// IsZero reports whether the ID names nothing.
func (id ID) IsZero() bool { return id.kind == 0 }

// Number returns the number of an ID that is one.
func (id ID) Number() (n uint64, ok bool) { return id.number, id.kind == numberID }

// UUID returns the UUID of an ID that is one.
func (id ID) UUID() (u [16]byte, ok bool) {
	if id.kind != uuidID {
		return u, false
	}
	return [16]byte([]byte(id.text)), true
}

// String returns the number in decimal, the UUID in its usual form or the
// string itself.
func (id ID) String() string {
	switch id.kind {
	case numberID:
		return strconv.FormatUint(id.number, 10)
	case uuidID:
		x := hex.EncodeToString([]byte(id.text))
		return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
	}
	return id.text
}

// Compare orders IDs as Scroll does: numbers by value, then UUIDs, then strings
// by bytes.
func (id ID) Compare(other ID) int {
	return cmp.Or(cmp.Compare(id.kind, other.kind), cmp.Compare(id.number, other.number), cmp.Compare(id.text, other.text))
}

// MarshalJSON writes a number as a number and the others as strings.
func (id ID) MarshalJSON() ([]byte, error) {
	if id.kind == numberID {
		return strconv.AppendUint(nil, id.number, 10), nil
	}
	return json.Marshal(id.String())
}

// UnmarshalJSON reads a number, or a string that is a UUID if it looks like one.
func (id *ID) UnmarshalJSON(data []byte) error {
	var n uint64
	if json.Unmarshal(data, &n) == nil {
		*id = Num(n)
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("point id %.40s: want an integer from 0 on or a string", data)
	}
	if u, ok := parseUUID(text); ok {
		*id = UUID(u)
	} else {
		*id = Str(text)
	}
	return id.validate()
}

func (id ID) validate() error {
	switch {
	case id.kind == 0:
		return fmt.Errorf("a point has no id: want a whole number, a UUID or a string")
	case id.kind == stringID && (id.text == "" || len(id.text) > MaxIDBytes):
		return fmt.Errorf("a string ID has %d bytes: want 1 to %d", len(id.text), MaxIDBytes)
	case id.kind == stringID && !utf8.ValidString(id.text):
		return fmt.Errorf("the string ID %q is not UTF-8", id.text)
	}
	return nil
}

// A key is a point's namespace and ID as bytes, in the order of scrolling: the
// namespace, a zero byte (which namespaces do not hold), the kind of the ID and
// the ID, numbers big-endian.

func appendKey(dst []byte, namespace string, id ID) []byte {
	dst = append(dst, namespace...)
	dst = append(dst, 0, byte(id.kind))
	if id.kind == numberID {
		return binary.BigEndian.AppendUint64(dst, id.number)
	}
	return append(dst, id.text...)
}

// parseKey is the inverse of appendKey.
func parseKey(key []byte) (namespace string, id ID, ok bool) {
	for i, b := range key {
		if b != 0 {
			continue
		}
		if i+1 >= len(key) {
			return "", ID{}, false
		}
		id, ok = parseKeyID(idKind(key[i+1]), key[i+2:])
		return string(key[:i]), id, ok
	}
	return "", ID{}, false
}

func parseKeyID(kind idKind, rest []byte) (ID, bool) {
	switch {
	case kind == numberID && len(rest) == 8:
		return Num(binary.BigEndian.Uint64(rest)), true
	case kind == uuidID && len(rest) == 16, kind == stringID && len(rest) > 0:
		return ID{kind: kind, text: string(rest)}, true
	}
	return ID{}, false
}

// validateNamespace refuses what a key cannot hold.
func validateNamespace(name string) error {
	switch {
	case len(name) > MaxIDBytes:
		return fmt.Errorf("a namespace has %d bytes: want at most %d", len(name), MaxIDBytes)
	case !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0:
		return fmt.Errorf("the namespace %q is not UTF-8 without zero bytes", name)
	}
	return nil
}
