package openai

import (
	"bytes"
	"encoding/json"
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
func writeText(b *bytes.Buffer, text string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text)      // of a string into memory: neither can fail
	b.Truncate(b.Len() - 1) // the newline Encode adds
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
