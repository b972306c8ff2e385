package grammar

import "slices"

// expr is a set of byte strings, written as a tree.
type expr interface {
	// emit adds to b paths that spell exactly the set, from one state to
	// another. It adds no edge into from and none out of to, unless the two
	// are the same: then the paths are a loop.
	emit(b *builder, from, to int32)

	// weight estimates how many states emit adds.
	weight() int
}

type (
	// literal is the set of one string.
	literal string

	// byteRange is a single byte from lo to hi.
	byteRange struct{ lo, hi byte }

	// sequence is the concatenation of its parts, the empty string if it has
	// none.
	sequence []expr

	// either is the union of its parts, the empty set if it has none.
	either []expr

	// repeat is e, least to most times; a negative most is no bound.
	repeat struct {
		e           expr
		least, most int
	}

	// call is the set of another rule.
	call int32
)

// unbounded as repeat.most is no bound.
const unbounded = -1

func optional(parts ...expr) expr { return repeat{sequence(parts), 0, 1} }

func (l literal) weight() int { return len(l) }

func (l literal) emit(b *builder, from, to int32) {
	if l == "" {
		b.skip(from, to)
		return
	}
	for i := range len(l) - 1 {
		next := b.state()
		b.edge(from, l[i], l[i], next)
		from = next
	}
	b.edge(from, l[len(l)-1], l[len(l)-1], to)
}

func (byteRange) weight() int { return 1 }

func (r byteRange) emit(b *builder, from, to int32) { b.edge(from, r.lo, r.hi, to) }

func (s sequence) weight() int { return sumWeight(s) }

func (s sequence) emit(b *builder, from, to int32) {
	if len(s) == 0 {
		b.skip(from, to)
		return
	}
	for _, e := range s[:len(s)-1] {
		next := b.state()
		e.emit(b, from, next)
		from = next
	}
	s[len(s)-1].emit(b, from, to)
}

func (e either) weight() int { return sumWeight(e) }

func (e either) emit(b *builder, from, to int32) {
	for _, part := range e {
		part.emit(b, from, to)
	}
}

func (call) weight() int { return 1 }

func (c call) emit(b *builder, from, to int32) { b.call(from, int32(c), to) }

// weight counts the copies that emit makes, of a rule where e is large.
func (r repeat) weight() int {
	copies := max(r.least, r.most, 1)
	if copies == 1 {
		return r.e.weight()
	}
	return min(copies*min(r.e.weight(), worthARule), maxStates) + r.e.weight()
}

// worthARule is the weight from which a part that is needed several times
// becomes a rule of its own, so that its states are there once.
const worthARule = 4

func (r repeat) emit(b *builder, from, to int32) {
	e := r.e
	if e.weight() >= worthARule && max(r.least, r.most, 1) > 1 {
		e = b.rule("", e)
	}
	for range r.least {
		if b.err != nil {
			return
		}
		next := b.state()
		e.emit(b, from, next)
		from = next
	}
	if r.most == unbounded {
		loop := b.state()
		b.skip(from, loop)
		e.emit(b, loop, loop)
		b.skip(loop, to)
		return
	}
	for range r.most - r.least {
		if b.err != nil {
			return
		}
		next := b.state()
		b.skip(from, to)
		e.emit(b, from, next)
		from = next
	}
	b.skip(from, to)
}

func sumWeight(parts []expr) int {
	sum := 0
	for _, e := range parts {
		sum += e.weight()
	}
	return min(sum, maxStates)
}

// builder collects the states and rules of a grammar.
//
// A rule is a fragment with one start and one end; it can be called from any
// state, itself among them, and goes on where it was called once it reaches
// its end. Rules are what makes the whole a pushdown automaton.
type builder struct {
	states []buildState
	rules  []rule
	err    error // the first limit that was passed
}

// buildState is a state while the builder works.
type buildState struct {
	edges []edge
	skips []int32
	calls []callEdge

	plain     uint8 // see program.plain
	plainRise int32 // see program.plainRise
	plainLoop bool  // see program.plainLoop
}

// edge is a transition on one byte from lo to hi.
type edge struct {
	to     int32
	lo, hi byte
}

// callEdge runs a rule and goes on at to.
type callEdge struct{ rule, to int32 }

// rule is a fragment that can be called.
type rule struct {
	name       string // for messages; may be empty
	start, end int32
}

// state adds a state.
func (b *builder) state() int32 {
	if len(b.states) >= maxStates {
		b.fail(&LimitError{What: "states", Limit: maxStates})
		return 0
	}
	b.states = append(b.states, buildState{})
	return int32(len(b.states) - 1)
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) edge(from int32, lo, hi byte, to int32) {
	s := &b.states[from]
	s.edges = append(s.edges, edge{to, lo, hi})
}

// skip adds a transition that reads nothing.
func (b *builder) skip(from, to int32) {
	s := &b.states[from]
	if from != to && !slices.Contains(s.skips, to) {
		s.skips = append(s.skips, to)
	}
}

func (b *builder) call(from, rule, to int32) {
	s := &b.states[from]
	s.calls = append(s.calls, callEdge{rule, to})
}

// declare adds a rule without a body, so that it can be called before it is
// known.
func (b *builder) declare(name string) call {
	b.rules = append(b.rules, rule{name, b.state(), b.state()})
	return call(len(b.rules) - 1)
}

// define gives a declared rule its body.
func (b *builder) define(c call, e expr) {
	if b.err == nil {
		e.emit(b, b.rules[c].start, b.rules[c].end)
	}
}

// rule adds a rule with its body.
func (b *builder) rule(name string, e expr) call {
	c := b.declare(name)
	b.define(c, e)
	return c
}
