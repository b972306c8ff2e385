package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// Member is an entry of an Object: its name, and its value as JSON text.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Object is a JSON object that another server wrote, or is to read. Its values
// are kept as they came and in order, so that what we do not know passes
// unchanged.
type Object []Member

// ParseObject reads one JSON object. The values are parts of data.
func ParseObject(data []byte) (Object, error) {
	if !valid(data) {
		return nil, errors.New("it is not JSON")
	}
	o, ok := splitObject(data)
	if !ok {
		return nil, errors.New("it is JSON, but not an object")
	}
	return o, nil
}

// splitObject is ParseObject for text that is known to be valid.
func splitObject(data []byte) (Object, bool) {
	s := splitter{data, 0}
	if s.next() != '{' {
		return nil, false
	}
	o := make(Object, 0, 12) // as many as an answer has
	for s.at++; s.next() != '}'; {
		name := s.value()
		s.past(':')
		o = append(o, Member{unquote(name), s.value()})
		s.past(',')
	}
	return o, true
}

// parseArray returns the items of a JSON array, whose text is valid; of another
// value it returns none.
func parseArray(data []byte) []json.RawMessage {
	s := splitter{data, 0}
	if len(data) == 0 || s.next() != '[' {
		return nil
	}
	var items []json.RawMessage
	for s.at++; s.next() != ']'; s.past(',') {
		items = append(items, s.value())
	}
	return items
}

// Get returns the value of a name, or nil.
func (o Object) Get(name string) json.RawMessage {
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// set gives a name a value, in the place of the value it has.
func (o *Object) set(name string, value json.RawMessage) {
	for i := range *o {
		if (*o)[i].Name == name {
			(*o)[i].Value = value
			return
		}
	}
	*o = append(*o, Member{name, value})
}

// supply gives a name a value if it has none.
func (o *Object) supply(name, value string) {
	if o.Get(name) == nil {
		*o = append(*o, Member{name, json.RawMessage(value)})
	}
}

// remove takes a name out.
func (o *Object) remove(name string) {
	kept := (*o)[:0]
	for _, m := range *o {
		if m.Name != name {
			kept = append(kept, m)
		}
	}
	*o = kept
}

// appendJSON writes the object behind b.
func (o Object) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(appendText(b, m.Name), ':'), m.Value...)
	}
	return append(b, '}')
}

// splitter walks over JSON text that is known to be valid.
type splitter struct {
	data []byte
	at   int
}

// next is the next byte that is not white space.
func (s *splitter) next() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// past goes past a mark, if it is the next byte.
func (s *splitter) past(mark byte) {
	if s.next() == mark {
		s.at++
	}
}

// value goes past a value and returns its text.
func (s *splitter) value() json.RawMessage {
	s.next()
	start, depth := s.at, 0
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case '"':
			s.string()
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		default:
			s.at++
		}
		if depth == 0 && (s.at == len(s.data) || ends(s.data[s.at-1], s.data[s.at])) {
			break
		}
	}
	return s.data[start:s.at:s.at]
}

// ends reports whether a value that stands in no brackets ends between two
// bytes: behind its last bracket or quote, or before what is no part of a
// number or word.
func ends(last, next byte) bool {
	switch last {
	case '"', '}', ']':
		return true
	}
	switch next {
	case ' ', '\t', '\n', '\r', ',', ':', '}', ']':
		return true
	}
	return false
}

// string goes past a string.
func (s *splitter) string() {
	for s.at++; s.data[s.at] != '"'; s.at++ {
		if s.data[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

// unquote is the string that a JSON string stands for.
func unquote(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var s string
	_ = json.Unmarshal(text, &s) // a string of valid JSON
	return s
}

// Text is a string as JSON text.
func Text(s string) json.RawMessage { return appendText(nil, s) }

// Number is a whole number as JSON text.
func Number(n int) json.RawMessage { return strconv.AppendInt(nil, int64(n), 10) }
