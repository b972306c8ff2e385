package grammar

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

var fuzzVocabulary = sync.OnceValues(jsonVocabulary)

// roam follows a grammar for some tokens, as far as its limits let it, and
// checks what must hold whatever the grammar is. Nothing may take long.
func roam(t *testing.T, g *Grammar) {
	t.Helper()
	start := time.Now()
	v, _ := fuzzVocabulary()
	c, err := g.For(v)
	if err != nil {
		return
	}
	rng := rand.New(rand.NewPCG(1, 1))
	mask := NewBitset(v.Size())
	m := c.NewMatcher()
	for room := 12; room > 0 && !m.Done(); room-- {
		if time.Since(start) > time.Minute {
			t.Fatal("a few masks have taken a minute")
		}
		if err := m.Mask(mask, room); err != nil {
			return
		}
		if mask.Count() == 0 {
			if !m.Complete() {
				t.Fatal("the text is not complete, and nothing may follow")
			}
			return
		}
		if forced := m.Forced(room); len(forced) > 0 && !mask.Has(forced[0]) {
			t.Fatalf("token %d is forced, and not in the mask", forced[0])
		}
		if err := m.Accept(pick(rng, mask)); err != nil {
			t.Fatalf("a token of the mask is refused: %v", err)
		}
	}
}

func FuzzSchema(f *testing.F) {
	for _, seed := range []string{
		`{"type":"object","properties":{"a":{"$ref":"#"},"b":{"enum":[1,"x",null,{"c":[]}]}},"required":["b"]}`,
		`{"anyOf":[{"type":"string","pattern":"^a+$","minLength":2},{"type":"number","multipleOf":0.01,"minimum":-3}]}`,
		`{"type":"array","items":{"format":"date-time"},"minItems":2,"maxItems":3}`,
		`{"$defs":{"x":{"anyOf":[{"$ref":"#/$defs/x"}]}},"$ref":"#/$defs/x"}`,
		`{"type":"integer","minimum":1e99,"maximum":-1e-99}`,
		`{"maxLength":100000,"minItems":60000,"items":{"pattern":"(a|b)*a(a|b){12}"}}`,
		strings.Repeat(`{"items":`, 120) + "{}" + strings.Repeat("}", 120),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, schema []byte) {
		if g, err := CompileSchema(schema); err == nil {
			roam(t, g)
		}
	})
}

func FuzzRegex(f *testing.F) {
	f.Add(`^(a|[^b]{2,})+$`, "acca")
	f.Add(`(?i)\pL\d?.*\z`, "äÄ1")
	f.Add(`((a?){30}){30}`, "aaaa")
	f.Add(`[^\x00-\x{10FFFF}]|x*`, "xx")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		g, err := CompileRegex(pattern)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		got, err := g.Matches([]byte(text))
		if err != nil {
			return
		}
		if want := regexp.MustCompile(`\A(?:` + pattern + `)\z`).MatchString(text); got != want {
			t.Errorf("%q matches %q: got %v, want %v", pattern, text, got, want)
		}
		roam(t, g)
	})
}

func FuzzGBNF(f *testing.F) {
	f.Add("root ::= \"a\" b* # comment\nb ::= [^x-z\\n] | (root | \"\\u00e9\"){2,3}\n")
	f.Add("root ::= x x\nx ::= \"a\" | x \"b\"\n")
	f.Add("root ::= (((\"a\"?){100}){100}){100}")
	f.Add("root ::= \"a\" root \"b\" | \"a\" root \"c\" | .")
	f.Fuzz(func(t *testing.T, text string) {
		if g, err := ParseGBNF(text); err == nil {
			roam(t, g)
		}
	})
}

func FuzzSpans(f *testing.F) {
	f.Add("one two", "two one", 1, 5)
	f.Add("añb\xff€€", "€", 0, 3)
	f.Fuzz(func(t *testing.T, first, second string, start, end int) {
		g, err := Spans(first, second)
		if err != nil {
			return
		}
		text := first + second
		if start < 0 || end > len(text) || start >= end {
			return
		}
		span := text[start:end]
		want := utf8.ValidString(span) && (strings.Contains(first, span) || strings.Contains(second, span))
		got, err := g.Matches([]byte(span))
		if err != nil || got != want {
			t.Errorf("%q in %q and %q: got %v, %v; want %v", span, first, second, got, err, want)
		}
		for _, s := range g.Sources(span, 3) {
			if in := []string{first, second}[s.Text]; in[s.Start:s.End] != span {
				t.Errorf("%q: a source is %q", span, in[s.Start:s.End])
			}
		}
		roam(t, g)
	})
}
