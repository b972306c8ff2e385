package grammar

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// jsonVocabulary has every byte and tokens such as JSON is made of, some of
// them long and with parts of characters.
func jsonVocabulary() (*Vocabulary, []string) {
	var tokens []string
	for b := range 256 {
		tokens = append(tokens, string([]byte{byte(b)}))
	}
	pieces := []string{"a", "bc", " the", "é", "€", "😀", `"`, `\`, `\n`, `\u00`, "\n", "1", "23", "{", "}", "[", "]", ",", ":", " ", "true", "\xe2\x82", "\xac", "\xc3"}
	rng := rand.New(rand.NewPCG(5, 5))
	for range 3000 {
		token := ""
		for range 1 + rng.IntN(4) {
			token += pieces[rng.IntN(len(pieces))]
		}
		tokens = append(tokens, token)
	}
	for n := range 45 {
		tokens = append(tokens, strings.Repeat(" ", n), strings.Repeat("é", n), strings.Repeat("x", n)+`"`)
	}
	return NewVocabulary(len(tokens), func(id int32) []byte { return []byte(tokens[id]) }, nil), tokens
}

// Where masks take the tokens of plain text as a whole, they are what taking
// one token at a time gives; and no way out is longer than the mask thinks.
func TestMasksInStrings(t *testing.T) {
	schemas := []string{
		`{"type":"string"}`, `{"type":"string","maxLength":3}`, `{"type":"string","minLength":5}`,
		`{"type":"string","maxLength":40}`, `{"type":"string","minLength":33,"maxLength":34}`, `{"type":"string","pattern":"^[a-c ]*$"}`,
		`{"type":"string","pattern":"ab"}`, `{"type":"string","pattern":"^a[^b]*$","maxLength":5}`, `{"type":"string","pattern":"^[^\\n]*é$"}`,
		`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string","maxLength":2}}`,
		`{"type":"array","items":{"type":"string"}}`, `{}`, `{"anyOf":[{"type":"string","maxLength":4},{"type":"string","pattern":"x$"}]}`,
		`{"type":"string","maxLength":300}`, `{"type":"string","pattern":"xyzzy$"}`, `{"type":"string","pattern":"^[^€]*€€$"}`,
	}
	v, tokens := jsonVocabulary()
	mask := NewBitset(v.Size())
	for _, schema := range schemas {
		g, err := CompileSchema([]byte(schema))
		if err != nil {
			t.Fatalf("%s: %v", schema, err)
		}
		c, err := g.For(v)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(3, 9))
		for range 10 {
			m := c.NewMatcher()
			text := ""
			for range 12 {
				if err := m.Mask(mask, 100000); err != nil {
					t.Fatal(err)
				}
				checkMask(t, fmt.Sprintf("%s after %q", schema, text), m, mask, tokens)
				if mask.Count() == 0 {
					break
				}
				token := pick(rng, mask)
				if err := m.Accept(token); err != nil {
					t.Fatal(err)
				}
				text += tokens[token]
			}
		}
	}
}

// checkMask compares a mask with accepting each token.
func checkMask(t *testing.T, where string, m *Matcher, mask Bitset, tokens []string) {
	t.Helper()
	for id, token := range tokens {
		next := m.Clone()
		want := next.Accept(int32(id)) == nil
		if got := mask.Has(int32(id)); got != want {
			t.Fatalf("%s: token %q: got %v, want %v", where, token, got, want)
		}
		if want && next.at.exit > m.at.farthest {
			t.Fatalf("%s: token %q leads %d bytes from the end, the mask expects at most %d", where, token, next.at.exit, m.at.farthest)
		}
	}
}
