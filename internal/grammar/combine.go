package grammar

import (
	"errors"
	"fmt"
)

// Choice returns the language of the texts given.
func Choice(texts ...string) (*Grammar, error) {
	b := &builder{}
	var all either
	size := 0
	for _, text := range texts {
		all = append(all, literal(text))
		size += len(text)
	}
	if len(all) == 0 {
		return nil, errors.New("compile choice: want at least one text")
	}
	if size > maxSource {
		return nil, &LimitError{What: "bytes of choices", Limit: maxSource}
	}
	return b.grammar(b.rule("", all))
}

// Literal returns the language of one text, which may be empty.
func Literal(text string) (*Grammar, error) { return Choice(text) }

// Sequence returns the language of a text of each grammar, in order.
func Sequence(parts ...*Grammar) (*Grammar, error) {
	b := &builder{}
	var all sequence
	for _, g := range parts {
		all = append(all, b.include(g))
	}
	return b.grammar(b.rule("", all))
}

// Alternatives returns the language of the texts of any of the grammars, of
// which there is at least one.
func Alternatives(parts ...*Grammar) (*Grammar, error) {
	b := &builder{}
	var all either
	for _, g := range parts {
		all = append(all, b.include(g))
	}
	return b.grammar(b.rule("", all))
}

// Repeat returns the language of least to most texts of a grammar, one after
// another; a negative most is no bound.
func Repeat(g *Grammar, least, most int) (*Grammar, error) {
	if least < 0 || most >= 0 && most < least {
		return nil, fmt.Errorf("repeat a grammar %d to %d times: want from 0, and no more than the second", least, most)
	}
	b := &builder{}
	return b.grammar(b.rule("", repeat{b.include(g), least, max(most, unbounded)}))
}

// include adds the rules of a compiled grammar and returns its root.
func (b *builder) include(g *Grammar) call {
	p := g.program
	states, rules := int32(len(b.states)), int32(len(b.rules))
	if len(b.states)+len(p.exit) > maxStates {
		b.fail(&LimitError{What: "states", Limit: maxStates})
		return 0
	}
	for s := range int32(len(p.exit)) {
		added := buildState{plain: p.plain[s], plainRise: p.plainRise[s], plainLoop: p.plainLoop[s]}
		for _, e := range p.edgesOf(s) {
			added.edges = append(added.edges, edge{e.to + states, e.lo, e.hi})
		}
		for _, to := range p.skipsOf(s) {
			added.skips = append(added.skips, to+states)
		}
		for _, c := range p.callsOf(s) {
			added.calls = append(added.calls, callEdge{c.rule + rules, c.to + states})
		}
		b.states = append(b.states, added)
	}
	for _, r := range p.rules {
		b.rules = append(b.rules, rule{r.name, r.start + states, r.end + states})
	}
	return call(p.root + rules)
}
