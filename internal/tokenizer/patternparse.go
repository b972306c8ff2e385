package tokenizer

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parsePattern compiles a regular expression. What it uses and a pattern does
// not have is an error that names it.
func parsePattern(source string) (p *pattern, err error) {
	defer func() {
		if e, ok := recover().(patternError); ok {
			p, err = nil, fmt.Errorf("pattern %q: %s is %w", source, string(e), ErrUnsupported)
		}
	}()
	r := patternParser{rest: source}
	r.alternatives(flagsOf{})
	if r.rest != "" {
		r.fail("an unmatched )")
	}
	r.emit(instruction{op: opMatch})
	return &pattern{r.code}, nil
}

// patternError is what a pattern may not have.
type patternError string

// patternParser emits the program while it reads, inserting instructions
// before what it has just emitted where an operator comes after its operand.
type patternParser struct {
	rest  string
	code  []instruction
	depth int
}

// flagsOf are the flags that hold in a group.
type flagsOf struct{ fold bool }

// Limits on hostile patterns: how deep groups may nest, how large a program is.
const (
	patternDepth = 50
	patternSize  = 1 << 16
)

func (p *patternParser) fail(what string) { panic(patternError(what)) }

func (p *patternParser) emit(in instruction) {
	if len(p.code) >= patternSize {
		p.fail("a program of this size")
	}
	p.code = append(p.code, in)
}

func (p *patternParser) take(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return ok
}

// insert puts an instruction before the code from at on.
func (p *patternParser) insert(at int, in instruction) {
	p.emit(in)
	copy(p.code[at+1:], p.code[at:])
	p.code[at] = in
	shift(p.code[at+1:], at, 1)
}

// shift adds n to the targets of code that are at from or after.
func shift(code []instruction, from, n int) {
	for i := range code {
		switch code[i].op {
		case opSplit:
			if code[i].y >= from {
				code[i].y += n
			}
			fallthrough
		case opJump, opAhead, opNotAt, opAtomic:
			if code[i].x >= from {
				code[i].x += n
			}
		}
	}
}

// alternatives parses a|b|c up to a ) or the end.
func (p *patternParser) alternatives(f flagsOf) {
	if p.depth++; p.depth > patternDepth {
		p.fail("nesting this deep")
	}
	defer func() { p.depth-- }()
	var jumps []int
	for {
		start := len(p.code)
		f = p.sequence(f)
		if !p.take("|") {
			break
		}
		p.insert(start, instruction{op: opSplit, x: start + 1})
		jumps = append(jumps, len(p.code))
		p.emit(instruction{op: opJump})
		p.code[start].y = len(p.code)
	}
	for _, j := range jumps {
		p.code[j].x = len(p.code)
	}
}

// sequence parses terms with their repetitions. It returns the flags, which
// (?i) may have changed.
func (p *patternParser) sequence(f flagsOf) flagsOf {
	for p.rest != "" && p.rest[0] != '|' && p.rest[0] != ')' {
		if p.take("(?i)") {
			f.fold = true
			continue
		}
		start := len(p.code)
		p.term(f)
		p.repeat(start)
	}
	return f
}

func (p *patternParser) term(f flagsOf) {
	switch {
	case p.take("(?:"):
		p.group(f)
	case p.take("(?i:"):
		p.group(flagsOf{fold: true})
	case p.take("(?="):
		p.apart(opAhead, f)
	case p.take("(?!"):
		p.apart(opNotAt, f)
	case p.take("(?>"):
		p.apart(opAtomic, f)
	case strings.HasPrefix(p.rest, "(?"):
		p.fail("group " + p.rest[:min(4, len(p.rest))])
	case p.take("("):
		p.group(f)
	case p.take("^"):
		p.emit(instruction{op: opStart})
	case p.take("$"):
		p.emit(instruction{op: opEnd})
	case p.rest[0] == '*' || p.rest[0] == '+' || p.rest[0] == '?':
		p.fail("a repetition of nothing")
	default:
		p.emit(instruction{op: opSet, set: p.character(f)})
	}
}

func (p *patternParser) group(f flagsOf) {
	p.alternatives(f)
	if !p.take(")") {
		p.fail("a group without )")
	}
}

// apart parses a group that is a program of its own.
func (p *patternParser) apart(op opcode, f flagsOf) {
	at := len(p.code)
	p.emit(instruction{op: op})
	p.group(f)
	p.emit(instruction{op: opMatch})
	p.code[at].x = len(p.code)
}

// repeat parses the operator after the term that starts at start.
func (p *patternParser) repeat(start int) {
	least, most := 1, 1
	switch {
	case p.take("*"):
		least, most = 0, -1
	case p.take("+"):
		least, most = 1, -1
	case p.take("?"):
		least, most = 0, 1
	case p.rest != "" && p.rest[0] == '{':
		least, most = p.counts()
	default:
		return
	}
	possessive := p.take("+")
	lazy := !possessive && p.take("?")
	single := len(p.code) == start+1 && p.code[start].op == opSet
	if possessive && single && least == 1 && most < 0 {
		p.code[start].op = opSpan
		return
	}
	p.times(start, least, most, lazy)
	if possessive {
		p.insert(start, instruction{op: opAtomic})
		p.emit(instruction{op: opMatch})
		p.code[start].x = len(p.code)
	}
}

// counts parses {n}, {n,} and {n,m}.
func (p *patternParser) counts() (least, most int) {
	inside, rest, ok := strings.Cut(p.rest[1:], "}")
	low, high, two := strings.Cut(inside, ",")
	least, err := strconv.Atoi(low)
	most = least
	if err == nil && two {
		most = -1
		if high != "" {
			most, err = strconv.Atoi(high)
		}
	}
	if !ok || err != nil || least < 0 || least > 1000 || most > 1000 || most >= 0 && most < least {
		p.fail("repetition " + p.rest[:min(8, len(p.rest))])
	}
	p.rest = rest
	return least, most
}

// times repeats the code from start on.
func (p *patternParser) times(start, least, most int, lazy bool) {
	term := append([]instruction(nil), p.code[start:]...)
	p.code = p.code[:start]
	put := func() {
		at := len(p.code)
		for _, in := range term {
			p.emit(in)
		}
		shift(p.code[at:], start, at-start)
	}
	choose := func(into, past int) instruction {
		if lazy {
			return instruction{op: opSplit, x: past, y: into}
		}
		return instruction{op: opSplit, x: into, y: past}
	}
	for range least {
		put()
	}
	if most < 0 {
		loop := len(p.code)
		p.emit(instruction{op: opSplit})
		put()
		p.emit(instruction{op: opJump, x: loop})
		p.code[loop] = choose(loop+1, len(p.code))
		return
	}
	var splits []int
	for range most - least {
		splits = append(splits, len(p.code))
		p.emit(instruction{op: opSplit})
		put()
	}
	for _, at := range splits {
		p.code[at] = choose(at+1, len(p.code))
	}
}

// character parses a character, a class or an escape.
func (p *patternParser) character(f flagsOf) *runeSet {
	var has func(rune) bool
	switch {
	case p.take("["):
		has = p.class(f)
	case p.take("."):
		has = func(r rune) bool { return r != '\n' }
	case p.rest[0] == '\\':
		has = p.escape(f)
	default:
		r, n := utf8.DecodeRuneInString(p.rest)
		p.rest = p.rest[n:]
		has = one(r, f)
	}
	return newRuneSet(has)
}

// one is the set of a character, and with folding of its other cases.
func one(r rune, f flagsOf) func(rune) bool { return between(r, r, f) }

func between(lo, hi rune, f flagsOf) func(rune) bool {
	if !f.fold {
		return func(r rune) bool { return lo <= r && r <= hi }
	}
	return func(r rune) bool {
		for c := r; ; {
			if lo <= c && c <= hi {
				return true
			}
			if c = unicode.SimpleFold(c); c == r {
				return false
			}
		}
	}
}

// class parses the inside of [ ], after the first bracket.
func (p *patternParser) class(f flagsOf) func(rune) bool {
	if p.depth++; p.depth > patternDepth {
		p.fail("nesting this deep")
	}
	defer func() { p.depth-- }()
	negated := p.take("^")
	var parts []func(rune) bool
	var and func(rune) bool
	for first := true; ; first = false {
		switch {
		case p.rest == "":
			p.fail("a class without ]")
		case !first && p.take("]"):
			has := func(r rune) bool {
				in := false
				for _, part := range parts {
					if part(r) {
						in = true
						break
					}
				}
				return (in && (and == nil || and(r))) != negated
			}
			return has
		case p.take("&&"):
			and = p.class(f) // up to the same ]
			p.rest = "]" + p.rest
		case p.take("["):
			parts = append(parts, p.class(f))
		default:
			parts = append(parts, p.classItem(f))
		}
	}
}

// classItem parses a character, a range or an escape in a class.
func (p *patternParser) classItem(f flagsOf) func(rune) bool {
	lo, has := p.classCharacter(f)
	if has != nil {
		return has
	}
	if len(p.rest) < 2 || p.rest[0] != '-' || p.rest[1] == ']' {
		return one(lo, f)
	}
	p.rest = p.rest[1:]
	hi, has := p.classCharacter(f)
	if has != nil || hi < lo {
		p.fail("a range that ends in no later character")
	}
	return between(lo, hi, f)
}

// classCharacter parses one character, or an escape for many as a set.
func (p *patternParser) classCharacter(f flagsOf) (rune, func(rune) bool) {
	if p.rest == "" {
		p.fail("a class without ]")
	}
	if p.rest[0] == '\\' {
		if r, ok := p.literal(); ok {
			return r, nil
		}
		return 0, p.escape(f)
	}
	r, n := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[n:]
	return r, nil
}

var escapedCharacters = map[byte]rune{'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', 'f': '\f', 'a': '\a', 'e': 0x1b}

// literal parses an escape that stands for one character.
func (p *patternParser) literal() (rune, bool) {
	if len(p.rest) < 2 {
		p.fail("a \\ at the end")
	}
	c := p.rest[1]
	if r, ok := escapedCharacters[c]; ok {
		p.rest = p.rest[2:]
		return r, true
	}
	if c == 'x' || c == 'u' {
		return p.hexadecimal()
	}
	if c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
		return 0, false
	}
	p.rest = p.rest[2:]
	return rune(c), true
}

// hexadecimal parses \x12, \x{123} and \u1234.
func (p *patternParser) hexadecimal() (rune, bool) {
	digits, n := "", 0
	switch {
	case strings.HasPrefix(p.rest, `\x{`):
		digits, _, _ = strings.Cut(p.rest[3:], "}")
		n = len(digits) + 4
	case p.rest[1] == 'x' && len(p.rest) >= 4:
		digits, n = p.rest[2:4], 4
	case p.rest[1] == 'u' && len(p.rest) >= 6:
		digits, n = p.rest[2:6], 6
	}
	r, err := strconv.ParseUint(digits, 16, 31)
	if err != nil || r > unicode.MaxRune || n > len(p.rest) {
		p.fail("escape " + p.rest[:min(6, len(p.rest))])
	}
	p.rest = p.rest[n:]
	return rune(r), true
}

// escape parses a backslash and what follows.
func (p *patternParser) escape(f flagsOf) func(rune) bool {
	if r, ok := p.literal(); ok {
		return one(r, f)
	}
	c := p.rest[1]
	p.rest = p.rest[2:]
	switch c {
	case 'p', 'P':
		return p.property(c == 'P')
	case 's':
		return unicode.IsSpace
	case 'S':
		return func(r rune) bool { return !unicode.IsSpace(r) }
	case 'd':
		return unicode.IsDigit
	case 'D':
		return func(r rune) bool { return !unicode.IsDigit(r) }
	case 'w':
		return isPatternWord
	case 'W':
		return func(r rune) bool { return !isPatternWord(r) }
	}
	p.fail(`escape \` + string(rune(c)))
	return nil
}

// isPatternWord is \w as Oniguruma has it, which Hugging Face uses: without the
// joiners, with Latin-1's superscripts and fractions.
func isPatternWord(r rune) bool {
	switch r {
	case '²', '³', '¹', '¼', '½', '¾':
		return true
	case 0x200c, 0x200d:
		return false
	}
	return isRustWord(r)
}

// property parses the name of a Unicode category or script.
func (p *patternParser) property(negated bool) func(rune) bool {
	name := ""
	switch {
	case p.rest == "":
		p.fail(`a \p without its property`)
	case p.rest[0] == '{':
		inside, rest, ok := strings.Cut(p.rest[1:], "}")
		if !ok {
			p.fail(`a \p without its property`)
		}
		name, p.rest = inside, rest
	default:
		name, p.rest = p.rest[:1], p.rest[1:]
	}
	if rest, ok := strings.CutPrefix(name, "^"); ok {
		name, negated = rest, !negated
	}
	table, ok := unicode.Categories[name]
	if !ok {
		if table, ok = unicode.Scripts[name]; !ok {
			p.fail(`property \p{` + name + `}`)
		}
	}
	return func(r rune) bool { return unicode.Is(table, r) != negated }
}
