package grammar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CompileRegex returns the texts that a regular expression matches as a whole,
// in RE2's syntax as package regexp reads it. Word boundaries and multi-line
// mode are refused.
func CompileRegex(pattern string) (*Grammar, error) {
	d, err := parseRegex(pattern, wholeText)
	if err != nil {
		return nil, fmt.Errorf("compile regular expression: %w", err)
	}
	b := &builder{}
	return b.grammar(b.rule("", plainText{d}))
}

// regexUse says which part of a text an expression has to match.
type regexUse bool

const (
	wholeText regexUse = true
	anyPart   regexUse = false // as JSON Schema's pattern
)

// parseRegex returns the automaton of the texts that match.
func parseRegex(pattern string, use regexUse) (*runeDFA, error) {
	if len(pattern) > maxSource {
		return nil, &LimitError{What: "bytes of a regular expression", Limit: maxSource}
	}
	if use == anyPart {
		pattern = `(?s:.*)(?:` + pattern + `)(?s:.*)`
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, err
	}
	return determinise(prog)
}

// determinise is the subset construction (Rabin and Scott 1959) over package
// regexp/syntax's programs.
func determinise(prog *syntax.Prog) (*runeDFA, error) {
	chars, err := charsOf(prog)
	if err != nil {
		return nil, err
	}
	samples := chars.samples()
	s := subsets{prog: prog, seen: make([]bool, len(prog.Inst))}
	first := s.closure([]uint32{uint32(prog.Start)}, syntax.EmptyBeginText)
	d, err := explore(chars, first,
		func(set string, class int32) (string, bool) {
			if s.work > maxRegexWork {
				return "", false
			}
			var to []uint32
			for _, pc := range instsOf(set) {
				if inst := &prog.Inst[pc]; isReader(inst) && inst.MatchRune(samples[class]) {
					to = append(to, inst.Out)
				}
			}
			next := s.closure(to, 0)
			return next, next != ""
		},
		s.accepts)
	if s.work > maxRegexWork {
		return nil, &LimitError{What: "steps to make a regular expression deterministic", Limit: maxRegexWork}
	}
	return d, err
}

// charsOf returns the classes of characters that a program tells apart.
func charsOf(prog *syntax.Prog) (*charset, error) {
	known := map[string]bool{}
	var readers []*syntax.Inst
	var bounds []rune
	for i := range prog.Inst {
		inst := &prog.Inst[i]
		if inst.Op == syntax.InstEmptyWidth && syntax.EmptyOp(inst.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
			return nil, errors.New(`of all assertions only ^, $, \A and \z are supported, outside multi-line mode`)
		}
		if !isReader(inst) {
			continue
		}
		if key := fmt.Sprint(inst.Op, inst.Arg, inst.Rune); !known[key] {
			known[key] = true
			readers = append(readers, inst)
			bounds = append(bounds, instBounds(inst)...)
		}
	}
	if len(readers)*len(bounds) > maxRegexWork {
		return nil, &LimitError{What: "pairs of character classes in a regular expression", Limit: maxRegexWork}
	}
	return newCharset(bounds, len(readers), func(set int, r rune) bool { return readers[set].MatchRune(r) }), nil
}

func isReader(inst *syntax.Inst) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

// instBounds returns where an instruction begins or ceases to match.
func instBounds(inst *syntax.Inst) []rune {
	switch inst.Op {
	case syntax.InstRuneAny:
		return nil
	case syntax.InstRuneAnyNotNL:
		return []rune{'\n', '\n' + 1}
	}
	var bounds []rune
	if len(inst.Rune) == 1 {
		r := inst.Rune[0]
		bounds = append(bounds, r, r+1)
		if syntax.Flags(inst.Arg)&syntax.FoldCase != 0 {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				bounds = append(bounds, f, f+1)
			}
		}
		return bounds
	}
	for i := 0; i+1 < len(inst.Rune); i += 2 {
		bounds = append(bounds, inst.Rune[i], inst.Rune[i+1]+1)
	}
	return bounds
}

// subsets makes the states of determinise: sets of instructions, as strings.
type subsets struct {
	prog *syntax.Prog
	seen []bool
	work int // instructions visited
}

func instsOf(set string) []uint32 {
	pcs := make([]uint32, len(set)/4)
	for i := range pcs {
		pcs[i] = binary.BigEndian.Uint32([]byte(set[4*i : 4*i+4]))
	}
	return pcs
}

// closure returns the instructions that read, match, or wait for the end of
// the text, reached from those given where the assertions in flags hold.
func (s *subsets) closure(from []uint32, flags syntax.EmptyOp) string {
	todo := slices.Clone(from)
	var reached, set []uint32
	for len(todo) > 0 {
		pc := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.seen[pc] {
			continue
		}
		s.seen[pc] = true
		reached = append(reached, pc)
		switch inst := &s.prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^flags == 0 {
				todo = append(todo, inst.Out)
			} else if syntax.EmptyOp(inst.Arg)&^flags == syntax.EmptyEndText {
				set = append(set, pc)
			}
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	s.work += len(reached)
	for _, pc := range reached {
		s.seen[pc] = false
	}
	slices.Sort(set)
	var key strings.Builder
	for _, pc := range set {
		key.Write(binary.BigEndian.AppendUint32(nil, pc))
	}
	return key.String()
}

// accepts reports whether a text may end at a set.
func (s *subsets) accepts(set string) bool {
	for _, pc := range instsOf(s.closure(instsOf(set), syntax.EmptyEndText)) {
		if s.prog.Inst[pc].Op == syntax.InstMatch {
			return true
		}
	}
	return false
}

// plainText is the set of the texts that an automaton accepts, in UTF-8.
type plainText struct{ *runeDFA }

func (t plainText) weight() int { return min(4*len(t.next), maxStates) }

func (t plainText) emit(b *builder, from, to int32) {
	t.embed(b, from, to, func(state int32, spans []span, next int32) {
		runes(spans).emit(b, state, next)
	})
}

// embed adds a state for each of the automaton's, and calls add for the
// characters that lead from one to another.
func (d *runeDFA) embed(b *builder, from, to int32, add func(state int32, spans []span, next int32)) {
	states := make([]int32, len(d.next))
	for s := range states {
		states[s] = b.state()
	}
	b.skip(from, states[0])
	for s, row := range d.next {
		if b.err != nil {
			return
		}
		if d.accept[s] {
			b.skip(states[s], to)
		}
		targets, spans := d.targets(row)
		for i, target := range targets {
			add(states[s], spans[i], states[target])
		}
	}
}

// targets returns the states that a row leads to, each with the characters
// that do, in order.
func (d *runeDFA) targets(row []int32) (targets []int32, spans [][]span) {
	place := map[int32]int{}
	for i, class := range d.chars.class {
		if class < 0 || row[class] == none {
			continue
		}
		at, ok := place[row[class]]
		if !ok {
			at = len(targets)
			place[row[class]] = at
			targets, spans = append(targets, row[class]), append(spans, nil)
		}
		s := d.chars.interval(i)
		if n := len(spans[at]); n > 0 && spans[at][n-1].hi+1 == s.lo {
			spans[at][n-1].hi = s.hi
		} else {
			spans[at] = append(spans[at], s)
		}
	}
	return targets, spans
}

// allChars reports whether spans, in order, are all characters.
func allChars(spans []span) bool {
	return len(spans) == 2 && spans[0] == span{0, surrogateMin - 1} && spans[1] == span{surrogateMax + 1, utf8.MaxRune}
}
