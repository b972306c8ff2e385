package tokenizer

import "unicode/utf8"

// Byte-level vocabularies spell each byte as a visible character: the
// printable ones of Latin-1 as themselves and the others, in order, as the
// characters from U+0100 on. So "Ġthe" is the bytes " the".

const spellingStart = 0x100

// isPrintable reports whether a byte is spelled as itself.
func isPrintable(b int) bool {
	return '!' <= b && b <= '~' || 0xa1 <= b && b <= 0xac || 0xae <= b && b <= 0xff
}

// byteSpelling is each byte's character.
var byteSpelling = func() (out [256]rune) {
	next := rune(spellingStart)
	for b := range out {
		out[b] = rune(b)
		if !isPrintable(b) {
			out[b] = next
			next++
		}
	}
	return out
}()

// spelledByte is the inverse of byteSpelling, by character.
var spelledByte = func() map[rune]byte {
	out := make(map[rune]byte, 256)
	for b, r := range byteSpelling {
		out[r] = byte(b)
	}
	return out
}()

// unspell returns the bytes that a spelling stands for, and false where it has
// a character outside the alphabet.
func unspell(name string) (string, bool) {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		i += n
		b, ok := spelledByte[r]
		if !ok {
			return "", false
		}
		out = append(out, b)
	}
	return string(out), true
}
