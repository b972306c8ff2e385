package chat

import (
	"fmt"
	"slices"
)

// maxNesting bounds how deep tags and expressions may nest.
const maxNesting = 200

// parser is a cursor over tokens. Its methods panic with an *Error, which
// parse recovers.
type parser struct {
	tokens []lexToken
	at     int
	depth  int
	loops  int // enclosing for tags, for break and continue
}

func parse(tokens []lexToken) (body []statement, err error) {
	p := &parser{tokens: tokens}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *Error:
			err = e
		default:
			panic(e)
		}
	}()
	return p.statements(), nil
}

func (p *parser) fail(format string, args ...any) {
	panic(&Error{Line: p.peek().line, Reason: fmt.Sprintf(format, args...)})
}

// enter guards a level of nesting; call leave after it.
func (p *parser) enter() {
	p.depth++
	if p.depth > maxNesting {
		p.fail("nested more than %d deep", maxNesting)
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) peek() lexToken { return p.tokens[p.at] }

func (p *parser) next() lexToken {
	t := p.tokens[p.at]
	if t.kind != tokenEOF {
		p.at++
	}
	return t
}

func (p *parser) is(kind tokenKind, s string) bool {
	t := p.peek()
	return t.kind == kind && t.s == s
}

func (p *parser) isOp(s string) bool   { return p.is(tokenOperator, s) }
func (p *parser) isName(s string) bool { return p.is(tokenName, s) }

// skip takes a token if it is next.
func (p *parser) skip(kind tokenKind, s string) bool {
	if !p.is(kind, s) {
		return false
	}
	p.at++
	return true
}

func (p *parser) skipOp(s string) bool   { return p.skip(tokenOperator, s) }
func (p *parser) skipName(s string) bool { return p.skip(tokenName, s) }

func (p *parser) expectOp(s string) {
	if !p.skipOp(s) {
		p.fail("unexpected %s, want %s", p.peek(), s)
	}
}

func (p *parser) expectName() string {
	t := p.next()
	if t.kind != tokenName {
		p.at--
		p.fail("unexpected %s, want a name", t)
	}
	return t.s
}

func (p *parser) expectTagEnd() {
	if t := p.next(); t.kind != tokenTagEnd {
		p.at--
		p.fail("unexpected %s, want %%}", t)
	}
}

// statements parses up to a tag with one of the names, whose name it leaves to
// be taken, or to the end of the template where no name is given.
func (p *parser) statements(until ...string) []statement {
	p.enter()
	defer p.leave()
	var out []statement
	for {
		t := p.next()
		switch t.kind {
		case tokenData:
			out = append(out, outputStmt{t.line, constant{literal(t.s)}})
		case tokenBegin:
			x := p.tuple(p.expression)
			if end := p.next(); end.kind != tokenEnd {
				p.at--
				p.fail("unexpected %s, want }}", end)
			}
			out = append(out, outputStmt{t.line, x})
		case tokenTag:
			if slices.Contains(until, p.peek().s) && p.peek().kind == tokenName {
				return out
			}
			if s := p.statement(t.line); s != nil {
				out = append(out, s...)
			}
		case tokenEOF:
			if len(until) > 0 {
				p.fail("the template ends where %s is wanted", until[len(until)-1])
			}
			return out
		default:
			p.at--
			p.fail("unexpected %s", t)
		}
	}
}

// body parses the statements of a tag up to its end tag, which it takes.
func (p *parser) body(end string) []statement {
	p.expectTagEnd()
	out := p.statements(end)
	p.next()
	p.expectTagEnd()
	return out
}

// statement parses one tag from its name on.
func (p *parser) statement(line int) []statement {
	name := p.expectName()
	switch name {
	case "if":
		return []statement{p.ifTag(line)}
	case "for":
		return []statement{p.forTag(line)}
	case "set":
		return []statement{p.setTag(line)}
	case "macro":
		return []statement{p.macroTag(line)}
	case "call":
		return []statement{p.callTag(line)}
	case "filter":
		f := filterStmt{line: line, filters: p.filters(p.filter(blockText{}))}
		f.body = p.body("endfilter")
		return []statement{f}
	case "with":
		return []statement{p.withTag(line)}
	case "generation": // marks the assistant's text for training
		return p.body("endgeneration")
	case "break", "continue":
		if p.loops == 0 {
			p.fail("%s outside of a loop", name)
		}
		p.expectTagEnd()
		if name == "break" {
			return []statement{breakStmt{line}}
		}
		return []statement{continueStmt{line}}
	}
	p.at--
	p.fail("the tag %q is not supported", name)
	return nil
}

func (p *parser) ifTag(line int) ifStmt {
	s := ifStmt{line: line, test: p.tuple(p.or)}
	p.expectTagEnd()
	s.then = p.statements("elif", "else", "endif")
	switch tag := p.next(); tag.s {
	case "elif":
		p.enter()
		s.next = []statement{p.ifTag(tag.line)}
		p.leave()
		return s
	case "else":
		s.next = p.body("endif")
		return s
	}
	p.expectTagEnd()
	return s
}

func (p *parser) forTag(line int) forStmt {
	s := forStmt{line: line, target: p.targets()}
	if !p.skipName("in") {
		p.fail("unexpected %s, want in", p.peek())
	}
	s.items = p.tuple(p.or)
	if p.skipName("if") {
		s.filter = p.expression()
	}
	s.recursive = p.skipName("recursive")
	p.expectTagEnd()
	p.loops++
	s.body = p.statements("else", "endfor")
	p.loops--
	if p.next().s == "else" {
		s.otherwise = p.body("endfor")
		return s
	}
	p.expectTagEnd()
	return s
}

func (p *parser) setTag(line int) statement {
	t := p.targets()
	if p.skipOp("=") {
		s := setStmt{line: line, target: t, x: p.tuple(p.expression)}
		p.expectTagEnd()
		return s
	}
	s := setBlockStmt{line: line, target: t}
	if p.isOp("|") {
		s.filters = p.filters(blockText{})
	}
	s.body = p.body("endset")
	return s
}

func (p *parser) macroTag(line int) macroStmt {
	m := &macro{name: p.expectName()}
	p.params(m)
	p.macroBody(m, "endmacro")
	return macroStmt{line, m}
}

func (p *parser) callTag(line int) callStmt {
	caller := &macro{name: "caller"}
	if p.isOp("(") {
		p.params(caller)
	}
	call, ok := p.unary().(*callExpr)
	if !ok {
		p.fail("call wants a call")
	}
	p.macroBody(caller, "endcall")
	return callStmt{line, call, caller}
}

// macroBody parses a body in which an enclosing loop cannot be left.
func (p *parser) macroBody(m *macro, end string) {
	loops := p.loops
	p.loops = 0
	m.body = p.body(end)
	p.loops = loops
}

func (p *parser) params(m *macro) {
	p.expectOp("(")
	for !p.skipOp(")") {
		if len(m.params) > 0 {
			p.expectOp(",")
			if p.skipOp(")") {
				return
			}
		}
		m.params = append(m.params, p.expectName())
		if p.skipOp("=") {
			m.defaults = append(m.defaults, p.expression())
		} else if len(m.defaults) > 0 {
			p.fail("parameter %q without a default after one with it", m.params[len(m.params)-1])
		}
	}
}

func (p *parser) withTag(line int) withStmt {
	s := withStmt{line: line}
	for p.peek().kind != tokenTagEnd {
		if len(s.targets) > 0 {
			p.expectOp(",")
		}
		s.targets = append(s.targets, p.target())
		p.expectOp("=")
		s.values = append(s.values, p.expression())
	}
	s.body = p.body("endwith")
	return s
}

// targets parses what is assigned to, several with commas between.
func (p *parser) targets() target {
	first := p.target()
	if !p.isOp(",") {
		return first
	}
	all := target{names: []target{first}}
	for p.skipOp(",") {
		if t := p.peek(); t.kind != tokenName && !p.isOp("(") || t.s == "in" && t.kind == tokenName {
			break
		}
		all.names = append(all.names, p.target())
	}
	return all
}

func (p *parser) target() target {
	p.enter()
	defer p.leave()
	if p.skipOp("(") {
		t := p.targets()
		p.expectOp(")")
		return t
	}
	t := target{name: p.expectName()}
	switch t.name {
	case "true", "false", "none", "True", "False", "None":
		p.fail("cannot assign to %s", t.name)
	}
	if p.skipOp(".") {
		t.attr = p.expectName()
	}
	return t
}
