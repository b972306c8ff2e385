package tokenizer

import (
	"fmt"
	"strings"
)

// decoding gives the tokens their texts as the file's decoder makes them.
func (f *tokenizerFile) decoding(t *Tokenizer, byteLevel bool) error {
	var d decoder
	if f.Decoder != nil {
		if err := d.add(f.Decoder); err != nil {
			return err
		}
	}
	f.texts(t, func(name string) string {
		if d.byteLevel || f.Decoder == nil && byteLevel {
			if text, ok := unspell(name); ok {
				return text
			}
			return name
		}
		if d.bytes {
			if c, ok := parseByteName(name); ok {
				return string([]byte{c})
			}
		}
		for _, r := range d.replace {
			name = strings.ReplaceAll(name, r[0], r[1])
		}
		return name
	})
	if d.dropFirst > 0 || d.dropSpaces {
		t.join = d.join
	}
	return nil
}

// decoder is what a file's decoder does: to the tokens one by one, and to the
// start of a text.
type decoder struct {
	byteLevel bool
	bytes     bool // "<0x0A>" is a byte
	replace   [][2]string

	dropFirst  int  // so many spaces at the start of a text
	dropSpaces bool // those at the start of its first token
}

func (d *decoder) add(p *fileStep) error {
	switch p.Type {
	case "Sequence":
		for i := range p.Decoders {
			if err := d.add(&p.Decoders[i]); err != nil {
				return err
			}
		}
	case "ByteLevel":
		d.byteLevel = true
	case "ByteFallback":
		d.bytes = true
	case "Fuse":
	case "Metaspace":
		mark := p.Replacement
		if mark == "" {
			mark = spaceMark
		}
		d.replace = append(d.replace, [2]string{mark, " "})
		d.dropSpaces = p.PrependScheme != "never" && (p.PrependScheme != "" || flag(p.AddPrefixSpace, true))
	case "Replace":
		if p.Pattern.String == "" {
			return fmt.Errorf("decoder Replace with pattern %q is %w", p.Pattern.Regex, ErrUnsupported)
		}
		d.replace = append(d.replace, [2]string{p.Pattern.String, p.Content})
	case "Strip":
		if p.Content != " " || p.Stop != 0 || p.Start < 0 {
			return fmt.Errorf("decoder Strip of %q, %d at the start and %d at the end is %w", p.Content, p.Start, p.Stop, ErrUnsupported)
		}
		d.dropFirst = p.Start
	default:
		return fmt.Errorf("decoder %q is %w", p.Type, ErrUnsupported)
	}
	return nil
}

// join is Decode where the start of a text is treated.
func (d *decoder) join(t *Tokenizer, ids []int32) string {
	text := t.concatenate(ids)
	if d.dropSpaces {
		for _, id := range ids {
			if first := t.text(id); first != "" {
				return strings.TrimLeft(first, " ") + text[len(first):]
			}
		}
	}
	for range d.dropFirst {
		text = strings.TrimPrefix(text, " ")
	}
	return text
}
