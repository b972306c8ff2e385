package grammar

import (
	"strings"
	"testing"
)

func TestGBNF(t *testing.T) {
	tests := []struct {
		name, grammar string
		good, bad     []string
	}{
		{"arithmetic", `
# sums of products
root   ::= term (ws "+" ws term)*
term   ::= factor (ws "*" ws factor)*
factor ::= number | "(" ws root ws ")" # nested
number ::= [0-9]+
ws     ::= [ \t\n]*
`, []string{"1", "1+2*3", "(1 + (22))*3"}, []string{"", "1+", "(1", "1)", "a"}},
		{"counts", `root ::= "ab"{2} "c"{1,} "d"{0,2} "e"?`, []string{"ababc", "ababcccdde"}, []string{"abc", "abab", "ababcddd"}},
		{"characters", `root ::= [^a-c\]\n] [a\x41\u00e9-\U0001F600-] .`, []string{"dé\n", "z😀€", "dAa", "d-\n"}, []string{"aéx", "]éx", "db", "d"}},
		{"escapes", `root ::= "\"\\\[\]\t\x0a"`, []string{"\"\\[]\t\n"}, []string{`"`}},
		{"lines in groups", "root ::= (\n  \"a\"\n  | \"b\"\n)+ |\n \"c\"\n", []string{"abba", "c"}, []string{"", "cc"}},
		{"right recursion", `root ::= "a" root | "b"`, []string{"b", "aaab"}, []string{"a", "ba"}},
		{"centre", `root ::= "a" root "b" | ""`, []string{"", "aabb"}, []string{"a", "aab", "abab"}},
		{"empty", "root ::= e \"x\" e\ne ::= \"\" | e2\ne2 ::= ()", []string{"x"}, []string{"", "xx"}},
	}
	for _, tt := range tests {
		g, err := ParseGBNF(tt.grammar)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		checkTexts(t, tt.name, g, tt.good, tt.bad)
	}
}

// checkTexts reports texts that should be in a language and are not, and the
// other way round.
func checkTexts(t *testing.T, name string, g *Grammar, good, bad []string) {
	t.Helper()
	for want, texts := range map[bool][]string{true: good, false: bad} {
		for _, text := range texts {
			if got, err := g.Matches([]byte(text)); got != want || err != nil {
				t.Errorf("%s: matches %q: got %v, %v; want %v", name, text, got, err, want)
			}
		}
	}
}

// A wrong grammar is refused with its line and what is wrong there.
func TestWrongGBNF(t *testing.T) {
	for grammar, want := range map[string]string{
		"expr ::= \"a\"":                       "no rule named root",
		"root ::= \"a\"\nroot ::= \"b\"":       `line 2: rule "root" is defined twice`,
		"root ::= a\n\na ::= b c\nb ::= \"\"":  `line 3: rule "c" is used and never defined`,
		"root ::= \"a":                         "line 1: a literal has no end",
		"root ::= [a-":                         "line 1: a character class has no end",
		"root ::= [z-a]":                       "the range z-a is backwards",
		"root ::= (\"a\"":                      "want ), not",
		"root ::= \"a\"{2,1}":                  "want {n}, {n,} or {n,m}",
		"root = \"a\"":                         "want ::=",
		"root ::= \"\\q\"":                     `unknown escape \q`,
		"root ::= \"a\" $":                     `did not expect "$"`,
		"root ::= root \"a\" | \"a\"":          `rule "root" is left-recursive`,
		"root ::= a\na ::= \"x\"? root | \"\"": "is left-recursive",
		"root ::= \"a\" root":                  "no text satisfies",
	} {
		if _, err := ParseGBNF(grammar); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want one with %q", grammar, err, want)
		}
	}
}
