package chat

import "slices"

// The levels of precedence, loosest first, are jinja2's: a if b else c; or;
// and; not; comparisons; + -; ~; * / // %; **; signs, then what follows a
// value: calls, subscripts, filters and tests.

// tuple parses one of what one parses, or several with commas between as a
// tuple.
func (p *parser) tuple(one func() expression) expression {
	first := one()
	if !p.isOp(",") {
		return first
	}
	t := &listExpr{items: []expression{first}, tuple: true}
	for p.skipOp(",") {
		if k := p.peek(); k.kind == tokenEnd || k.kind == tokenTagEnd || p.isOp(")") {
			break
		}
		t.items = append(t.items, one())
	}
	return t
}

// expression parses an expression with its conditions.
func (p *parser) expression() expression {
	p.enter()
	defer p.leave()
	x := p.or()
	for p.skipName("if") {
		c := &ifExpr{test: p.or(), then: x}
		if p.skipName("else") {
			c.otherwise = p.expression()
		}
		x = c
	}
	return x
}

func (p *parser) or() expression {
	x := p.and()
	for p.skipName("or") {
		x = p.binary("or", x, p.and())
	}
	return x
}

func (p *parser) and() expression {
	x := p.not()
	for p.skipName("and") {
		x = p.binary("and", x, p.not())
	}
	return x
}

// binary builds a node and counts it as nesting: a long chain of operators is
// a deep tree.
func (p *parser) binary(op string, l, r expression) expression {
	if depth(l) > maxNesting*10 {
		p.fail("an expression has too many operators")
	}
	return &binaryExpr{op, l, r}
}

// depth is how deep the left side of a chain of operators is.
func depth(x expression) int {
	n := 0
	for {
		b, ok := x.(*binaryExpr)
		if !ok {
			return n
		}
		x = b.l
		n++
	}
}

func (p *parser) not() expression {
	if p.skipName("not") {
		p.enter()
		defer p.leave()
		return &unaryExpr{"not", p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expression {
	x := p.sum()
	c := &compareExpr{first: x}
	for {
		op := ""
		switch t := p.peek(); {
		case t.kind == tokenOperator && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.s):
			op = t.s
			p.next()
		case p.skipName("in"):
			op = "in"
		case p.isName("not") && p.tokens[p.at+1].kind == tokenName && p.tokens[p.at+1].s == "in":
			op = "not in"
			p.at += 2
		}
		if op == "" {
			break
		}
		c.ops = append(c.ops, op)
		c.rest = append(c.rest, p.sum())
	}
	if len(c.ops) == 0 {
		return x
	}
	return c
}

func (p *parser) sum() expression {
	return p.chain(p.concat, "+", "-")
}

func (p *parser) concat() expression {
	x := p.product()
	if !p.isOp("~") {
		return x
	}
	c := &concatExpr{parts: []expression{x}}
	for p.skipOp("~") {
		c.parts = append(c.parts, p.product())
	}
	return c
}

func (p *parser) product() expression {
	return p.chain(p.power, "*", "/", "//", "%")
}

func (p *parser) power() expression {
	return p.chain(p.unary, "**")
}

// chain parses operators of one level, from the left.
func (p *parser) chain(operand func() expression, ops ...string) expression {
	x := operand()
	for p.peek().kind == tokenOperator && slices.Contains(ops, p.peek().s) {
		op := p.next().s
		x = p.binary(op, x, operand())
	}
	return x
}

// unary parses a value with its signs and all that follows it.
func (p *parser) unary() expression {
	p.enter()
	defer p.leave()
	return p.filters(p.signed())
}

// signed parses a value with its signs, and what binds closer than a filter.
func (p *parser) signed() expression {
	for _, sign := range []string{"-", "+"} {
		if p.skipOp(sign) {
			p.enter()
			defer p.leave()
			return p.postfix(&unaryExpr{sign, p.signed()})
		}
	}
	return p.postfix(p.primary())
}

func (p *parser) primary() expression {
	t := p.next()
	switch t.kind {
	case tokenName:
		switch t.s {
		case "true", "True":
			return constant{true}
		case "false", "False":
			return constant{false}
		case "none", "None":
			return constant{nil}
		}
		return nameExpr{t.s}
	case tokenString:
		s := t.s
		for p.peek().kind == tokenString {
			s += p.next().s
		}
		return constant{literal(s)}
	case tokenNumber:
		return constant{t.n}
	case tokenOperator:
		switch t.s {
		case "(":
			return p.parenthesised()
		case "[":
			return &listExpr{items: p.items("]")}
		case "{":
			return p.dict()
		}
	}
	p.at--
	p.fail("unexpected %s", t)
	return nil
}

func (p *parser) parenthesised() expression {
	if p.skipOp(")") {
		return &listExpr{tuple: true}
	}
	x := p.tuple(p.expression)
	p.expectOp(")")
	return x
}

// items parses expressions with commas between up to an end.
func (p *parser) items(end string) []expression {
	var out []expression
	for !p.skipOp(end) {
		if len(out) > 0 {
			p.expectOp(",")
			if p.skipOp(end) {
				break
			}
		}
		out = append(out, p.expression())
	}
	return out
}

func (p *parser) dict() expression {
	d := &dictExpr{}
	for !p.skipOp("}") {
		if len(d.keys) > 0 {
			p.expectOp(",")
			if p.skipOp("}") {
				break
			}
		}
		d.keys = append(d.keys, p.expression())
		p.expectOp(":")
		d.values = append(d.values, p.expression())
	}
	return d
}

// postfix parses attributes, subscripts and calls. Each wraps the last, so
// their number is bounded like nesting.
func (p *parser) postfix(x expression) expression {
	for n := 0; ; n++ {
		if n > maxNesting {
			p.fail("more than %d subscripts and calls in a row", maxNesting)
		}
		switch {
		case p.skipOp("."):
			switch t := p.next(); t.kind {
			case tokenName:
				x = &attrExpr{x, t.s}
			case tokenNumber:
				x = &itemExpr{x, constant{t.n}}
			default:
				p.at--
				p.fail("unexpected %s, want a name", t)
			}
		case p.skipOp("["):
			x = p.subscript(x)
		case p.isOp("("):
			x = &callExpr{x, p.arguments()}
		default:
			return x
		}
	}
}

func (p *parser) subscript(x expression) expression {
	var from, to, step expression
	if !p.isOp(":") {
		from = p.expression()
		if p.isOp(",") {
			t := &listExpr{items: []expression{from}, tuple: true}
			for p.skipOp(",") {
				t.items = append(t.items, p.expression())
			}
			from = t
		}
		if p.skipOp("]") {
			return &itemExpr{x, from}
		}
	}
	p.expectOp(":")
	if !p.isOp(":") && !p.isOp("]") {
		to = p.expression()
	}
	if p.skipOp(":") && !p.isOp("]") {
		step = p.expression()
	}
	p.expectOp("]")
	return &sliceExpr{x, from, to, step}
}

// arguments parses what is between the parentheses of a call.
func (p *parser) arguments() (a argumentExprs) {
	p.expectOp("(")
	for n := 0; !p.skipOp(")"); n++ {
		if n > 0 {
			p.expectOp(",")
			if p.skipOp(")") {
				return a
			}
		}
		next := p.tokens[min(p.at+1, len(p.tokens)-1)]
		if p.peek().kind == tokenName && next.kind == tokenOperator && next.s == "=" {
			a.names = append(a.names, p.next().s)
			p.next()
			a.named = append(a.named, p.expression())
			continue
		}
		if p.isOp("*") || p.isOp("**") {
			p.fail("unpacked arguments are not supported")
		}
		if len(a.names) > 0 {
			p.fail("a positional argument after a named one")
		}
		a.positional = append(a.positional, p.expression())
	}
	return a
}

// filters parses filters, tests and calls after a value.
func (p *parser) filters(x expression) expression {
	for n := 0; ; n++ {
		if n > maxNesting {
			p.fail("more than %d filters in a row", maxNesting)
		}
		switch {
		case p.skipOp("|"):
			x = p.filter(x)
		case p.skipName("is"):
			x = p.test(x)
		case p.isOp("("):
			x = &callExpr{x, p.arguments()}
		default:
			return x
		}
	}
}

// filter parses one filter, without the bar before it.
func (p *parser) filter(x expression) expression {
	f := &filterExpr{x: x, name: p.dotted()}
	if p.isOp("(") {
		f.args = p.arguments()
	}
	if _, ok := filterNamed(f.name); !ok {
		p.fail("there is no filter %q", f.name)
	}
	return f
}

func (p *parser) dotted() string {
	name := p.expectName()
	for p.skipOp(".") {
		name += "." + p.expectName()
	}
	return name
}

func (p *parser) test(x expression) expression {
	t := &testExpr{x: x, not: p.skipName("not")}
	t.name = p.dotted()
	switch k := p.peek(); {
	case p.isOp("("):
		t.args = p.arguments()
	case k.kind == tokenName && slices.Contains([]string{"else", "or", "and", "is", "if", "recursive"}, k.s):
	case k.kind == tokenName, k.kind == tokenString, k.kind == tokenNumber, p.isOp("["), p.isOp("{"):
		t.args.positional = []expression{p.postfix(p.primary())}
	}
	if _, ok := testNamed(t.name); !ok {
		p.fail("there is no test %q", t.name)
	}
	return t
}
