package openai

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// raw is the value as JSON text again: keys in the order given, numbers as they
// were written.
func (v *value) raw() json.RawMessage {
	var b bytes.Buffer
	v.write(&b)
	return b.Bytes()
}

func (v *value) write(b *bytes.Buffer) {
	switch v.kind {
	case null:
		b.WriteString("null")
	case boolean, number:
		b.WriteString(v.text)
	case text:
		writeText(b, v.text)
	case array:
		b.WriteByte('[')
		for i := range v.kids {
			if i > 0 {
				b.WriteByte(',')
			}
			v.kids[i].write(b)
		}
		b.WriteByte(']')
	case dictionary:
		b.WriteByte('{')
		for i := range v.kids {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, v.kids[i].name)
			b.WriteByte(':')
			v.kids[i].write(b)
		}
		b.WriteByte('}')
	}
}

// writeText writes a string without the escapes for HTML.
func writeText(b *bytes.Buffer, text string) { b.Write(appendText(b.AvailableBuffer(), text)) }

// appendText is writeText for a slice. Most strings need no escapes.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			var escaped bytes.Buffer
			e := json.NewEncoder(&escaped)
			e.SetEscapeHTML(false)
			_ = e.Encode(text) // of a string into memory: neither can fail
			return append(b, bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// field returns an entry of a dictionary, or nil.
func (v *value) field(name string) *value {
	if v == nil || v.kind != dictionary {
		return nil
	}
	for i := range v.kids {
		if v.kids[i].name == name {
			return &v.kids[i]
		}
	}
	return nil
}

// Body is a request as it came, for another server to read.
type Body struct{ value *value }

// With is the body as JSON text with some entries changed: each gets its new
// value, in its own place or at the end, and one whose value is nil is left
// out.
func (b Body) With(changes ...Member) json.RawMessage {
	var o Object
	if b.value != nil {
		for i := range b.value.kids {
			o = append(o, Member{b.value.kids[i].name, b.value.kids[i].raw()})
		}
	}
	for _, c := range changes {
		if c.Value == nil {
			o.remove(c.Name)
		} else {
			o.set(c.Name, c.Value)
		}
	}
	return o.appendJSON(nil)
}
