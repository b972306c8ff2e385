package grammar

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// words is a vocabulary of the tokens given and all ASCII characters, whose
// tokenizer takes the longest token at each place.
func words(tokens ...string) (*Vocabulary, func(ids []int32) []string, func(text string) int32) {
	for b := range byte(128) {
		tokens = append(tokens, string(rune(b)))
	}
	v := NewVocabulary(len(tokens), func(id int32) []byte { return []byte(tokens[id]) }, nil)
	spell := func(ids []int32) []string {
		var s []string
		for _, id := range ids {
			s = append(s, tokens[id])
		}
		return s
	}
	find := func(text string) int32 {
		for id, token := range tokens {
			if token == text {
				return int32(id)
			}
		}
		return -1
	}
	return v, spell, find
}

func matcher(t *testing.T, g *Grammar, err error, v *Vocabulary) *Matcher {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.For(v)
	if err != nil {
		t.Fatal(err)
	}
	return c.NewMatcher()
}

// What has to follow comes in the tokenizer's own tokens, but for those at the
// end that another token might join with what is free.
func TestForcedRuns(t *testing.T) {
	v, spell, _ := words(`{"`, `name`, `":`, ` "`, `":"`, `{"n`, "true", "tr")
	person := `{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}`
	tests := []struct {
		name   string
		make   func() (*Grammar, error)
		before string
		want   []string
	}{
		{"keys", func() (*Grammar, error) { return CompileSchema([]byte(person)) }, "", []string{`{"n`, "a", "m", "e"}}, // then ":" or ":"" …
		{"inside a key", func() (*Grammar, error) { return CompileSchema([]byte(person)) }, `{"`, []string{"name"}},
		{"nothing in a string", func() (*Grammar, error) { return CompileSchema([]byte(person)) }, `{"name":"`, nil},
		{"to the end", func() (*Grammar, error) { return Choice("true", "no") }, "tr", []string{"u", "e"}},
		{"no choice at all", func() (*Grammar, error) { return Literal("true") }, "", []string{"true"}},
		{"may end", func() (*Grammar, error) { return CompileRegex("a(bc)?") }, "a", nil},
	}
	for _, tt := range tests {
		g, err := tt.make()
		m := matcher(t, g, err, v)
		if err := m.AcceptBytes([]byte(tt.before)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, spell(m.Forced(100))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// A forced run that would leave no room for the rest is not taken: another way
// to cut the same text may.
func TestForcedRunsLeaveRoom(t *testing.T) {
	v := NewVocabulary(4, func(id int32) []byte { return []byte([]string{"a", "b", "ab", "aba"}[id]) },
		func(text string) []int32 { // a tokenizer that prefers letters
			var ids []int32
			for _, c := range text {
				ids = append(ids, int32(c-'a'))
			}
			return ids
		})
	g, err := Literal("abab")
	m := matcher(t, g, err, v)
	if got := m.Forced(4); len(got) != 4 {
		t.Errorf("with room for 4: got %v, want the tokenizer's four letters", got)
	}
	if got := m.Forced(3); got != nil {
		t.Errorf("with room for 3: got %v, want none", got)
	}
	mask := NewBitset(v.Size())
	if err := m.Mask(mask, 2); err != nil {
		t.Fatal(err)
	}
	if got, want := mask.Count(), 2; got != want || !mask.Has(2) || !mask.Has(3) {
		t.Errorf("with room for 2: got %d tokens, want ab and aba", got)
	}
	if !m.Narrowed() {
		t.Error("with room for 2 the mask is said to be whole, and a is left out")
	}
	if n, ok := m.Exit(); n != 2 || !ok {
		t.Errorf("the exit takes %d tokens, %v; want 2", n, ok)
	}
}

func TestClonesGoTheirOwnWay(t *testing.T) {
	v, _, find := words()
	g, err := Choice("ab", "ac")
	m := matcher(t, g, err, v)
	accept := func(m *Matcher, text string, want bool) {
		t.Helper()
		if err := m.Accept(find(text)); (err == nil) != want {
			t.Errorf("accept %q: got error %v, want success: %v", text, err, want)
		}
	}
	accept(m, "b", false)
	accept(m, "a", true)
	other := m.Clone()
	accept(m, "b", true)
	accept(other, "c", true)
	accept(other, "c", false)
	if !m.Done() || !other.Done() {
		t.Error("both texts are complete and nothing can follow")
	}
	if err := m.Accept(-1); err == nil {
		t.Error("token -1 was accepted")
	}
}

func TestCombinations(t *testing.T) {
	must := func(g *Grammar, err error) *Grammar {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	open := must(Literal("<call>"))
	arguments := must(CompileSchema([]byte(`{"type":"object","properties":{"n":{"type":"integer"}},"additionalProperties":false}`)))
	one := must(Sequence(open, arguments, must(Literal("</call>"))))
	many := must(Repeat(one, 1, unbounded))
	g := must(Alternatives(many, must(CompileRegex("none|nothing")), must(Literal(""))))
	checkTexts(t, "calls", g,
		[]string{"", "none", `<call>{}</call>`, `<call>{"n":1}</call><call>{"n": 2}</call>`},
		[]string{"<call>", `<call>{}</call>none`, `{}`, "no"})
	if _, err := Repeat(one, 3, 2); err == nil {
		t.Error("3 to 2 times: got no error")
	}
	if _, err := Choice(); err == nil {
		t.Error("a choice of nothing: got no error")
	}
}

func TestSpans(t *testing.T) {
	texts := []string{"Größe zählt: 5 €.", "Der Zug fährt. Der Zug hält.", "bad \xff byte"}
	g, err := Spans(texts...)
	if err != nil {
		t.Fatal(err)
	}
	checkTexts(t, "spans", g,
		[]string{"ö", "Größe zählt: 5 €.", "Der Zug", "ug fährt. D", "bad ", " byte"},
		[]string{"", "\xc3", "Gr\xc3", "\xb6", "Zugzug", ".Der", "bad  byte", "\xff", "Größe Der"})
	want := []Source{{1, 0, 7}, {1, 16, 23}}
	if diff := cmp.Diff(want, g.Sources("Der Zug", 10)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if got := g.Sources("Der Zug", 1); len(got) != 1 {
		t.Errorf("got %d sources, want the first only", len(got))
	}
	for _, none := range [][]string{nil, {""}, {"\xff"}} {
		if _, err := Spans(none...); err == nil {
			t.Errorf("spans of %q: got no error", none)
		}
	}
	if _, err := Spans(strings.Repeat("0123456789abcdef", maxStates)); err == nil {
		t.Error("too long a text: got no error")
	}
}
