package grammar

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseGBNF returns the language of the rule root of a grammar in GBNF, the
// notation of llama.cpp: rules name ::= …, literals "…", characters [a-z],
// [^a-z] and ., groups, alternatives |, repetitions *, +, ?, {n}, {n,} and
// {n,m}, and comments #. Rules that are left-recursive are refused, as there.
func ParseGBNF(text string) (*Grammar, error) {
	if len(text) > maxSource {
		return nil, &LimitError{What: "bytes of a grammar", Limit: maxSource}
	}
	p := &gbnfParser{builder: &builder{}, text: text, rules: map[string]*gbnfRule{}}
	if err := p.parse(); err != nil {
		return nil, fmt.Errorf("parse GBNF: %w", err)
	}
	root, ok := p.rules["root"]
	if !ok {
		return nil, errors.New("parse GBNF: there is no rule named root")
	}
	g, err := p.grammar(root.call)
	if err != nil {
		return nil, fmt.Errorf("compile GBNF: %w", err)
	}
	return g, nil
}

// gbnfParser is a recursive-descent parser.
type gbnfParser struct {
	*builder
	text  string
	at    int
	depth int // of groups
	rules map[string]*gbnfRule
}

// gbnfRule is a rule that has been defined or mentioned.
type gbnfRule struct {
	call    call
	defined bool
	usedAt  int // where it was first mentioned
}

func (p *gbnfParser) parse() error {
	p.space(acrossLines)
	for p.at < len(p.text) {
		if err := p.rule(); err != nil {
			return err
		}
		p.space(acrossLines)
	}
	for _, name := range p.names() {
		if r := p.rules[name]; !r.defined {
			p.at = r.usedAt
			return p.errorf("rule %q is used and never defined", name)
		}
	}
	return p.err
}

func (p *gbnfParser) names() []string {
	var names []string
	for name := range p.rules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// errorf reports an error with its place.
func (p *gbnfParser) errorf(format string, args ...any) error {
	line := 1 + strings.Count(p.text[:p.at], "\n")
	return fmt.Errorf("line %d: %w", line, fmt.Errorf(format, args...))
}

// extent says how far white space reaches.
type extent bool

const (
	acrossLines extent = true
	withinLine  extent = false
)

// space passes white space and comments.
func (p *gbnfParser) space(e extent) {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '#':
			n := strings.IndexByte(p.text[p.at:], '\n')
			if n < 0 {
				n = len(p.text) - p.at
			}
			p.at += n
		case c == ' ' || c == '\t' || bool(e) && (c == '\r' || c == '\n'):
			p.at++
		default:
			return
		}
	}
}

// take passes a text if it comes next.
func (p *gbnfParser) take(text string) bool {
	ok := strings.HasPrefix(p.text[p.at:], text)
	if ok {
		p.at += len(text)
	}
	return ok
}

func (p *gbnfParser) name() string {
	start := p.at
	for p.at < len(p.text) && isNameByte(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// mention returns a rule by its name, defined or not yet.
func (p *gbnfParser) mention(name string) *gbnfRule {
	r := p.rules[name]
	if r == nil {
		r = &gbnfRule{call: p.declare(name), usedAt: p.at}
		p.rules[name] = r
	}
	return r
}

func (p *gbnfParser) rule() error {
	name := p.name()
	if name == "" {
		return p.errorf("want the name of a rule, not %q", p.next())
	}
	p.space(withinLine)
	if !p.take("::=") {
		return p.errorf("want ::= after the name %q", name)
	}
	r := p.mention(name)
	if r.defined {
		return p.errorf("rule %q is defined twice", name)
	}
	r.defined = true
	p.space(acrossLines)
	e, err := p.alternatives(withinLine)
	if err != nil {
		return err
	}
	if p.at < len(p.text) && p.text[p.at] != '\n' && p.text[p.at] != '\r' {
		return p.errorf("did not expect %q in rule %q", p.next(), name)
	}
	p.define(r.call, e)
	return p.err
}

// next is what comes next, for messages.
func (p *gbnfParser) next() string {
	r, n := utf8.DecodeRuneInString(p.text[p.at:])
	if n == 0 {
		return "the end"
	}
	return string(r)
}

func (p *gbnfParser) alternatives(e extent) (expr, error) {
	var all either
	for {
		s, err := p.sequence(e)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		if !p.take("|") {
			return all, nil
		}
		p.space(acrossLines)
	}
}

func (p *gbnfParser) sequence(e extent) (expr, error) {
	var all sequence
	for p.at < len(p.text) {
		part, err := p.part()
		if err != nil {
			return nil, err
		}
		if part == nil {
			break
		}
		if part, err = p.repetitions(part, e); err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	return all, nil
}

// part parses what a repetition may follow; nil if none of that comes next.
func (p *gbnfParser) part() (expr, error) {
	switch c := p.text[p.at]; {
	case c == '"':
		return p.literal()
	case c == '[':
		return p.class()
	case c == '(':
		return p.group()
	case p.take("."):
		return runes{{0, utf8.MaxRune}}, nil
	case isNameByte(c):
		r := p.mention(p.name())
		return r.call, nil
	}
	return nil, nil
}

func (p *gbnfParser) group() (expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, &LimitError{What: "groups within one another", Limit: maxDepth}
	}
	p.at++
	p.space(acrossLines)
	e, err := p.alternatives(acrossLines)
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.errorf("want ), not %q", p.next())
	}
	p.depth--
	return e, nil
}

// repetitions parses what follows a part.
func (p *gbnfParser) repetitions(part expr, e extent) (expr, error) {
	for {
		p.space(e)
		least, most := 0, unbounded
		switch {
		case p.take("*"):
		case p.take("+"):
			least = 1
		case p.take("?"):
			most = 1
		case p.take("{"):
			var err error
			if least, most, err = p.counts(); err != nil {
				return nil, err
			}
		default:
			return part, nil
		}
		// Each repetition is a rule of its own, so that many in a row make
		// many rules and no deep tree.
		part = p.builder.rule("", repeat{part, least, most})
		if p.err != nil {
			return nil, p.err
		}
	}
}

// counts parses n}, n,} or n,m}.
func (p *gbnfParser) counts() (least, most int, err error) {
	inside, rest, ok := strings.Cut(p.text[p.at:], "}")
	low, high, comma := strings.Cut(inside, ",")
	if least, err = strconv.Atoi(strings.TrimSpace(low)); err != nil || !ok || least < 0 {
		return 0, 0, p.errorf("want {n}, {n,} or {n,m}")
	}
	most = least
	if high = strings.TrimSpace(high); comma {
		most = unbounded
		if high != "" {
			if most, err = strconv.Atoi(high); err != nil || most < least {
				return 0, 0, p.errorf("want {n}, {n,} or {n,m}")
			}
		}
	}
	if max(least, most) > maxStates {
		return 0, 0, &LimitError{What: "repetitions", Limit: maxStates}
	}
	p.at = len(p.text) - len(rest)
	return least, most, nil
}

func (p *gbnfParser) literal() (expr, error) {
	p.at++
	var s strings.Builder
	for {
		if p.take(`"`) {
			return literal(s.String()), nil
		}
		r, err := p.char("a literal")
		if err != nil {
			return nil, err
		}
		s.WriteRune(r)
	}
}

func (p *gbnfParser) class() (expr, error) {
	p.at++
	negated := p.take("^")
	var spans []span
	for !p.take("]") {
		lo, err := p.char("a character class")
		if err != nil {
			return nil, err
		}
		hi := lo
		if strings.HasPrefix(p.text[p.at:], "-") && !strings.HasPrefix(p.text[p.at:], "-]") {
			p.at++
			if hi, err = p.char("a character class"); err != nil {
				return nil, err
			}
			if hi < lo {
				return nil, p.errorf("the range %c-%c is backwards", lo, hi)
			}
		}
		spans = append(spans, span{lo, hi})
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.lo - b.lo) })
	if negated {
		return runes(complement(spans)), nil
	}
	return runes(complement(complement(spans))), nil
}

// char parses one character of a literal or a class.
func (p *gbnfParser) char(of string) (rune, error) {
	r, n := utf8.DecodeRuneInString(p.text[p.at:])
	switch {
	case n == 0:
		return 0, p.errorf("%s has no end", of)
	case r == utf8.RuneError && n == 1:
		return 0, p.errorf("%s is not valid UTF-8", of)
	case r != '\\':
		p.at += n
		return r, nil
	}
	p.at++
	for _, hex := range []struct {
		mark   string
		digits int
	}{{"x", 2}, {"u", 4}, {"U", 8}} {
		if p.take(hex.mark) {
			return p.hex(hex.digits)
		}
	}
	r, n = utf8.DecodeRuneInString(p.text[p.at:])
	if i := strings.IndexRune(`nrt"\[]`, r); n > 0 && i >= 0 {
		p.at += n
		return []rune("\n\r\t\"\\[]")[i], nil
	}
	return 0, p.errorf("unknown escape \\%s", p.next())
}

func (p *gbnfParser) hex(digits int) (rune, error) {
	if len(p.text)-p.at < digits {
		return 0, p.errorf("want %d hexadecimal digits", digits)
	}
	x, err := strconv.ParseUint(p.text[p.at:p.at+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(x)) || x > utf8.MaxRune {
		return 0, p.errorf("%q is no character in %d hexadecimal digits", p.text[p.at:p.at+digits], digits)
	}
	p.at += digits
	return rune(x), nil
}
