package state

import "crypto/rand"

const (
	idLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	idLength  = 24 // 143 bits: no two are ever equal
)

// NewID returns prefix followed by 24 random letters and digits. The prefix
// names the kind of object, with the separator the API uses for it: "key_",
// "chatcmpl-".
func NewID(prefix string) string { return prefix + RandomText(idLength) }

// RandomText returns n letters and digits from the system's source of
// cryptographic randomness, each of the 62 equally likely.
func RandomText(n int) string {
	const fair = 256 - 256%len(idLetters) // bytes from here on would favour the first letters
	out := make([]byte, 0, n)
	var random [64]byte
	for {
		rand.Read(random[:]) // never fails: it ends the program instead
		for _, b := range random {
			if int(b) >= fair {
				continue
			}
			if out = append(out, idLetters[int(b)%len(idLetters)]); len(out) == n {
				return string(out)
			}
		}
	}
}
