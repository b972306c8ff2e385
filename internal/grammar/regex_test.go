package grammar

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

// The grammar of an expression holds what package regexp matches.
func TestRegexEqualsPackageRegexp(t *testing.T) {
	patterns := []string{
		``, `a`, `abc|abd`, `a*`, `(ab)+c?`, `[^a-c]{2,3}`, `(?i)straße`, `(?i)k`, `\d+(\.\d{1,2})?`,
		`^a$`, `a|^b|c$`, `^(a|b$|^c)*$`, `x{0}`, `.`, `(?s).`, `.*b.{2}`, `\pL+`, `[äöü€-₯😀]+`, `[^\x00-\x{10FFFF}]?a`,
		`\s\S`, `a??b`, `(a|b)*abb`, `\Aab?\z`, `[[:alpha:]]_`,
	}
	words := []string{"abc", "abd", "STRASSE", "straße", "STRAẞE", "aabb", "ababb"}
	alphabet := []rune("aabbccdkKxs1.9ßſ \nä€😀\x00\u212a_S")
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range patterns {
		g, err := CompileRegex(p)
		if err != nil {
			t.Errorf("%q: %v", p, err)
			continue
		}
		want := regexp.MustCompile(`\A(?:` + p + `)\z`)
		matched := 0
		for range 3000 {
			var text []rune
			for range rng.IntN(6) {
				text = append(text, alphabet[rng.IntN(len(alphabet))])
			}
			if rng.IntN(10) == 0 {
				text = []rune(words[rng.IntN(len(words))])
			}
			got, err := g.Matches([]byte(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if got != want.MatchString(string(text)) {
				t.Errorf("%q matches %q: got %v, want %v", p, string(text), got, !got)
			}
			if got {
				matched++
			}
		}
		if matched == 0 {
			t.Errorf("%q matched none of the random texts: the test shows little", p)
		}
	}
}

func TestRegexRefuses(t *testing.T) {
	for _, p := range []string{`\bword`, `(?m)^a$`, `a(`, `[^\x00-\x{10FFFF}]`, `(a|b)*a(a|b){18}`, `((a{0,100}){0,100}){0,10}`} {
		if _, err := CompileRegex(p); err == nil {
			t.Errorf("%q: got no error", p)
		}
	}
}
