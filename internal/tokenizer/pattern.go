package tokenizer

import "unicode/utf8"

// pattern is a compiled regular expression of the kind that pre-tokenisers
// use: what Go's regexp has, but matched by backtracking, the first alternative
// that works and not the longest, with lookahead and possessive repetition.
//
// It is a program for a machine with a stack of choices (Cox 2009, "Regular
// Expression Matching: the Virtual Machine Approach"). Since nothing is
// captured, what failed once at some place fails again there; once a match
// takes long the machine remembers where it was, and is linear in the text.
type pattern struct {
	code []instruction
}

type opcode uint8

const (
	opSet    opcode = iota // one character of the set
	opSpan                 // as many characters of the set as there are, at least one; never fewer
	opSplit                // go on at x, and if that fails at y
	opJump                 // go on at x
	opAhead                // the program from pc+1 on matches here; go on at x
	opNotAt                // it does not; go on at x
	opAtomic               // it matches, in its first way; go on at x after it
	opStart                // the start of the text
	opEnd                  // the end of the text
	opMatch
)

type instruction struct {
	op   opcode
	x, y int
	set  *runeSet
}

// machine runs a pattern at one place of a text.
type machine struct {
	code  []instruction
	text  string
	steps int
	seen  map[choice]struct{} // splits that were come to; nil while few steps were made
}

type choice struct{ pc, at int }

// quickSteps is how long a machine works without remembering where it was.
const quickSteps = 2000

// match returns the end of the match that starts at a place, -1 if there is
// none.
func (p *pattern) match(text string, at int) int {
	m := machine{code: p.code, text: text}
	return m.run(0, at)
}

func (m *machine) run(pc, at int) int {
	var small [32]choice
	stack := small[:0]
	for {
		if m.steps++; m.steps == quickSteps {
			m.seen = map[choice]struct{}{}
		}
		ok := true
		in := &m.code[pc]
		switch in.op {
		case opMatch:
			return at
		case opJump:
			pc = in.x
		case opSplit:
			if ok = m.enter(pc, at); ok {
				stack = append(stack, choice{in.y, at})
				pc = in.x
			}
		default:
			pc, at, ok = m.step(in, pc, at)
		}
		if ok {
			continue
		}
		if len(stack) == 0 {
			return -1
		}
		last := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		pc, at = last.pc, last.at
	}
}

// enter reports whether a split has not been come to at this place before. If
// it has, it failed then, or it is the start of a loop that took nothing.
func (m *machine) enter(pc, at int) bool {
	if m.seen == nil {
		return true
	}
	c := choice{pc, at}
	_, seen := m.seen[c]
	m.seen[c] = struct{}{}
	return !seen
}

// step does what asks for the text, and returns where to go on.
func (m *machine) step(in *instruction, pc, at int) (next, end int, ok bool) {
	switch in.op {
	case opSet:
		n := in.set.match(m.text, at)
		return pc + 1, at + n, n > 0
	case opSpan:
		start := at
		for n := in.set.match(m.text, at); n > 0; n = in.set.match(m.text, at) {
			at += n
		}
		return pc + 1, at, at > start
	case opAhead:
		return in.x, at, m.apart(pc+1, at) >= 0
	case opNotAt:
		return in.x, at, m.apart(pc+1, at) < 0
	case opAtomic:
		end := m.apart(pc+1, at)
		return in.x, end, end >= 0
	case opStart:
		return pc + 1, at, at == 0
	}
	return pc + 1, at, at == len(m.text) // opEnd
}

// apart runs a program of its own, with a memory of its own since it ends
// elsewhere.
func (m *machine) apart(pc, at int) int {
	inner := machine{code: m.code, text: m.text}
	return inner.run(pc, at)
}

// find is a finder.
func (p *pattern) find(text string, from int) (int, int) {
	for at := from; at < len(text); {
		if end := p.match(text, at); end > at {
			return at, end
		}
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
	return len(text), len(text)
}

// runeSet is a set of characters.
type runeSet struct {
	ascii [utf8.RuneSelf]bool
	other func(r rune) bool // for the others
}

func newRuneSet(has func(r rune) bool) *runeSet {
	s := &runeSet{other: has}
	for r := range s.ascii {
		s.ascii[r] = has(rune(r))
	}
	return s
}

// match returns the length of a character of the set at a place, 0 if there is
// none. A byte that is not UTF-8 is a character in no class.
func (s *runeSet) match(text string, at int) int {
	if at >= len(text) {
		return 0
	}
	if c := text[at]; c < utf8.RuneSelf {
		if s.ascii[c] {
			return 1
		}
		return 0
	}
	r, n := utf8.DecodeRuneInString(text[at:])
	if s.other(r) {
		return n
	}
	return 0
}
