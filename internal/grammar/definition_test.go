package grammar

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// definition says what an expr means, by looking at texts: slowly, and without
// any automaton.
type definition struct {
	rules      []expr // by call
	productive []bool // by rule: some text is in it
}

func define(rules []expr) *definition {
	d := &definition{rules, make([]bool, len(rules))}
	for changed := true; changed; {
		changed = false
		for i, e := range rules {
			if !d.productive[i] && d.hasTexts(e) {
				d.productive[i], changed = true, true
			}
		}
	}
	return d
}

// hasTexts reports whether a set is not empty.
func (d *definition) hasTexts(e expr) bool {
	switch e := e.(type) {
	case sequence:
		for _, part := range e {
			if !d.hasTexts(part) {
				return false
			}
		}
	case either:
		for _, part := range e {
			if d.hasTexts(part) {
				return true
			}
		}
		return false
	case repeat:
		return e.least == 0 || d.hasTexts(e.e)
	case call:
		return d.productive[e]
	}
	return true
}

// meaning is what a set says about a text from some place on: where its members
// can end, and whether some member begins with all the rest of the text.
type meaning struct {
	ends   map[int]bool
	begins bool
}

func (d *definition) of(e expr, text string, at int) meaning {
	m := meaning{ends: map[int]bool{}}
	if !d.hasTexts(e) {
		return m
	}
	switch e := e.(type) {
	case literal:
		rest := text[at:]
		if strings.HasPrefix(rest, string(e)) {
			m.ends[at+len(e)] = true
		}
		m.begins = strings.HasPrefix(string(e), rest)
	case byteRange:
		if at == len(text) {
			m.begins = true
		} else if e.lo <= text[at] && text[at] <= e.hi {
			m.ends[at+1] = true
			m.begins = at+1 == len(text)
		}
	case sequence:
		return d.ofSequence(e, text, at)
	case either:
		for _, part := range e {
			p := d.of(part, text, at)
			m.begins = m.begins || p.begins
			for end := range p.ends {
				m.ends[end] = true
			}
		}
	case repeat:
		return d.ofRepeat(e, text, at)
	case call:
		return d.of(d.rules[e], text, at)
	}
	return m
}

func (d *definition) ofSequence(e sequence, text string, at int) meaning {
	if len(e) == 0 {
		return meaning{ends: map[int]bool{at: true}, begins: at == len(text)}
	}
	m := meaning{ends: map[int]bool{}}
	first := d.of(e[0], text, at)
	m.begins = first.begins && d.hasTexts(e[1:])
	for middle := range first.ends {
		rest := d.ofSequence(e[1:], text, middle)
		m.begins = m.begins || rest.begins
		for end := range rest.ends {
			m.ends[end] = true
		}
	}
	return m
}

// ofRepeat goes through the copies one by one; one that reads nothing changes
// nothing but the count.
func (d *definition) ofRepeat(e repeat, text string, at int) meaning {
	m := meaning{ends: map[int]bool{}}
	places := map[int]bool{at: true}
	for n := 0; len(places) > 0; n++ {
		if n >= e.least {
			for place := range places {
				m.ends[place] = true
				m.begins = m.begins || place == len(text)
			}
		}
		if n == e.most || n > e.least+len(text)+1 {
			break
		}
		next := map[int]bool{}
		for place := range places {
			one := d.of(e.e, text, place)
			m.begins = m.begins || one.begins
			for end := range one.ends {
				next[end] = true
			}
		}
		places = next
	}
	return m
}

// randomExpr makes a set over few letters.
func randomExpr(rng *rand.Rand, rules, depth int) expr {
	kinds := 8
	if depth == 0 {
		kinds = 4
	}
	switch rng.IntN(kinds) {
	case 0, 1:
		return literal([]string{"", "a", "b", "c", "ab", "ba", "aab", "cé", "abcabc"}[rng.IntN(9)])
	case 2:
		return byteRange{'a', 'a' + byte(rng.IntN(3))}
	case 3:
		if rng.IntN(12) == 0 {
			return either{}
		}
		return call(rng.IntN(rules))
	case 4, 5:
		var s sequence
		for range rng.IntN(4) {
			s = append(s, randomExpr(rng, rules, depth-1))
		}
		return s
	case 6:
		e := either{}
		for range 1 + rng.IntN(3) {
			e = append(e, randomExpr(rng, rules, depth-1))
		}
		return e
	}
	r := repeat{e: randomExpr(rng, rules, depth-1), least: rng.IntN(3)}
	if r.most = r.least + rng.IntN(4); r.most == r.least+3 {
		r.most = unbounded
	}
	return r
}

// randomVocabulary has every letter, and longer tokens, some of them twice.
func randomVocabulary(rng *rand.Rand) (*Vocabulary, []string) {
	tokens := []string{"a", "b", "c", "\xc3", "\xa9", "", "d"}
	for range 30 {
		token := ""
		for range 1 + rng.IntN(4) {
			token += []string{"a", "b", "c", "é", "\xa9"}[rng.IntN(5)]
		}
		tokens = append(tokens, token)
	}
	return NewVocabulary(len(tokens), func(id int32) []byte { return []byte(tokens[id]) }, nil), tokens
}

// randomGrammar returns rules that compile, and their definition.
func randomGrammar(t *testing.T, rng *rand.Rand) (*Grammar, *definition) {
	t.Helper()
	for {
		var rules []expr
		b := &builder{}
		for range 4 {
			rules = append(rules, randomExpr(rng, 4, 3))
			b.declare("")
		}
		for i, e := range rules {
			b.define(call(i), e)
		}
		g, err := b.grammar(0)
		d := define(rules)
		if errors.Is(err, ErrEmpty) == d.productive[0] {
			t.Fatalf("%#v: got error %v, but it has texts: %v", rules, err, d.productive[0])
		}
		if err == nil {
			return g, d
		}
	}
}

// Each token is in the mask exactly if the text with it begins a text of the
// language; a text is complete exactly if it is in it; and within the room
// there is at the start, a text is finished whatever is chosen.
func TestMasksEqualTheDefinition(t *testing.T) {
	const grammars = 500
	masks, ambiguous := 0, 0
	for seed := range uint64(grammars) {
		rng := rand.New(rand.NewPCG(seed, 1))
		g, d := randomGrammar(t, rng)
		v, tokens := randomVocabulary(rng)
		c, err := g.For(v)
		if err != nil {
			t.Fatal(err)
		}
		m := c.NewMatcher()
		mask := NewBitset(v.Size())
		text := ""
		for range 8 {
			if err := m.Mask(mask, 1000); err != nil {
				ambiguous++
				break
			}
			masks++
			for id, token := range tokens {
				want := token != "" && d.of(d.rules[0], text+token, 0).begins
				if got := mask.Has(int32(id)); got != want {
					t.Fatalf("seed %d, %#v: after %q token %q: got %v, want %v", seed, d.rules, text, token, got, want)
				}
				if got := m.Clone().Accept(int32(id)) == nil; got != want {
					t.Fatalf("seed %d, %#v: after %q Accept of %q: got %v, want %v", seed, d.rules, text, token, got, want)
				}
			}
			if got, want := m.Complete(), d.of(d.rules[0], text, 0).ends[len(text)]; got != want {
				t.Fatalf("seed %d, %#v: %q is complete: got %v, want %v", seed, d.rules, text, got, want)
			}
			if got, want := m.Done(), m.Complete() && mask.Count() == 0; got != want {
				t.Fatalf("seed %d, %#v: %q is done: got %v, want %v", seed, d.rules, text, got, want)
			}
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
	t.Logf("%d masks, %d grammars too ambiguous", masks, ambiguous)
	if masks < 2*grammars || ambiguous > 0 {
		t.Errorf("got %d masks of %d grammars, %d of them too ambiguous: the test shows little", masks, grammars, ambiguous)
	}
}

// pick takes any token of a mask.
func pick(rng *rand.Rand, mask Bitset) int32 {
	n := rng.IntN(mask.Count())
	chosen := int32(-1)
	mask.All(func(token int32) bool {
		chosen = token
		n--
		return n >= 0
	})
	return chosen
}

// With just the room that the shortest exit needs, or a little more, a text is
// complete in the end, whatever is chosen on the way.
func TestTextsEndWithinTheRoom(t *testing.T) {
	longer, exits := 0, 0
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 2))
		g, d := randomGrammar(t, rng)
		v, tokens := randomVocabulary(rng)
		c, err := g.For(v)
		if err != nil {
			t.Fatal(err)
		}
		m := c.NewMatcher()
		mask := NewBitset(v.Size())
		for range rng.IntN(3) {
			if err := m.Mask(mask, 1000); err != nil || mask.Count() == 0 {
				break
			}
			if err := m.Accept(pick(rng, mask)); err != nil {
				t.Fatal(err)
			}
		}
		least, ok := m.Exit()
		if !ok {
			continue // no text is spelled by tokens
		}
		exits++
		if shortest := shortestExit(c, m, least); shortest < least {
			longer++
		}
		room := least + rng.IntN(4)
		var text []string
		for start := room; room > 0 && !m.Done(); room-- {
			if forced := m.Forced(room); len(forced) > 0 && rng.IntN(2) == 0 {
				mustBeIn(t, m, mask, room, forced[0])
			}
			if err := m.Mask(mask, room); err != nil {
				t.Fatal(err)
			}
			if mask.Count() == 0 {
				break
			}
			mustTellNarrowing(t, m, mask)
			token := pick(rng, mask)
			text = append(text, tokens[token])
			if err := m.Accept(token); err != nil {
				t.Fatalf("seed %d, %#v: after %q: %v", seed, d.rules, text, err)
			}
			if left, ok := m.Exit(); !ok || left > room-1 {
				t.Fatalf("seed %d, %#v: %q: %d tokens to an exit, with room for %d of %d", seed, d.rules, text, left, room-1, start)
			}
		}
		if !m.Complete() {
			t.Fatalf("seed %d, %#v: %q is not complete", seed, d.rules, text)
		}
	}
	t.Logf("%d exits, %d of them not the shortest", exits, longer)
	if longer*100 > exits {
		t.Errorf("%d of %d exits are not the shortest, want at most 1 in 100", longer, exits)
	}
}

// mustTellNarrowing compares what a matcher says of its last mask with the mask
// for as much room as there could be.
func mustTellNarrowing(t *testing.T, m *Matcher, mask Bitset) {
	t.Helper()
	narrowed, whole := m.Narrowed(), slices.Clone(mask)
	if err := m.Mask(whole, never-1); err != nil {
		t.Fatal(err)
	}
	if m.Narrowed() || narrowed != (whole.Count() > mask.Count()) {
		t.Errorf("narrowed is %v with %d tokens of %d, and %v with room for all", narrowed, mask.Count(), whole.Count(), m.Narrowed())
	}
}

// mustBeIn reports a forced token that the mask forbids.
func mustBeIn(t *testing.T, m *Matcher, mask Bitset, room int, token int32) {
	t.Helper()
	if err := m.Mask(mask, room); err != nil {
		t.Fatal(err)
	}
	if !mask.Has(token) {
		t.Errorf("token %d is forced, and not in the mask", token)
	}
}

// shortestExit searches breadth first for an exit of fewer than most tokens.
func shortestExit(c *Compiled, m *Matcher, most int) int {
	level := map[*config]bool{m.at: true}
	for n := range most {
		next := map[*config]bool{}
		for at := range level {
			if at.complete {
				return n
			}
			nexts, err := c.nexts(at, never)
			if err != nil {
				return most
			}
			for _, n := range nexts {
				next[n] = true
			}
		}
		level = next
	}
	return most
}
