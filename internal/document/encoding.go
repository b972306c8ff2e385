package document

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// byteOrderMarks are the marks of Unicode's encodings; UTF-32's little-endian
// one begins with UTF-16's and so comes first. UTF-8 needs no decoder.
var byteOrderMarks = []struct {
	mark string
	enc  encoding.Encoding
}{
	{"\xEF\xBB\xBF", nil},
	{"\xFF\xFE\x00\x00", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
	{"\x00\x00\xFE\xFF", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
	{"\xFF\xFE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	{"\xFE\xFF", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
}

// isText tells whether the head of a file looks like text: it has a byte order
// mark, or no NUL byte and hardly any other control characters.
func isText(head []byte) bool {
	for _, b := range byteOrderMarks {
		if bytes.HasPrefix(head, []byte(b.mark)) {
			return true
		}
	}
	control := 0
	for _, c := range head {
		switch {
		case c == 0:
			return false
		case c < ' ' && !strings.ContainsRune("\t\n\v\f\r\b\x1b", rune(c)):
			control++
		}
	}
	return control*100 <= len(head)
}

// decodeText returns a text file as UTF-8. A byte order mark decides and is
// dropped. Without one, UTF-8 is kept as it is, with a replacement character
// for each stray byte, unless stray bytes are as common as real UTF-8
// sequences: then it is Windows-1252, the superset of Latin-1 that the WHATWG
// Encoding Standard reads for "latin1".
func decodeText(data []byte) (string, error) {
	for _, b := range byteOrderMarks {
		rest, ok := bytes.CutPrefix(data, []byte(b.mark))
		if !ok {
			continue
		}
		if b.enc == nil {
			return strings.ToValidUTF8(string(rest), "\uFFFD"), nil
		}
		text, err := b.enc.NewDecoder().Bytes(rest)
		if err != nil {
			return "", fmt.Errorf("decode its text: %w", err)
		}
		return string(text), nil
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return "", fmt.Errorf("%w: a binary file (a NUL byte at offset %d)", ErrUnsupported, i)
	}
	if utf8.Valid(data) {
		return string(data), nil
	}
	if sequences, strays := countUTF8(data); sequences > strays {
		return string(bytes.ToValidUTF8(data, []byte("\uFFFD"))), nil
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return "", fmt.Errorf("decode its text: %w", err)
	}
	return string(text), nil
}

// countUTF8 counts the characters of more than one byte and the bytes that
// belong to no character.
func countUTF8(data []byte) (sequences, strays int) {
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			strays++
		case size > 1:
			sequences++
		}
		data = data[size:]
	}
	return sequences, strays
}
