package grammar

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// hostile are grammars made to take long or much memory.
func hostile() map[string]func() (*Grammar, error) {
	schema := func(s string) func() (*Grammar, error) {
		return func() (*Grammar, error) { return CompileSchema([]byte(s)) }
	}
	regex := func(s string) func() (*Grammar, error) {
		return func() (*Grammar, error) { return CompileRegex(s) }
	}
	gbnf := func(s string) func() (*Grammar, error) {
		return func() (*Grammar, error) { return ParseGBNF(s) }
	}
	return map[string]func() (*Grammar, error){
		"deep schema":               schema(strings.Repeat(`{"items":`, 5000) + "{}" + strings.Repeat("}", 5000)),
		"deep value":                schema(strings.Repeat(`[`, 1<<19)),
		"long string":               schema(`{"type":"string","minLength":100000,"maxLength":200000}`),
		"endless string":            schema(`{"type":"string","maxLength":1000000000000}`),
		"many items":                schema(`{"minItems":60000,"maxItems":65000,"items":{"minItems":60000,"items":{"minLength":60000}}}`),
		"doubling alternatives":     schema(doubling(40)),
		"doubling texts":            gbnf(doublingRules(60)),
		"many properties":           schema(manyProperties(3000)),
		"many constants":            schema(`{"enum":[` + strings.TrimSuffix(strings.Repeat(`"0123456789abcdef",`, 40000), ",") + `]}`),
		"pattern, exponential":      schema(`{"type":"string","pattern":"(a|b)*a(a|b){30}"}`),
		"patterns, many":            schema(manyPatterns(60)),
		"subset construction":       regex(`(a|b)*a(a|b){14}`),
		"letters":                   regex(`(\pL\PL?){500}`),
		"case folding":              regex(`(?i)` + strings.Repeat(`[a-zß-ſ]?`, 900)),
		"nested optional":           regex(`((((a?){10}){10}){10}b?)*`),
		"many groups":               regex(strings.Repeat("(", 900) + "a" + strings.Repeat(")?", 900)),
		"long alternation":          regex(strings.Repeat("abcdefgh|", 50000) + "x"),
		"nested repetitions":        gbnf(`root ::= ((("a"?){200}){200}){200}`),
		"ambiguous":                 gbnf("root ::= x*\nx ::= \"a\" x | \"a\" x x | \"a\"?  y\ny ::= (\"a\" y)? (\"a\" x)? \"b\"?"),
		"ambiguous stacks":          gbnf("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"a\" root | \"\""),
		"many rules that begin all": gbnf(chainOfRules(20000)),
		"any characters":            gbnf("root ::= .{500} | [^a]{400} | (. .? .?){3000}"),
		"deep groups":               gbnf("root ::= " + strings.Repeat("(", 10000)),
		"many repetitions":          gbnf("root ::= \"a\"" + strings.Repeat("*", 100000)),
		"long texts":                func() (*Grammar, error) { return Spans(strings.Repeat("abcabd", 30000), strings.Repeat("xyz", 5000)) },
	}
}

func doubling(n int) string {
	var defs strings.Builder
	for i := range n {
		fmt.Fprintf(&defs, `"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"title":"x","$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	return fmt.Sprintf(`{"$ref":"#/$defs/d0","$defs":{%s"d%d":{"type":"string"}}}`, defs.String(), n)
}

func doublingRules(n int) string {
	var rules strings.Builder
	fmt.Fprintf(&rules, "root ::= r0\nr%d ::= \"ab\"\n", n)
	for i := range n {
		fmt.Fprintf(&rules, "r%d ::= r%d r%d\n", i, i+1, i+1)
	}
	return rules.String()
}

func manyProperties(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `,"property-%d":{"type":"string","maxLength":%d}`, i, i)
	}
	return `{"type":"object","properties":{` + s.String()[1:] + `}}`
}

func manyPatterns(n int) string {
	s := `{"pattern":"x"}`
	for i := range n {
		s = fmt.Sprintf(`{"pattern":"%s","anyOf":[%s]}`, strings.Repeat(".", i%7)+"[a-f]"+fmt.Sprint(i), s)
	}
	return s
}

func chainOfRules(n int) string {
	var rules strings.Builder
	rules.WriteString("root ::= r0\n")
	for i := range n {
		fmt.Fprintf(&rules, "r%d ::= r%d | \"a\"\n", i, i+1)
	}
	fmt.Fprintf(&rules, "r%d ::= \"b\"\n", n)
	return rules.String()
}

// Hostile grammars end in an error or are run, and neither takes long.
func TestHostileGrammars(t *testing.T) {
	v, _ := jsonVocabulary()
	for name, compile := range hostile() {
		start := time.Now()
		g, err := compile()
		compiled := time.Since(start)
		if err == nil {
			err = follow(g, v, 6)
		}
		t.Logf("%-26s compiled in %6v, run in %6v: %.90v", name, compiled.Round(time.Millisecond), (time.Since(start) - compiled).Round(time.Millisecond), err)
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// follow reads some tokens, with little room.
func follow(g *Grammar, v *Vocabulary, room int) error {
	c, err := g.For(v)
	if err != nil {
		return err
	}
	m := c.NewMatcher()
	mask := NewBitset(v.Size())
	rng := rand.New(rand.NewPCG(4, 4))
	for ; room > 0 && !m.Done(); room-- {
		if err := m.Mask(mask, room); err != nil || mask.Count() == 0 {
			return err
		}
		m.Forced(room)
		if err := m.Accept(pick(rng, mask)); err != nil {
			return err
		}
	}
	return nil
}
