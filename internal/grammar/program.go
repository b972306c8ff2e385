package grammar

import (
	"fmt"
	"math"
)

// program is a grammar's pushdown automaton as it is run: the builder's states
// without those from which no text can be completed. It does not change.
type program struct {
	rules    []rule
	nullable []bool // by rule: the empty string is in it
	root     int32

	edges      []edge
	skips      []int32
	calls      []callEdge
	edgesFrom  []int32 // by state; the state's edges end where the next one's begin
	skipsFrom  []int32
	callsFrom  []int32
	endsRule   []bool // by state: it is the end of a rule
	transports []bool // by state: it is the end of its rule and nothing else

	// exit is, by state, the fewest bytes from there to the end of its rule.
	exit []int32

	// plain is, by state, how many plain characters (see isPlain) may follow
	// whatever they are, plainForever for as many as one likes. It lets a mask
	// take the tokens of plain text without looking at each.
	plain []uint8

	// plainRise is, by state, by how many bytes exit may grow with them.
	plainRise []int32

	// plainLoop is, by state, whether every plain character leads back to it.
	plainLoop []bool

	// Bytes that no edge tells apart are one class.
	class   [256]uint8
	classes int
	sample  [256]byte // by class, one of its bytes
	single  [256]bool // by class: it is of one byte
}

// acceptState is the state to which the root rule returns: the text is
// complete. It is no state of the program.
const acceptState = math.MaxInt32

const never = math.MaxInt32

// compile turns what the builder has into a program that runs the rule root.
func (b *builder) compile(root call) (*program, error) {
	if b.err != nil {
		return nil, b.err
	}
	p := &program{rules: b.rules, root: int32(root)}
	p.measureExits(b)
	if p.exit[b.rules[root].start] == never {
		return nil, ErrEmpty
	}
	p.pack(b)
	p.findNullable()
	if err := p.checkLeftRecursion(); err != nil {
		return nil, err
	}
	p.classify()
	return p, nil
}

// pack lays the transitions out by state, without those that lead nowhere.
func (p *program) pack(b *builder) {
	n := len(b.states)
	p.edgesFrom, p.skipsFrom, p.callsFrom = make([]int32, n+1), make([]int32, n+1), make([]int32, n+1)
	p.endsRule, p.transports, p.plain = make([]bool, n), make([]bool, n), make([]uint8, n)
	p.plainRise, p.plainLoop = make([]int32, n), make([]bool, n)
	for _, r := range b.rules {
		p.endsRule[r.end] = true
	}
	for i := range b.states {
		s := &b.states[i]
		for _, e := range s.edges {
			if p.exit[e.to] != never {
				p.edges = append(p.edges, e)
			}
		}
		for _, to := range s.skips {
			if p.exit[to] != never {
				p.skips = append(p.skips, to)
			}
		}
		for _, c := range s.calls {
			if p.exit[c.to] != never && p.exit[b.rules[c.rule].start] != never {
				p.calls = append(p.calls, c)
			}
		}
		p.edgesFrom[i+1], p.skipsFrom[i+1], p.callsFrom[i+1] = int32(len(p.edges)), int32(len(p.skips)), int32(len(p.calls))
		p.plain[i], p.plainRise[i], p.plainLoop[i] = s.plain, s.plainRise, s.plainLoop
		p.transports[i] = p.endsRule[i] && p.edgesFrom[i] == p.edgesFrom[i+1] &&
			p.skipsFrom[i] == p.skipsFrom[i+1] && p.callsFrom[i] == p.callsFrom[i+1]
	}
}

func (p *program) edgesOf(state int32) []edge {
	return p.edges[p.edgesFrom[state]:p.edgesFrom[state+1]]
}

func (p *program) skipsOf(state int32) []int32 {
	return p.skips[p.skipsFrom[state]:p.skipsFrom[state+1]]
}

func (p *program) callsOf(state int32) []callEdge {
	return p.calls[p.callsFrom[state]:p.callsFrom[state+1]]
}

// findNullable marks the rules that hold the empty string: those whose
// shortest text has no bytes.
func (p *program) findNullable() {
	p.nullable = make([]bool, len(p.rules))
	for i, r := range p.rules {
		p.nullable[i] = p.exit[r.start] == 0
	}
}

// checkLeftRecursion reports a rule that can call itself before it reads
// anything: running it would never end.
func (p *program) checkLeftRecursion() error {
	const unseen, open, done = 0, 1, 2
	mark := make([]uint8, len(p.rules))
	var visit func(r int32, depth int) error
	visit = func(r int32, depth int) error {
		if depth > maxCallDepth {
			return &LimitError{What: "rules that begin with one another", Limit: maxCallDepth}
		}
		mark[r] = open
		for _, callee := range p.firstCalls(r) {
			if mark[callee] == open {
				return fmt.Errorf("rule %q is left-recursive: it calls itself before it reads anything; write it as a repetition", p.rules[callee].name)
			}
			if mark[callee] == unseen {
				if err := visit(callee, depth+1); err != nil {
					return err
				}
			}
		}
		mark[r] = done
		return nil
	}
	for r := range p.rules {
		if mark[r] == unseen {
			if err := visit(int32(r), 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// firstCalls returns the rules that r may call before it has read a byte.
func (p *program) firstCalls(r int32) []int32 {
	var callees []int32
	todo := []int32{p.rules[r].start}
	seen := map[int32]bool{todo[0]: true}
	push := func(state int32) {
		if !seen[state] {
			seen[state] = true
			todo = append(todo, state)
		}
	}
	for len(todo) > 0 {
		state := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, to := range p.skipsOf(state) {
			push(to)
		}
		for _, c := range p.callsOf(state) {
			callees = append(callees, c.rule)
			if p.nullable[c.rule] {
				push(c.to)
			}
		}
	}
	return callees
}

// classify finds the classes of bytes.
func (p *program) classify() {
	var begins [257]bool
	begins[0] = true
	for _, e := range p.edges {
		begins[e.lo] = true
		begins[int(e.hi)+1] = true
	}
	for b := range 256 {
		if begins[b] {
			p.sample[p.classes] = byte(b)
			p.single[p.classes] = true
			p.classes++
		} else {
			p.single[p.classes-1] = false
		}
		p.class[b] = uint8(p.classes - 1)
	}
}
