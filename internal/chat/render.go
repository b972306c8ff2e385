package chat

import (
	"fmt"
	"time"
)

// The limits of a rendering. A unit of the budget is about a byte of memory
// or a nanosecond of time.
const (
	baseBudget   = 128 << 20
	budgetFactor = 64  // units more for each byte of the conversation
	nodeCost     = 24  // units for evaluating an expression or a statement
	scopeCost    = 400 // units for a loop's iteration or a macro's call
	valueCost    = 16  // units for a value in a list or dictionary
	maxDepth     = 1500
	maxShape     = 1 << 20 // values in a list or dictionary, nested ones included
	maxListDepth = 200
	maxRange     = 100_000 // as in jinja2's sandbox
)

// renderer is the state of one rendering.
type renderer struct {
	budget int
	depth  int
	now    time.Time
	scope  *scope
	out    *textBuilder
	block  text // what blockText stands for
}

func newRenderer(size int, now time.Time) *renderer {
	return &renderer{budget: baseBudget + budgetFactor*size, now: now}
}

// scope holds the variables of a template, a loop's body or a macro.
type scope struct {
	vars   map[string]value
	parent *scope
}

func (s *scope) lookup(name string) (value, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (s *scope) set(name string, v value) {
	if s.vars == nil {
		s.vars = map[string]value{}
	}
	s.vars[name] = v
}

// failf is an error of the template; statements add their line.
func failf(format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...)}
}

// charge takes units from the budget.
func (r *renderer) charge(units int) error {
	if units < 0 || units > r.budget {
		r.budget = 0
		return failf("it takes more work than any real template")
	}
	r.budget -= units
	return nil
}

// enter guards a level of recursion; call leave after it.
func (r *renderer) enter() error {
	r.depth++
	if r.depth > maxDepth {
		return failf("it recurses more than %d deep", maxDepth)
	}
	return r.charge(nodeCost)
}

func (r *renderer) leave() { r.depth-- }

// run renders a whole template.
func (r *renderer) run(body []statement, globals map[string]value) (text, error) {
	r.out = &textBuilder{}
	r.scope = &scope{parent: &scope{vars: globals}}
	if _, err := r.exec(body); err != nil {
		return text{}, err
	}
	return r.out.text(), nil
}

// signal is how a list of statements ended.
type signal int

const (
	done signal = iota
	broken
	continued
)

// exec runs statements.
func (r *renderer) exec(body []statement) (signal, error) {
	for _, s := range body {
		sig, err := r.statement(s)
		if err != nil {
			if e, ok := err.(*Error); ok && e.Line == 0 {
				e.Line = lineOf(s)
			}
			return done, err
		}
		if sig != done {
			return sig, nil
		}
	}
	return done, nil
}

func lineOf(s statement) int {
	switch s := s.(type) {
	case outputStmt:
		return s.line
	case ifStmt:
		return s.line
	case forStmt:
		return s.line
	case setStmt:
		return s.line
	case setBlockStmt:
		return s.line
	case macroStmt:
		return s.line
	case callStmt:
		return s.line
	case filterStmt:
		return s.line
	case withStmt:
		return s.line
	}
	return 0
}

func (r *renderer) statement(s statement) (signal, error) {
	if err := r.enter(); err != nil {
		return done, err
	}
	defer r.leave()
	switch s := s.(type) {
	case outputStmt:
		return done, r.output(s)
	case ifStmt:
		test, err := r.eval(s.test)
		if err != nil {
			return done, err
		}
		if truth(test) {
			return r.exec(s.then)
		}
		return r.exec(s.next)
	case forStmt:
		return done, r.forLoop(s)
	case setStmt:
		v, err := r.eval(s.x)
		if err != nil {
			return done, err
		}
		return done, r.assign(s.target, v)
	case setBlockStmt:
		t, err := r.filtered(s.body, s.filters)
		if err != nil {
			return done, err
		}
		return done, r.assign(s.target, t)
	case macroStmt:
		r.scope.set(s.macro.name, r.closure(s.macro))
		return done, nil
	case callStmt:
		return done, r.callBlock(s)
	case filterStmt:
		v, err := r.filtered(s.body, s.filters)
		if err != nil {
			return done, err
		}
		return done, r.write(v)
	case withStmt:
		return r.with(s)
	case breakStmt:
		return broken, nil
	case continueStmt:
		return continued, nil
	}
	return done, failf("unknown statement %T", s)
}

func (r *renderer) output(s outputStmt) error {
	v, err := r.eval(s.x)
	if err != nil {
		return err
	}
	return r.write(v)
}

// write adds a value to the text that is being built.
func (r *renderer) write(v value) error {
	t, err := r.str(v)
	if err != nil {
		return err
	}
	if err := r.charge(len(t.s)); err != nil {
		return err
	}
	r.out.add(t)
	return nil
}

// capture runs statements in a scope of their own and returns their text.
func (r *renderer) capture(body []statement) (text, error) {
	outer := r.out
	r.out = &textBuilder{}
	defer func() { r.out = outer }()
	if _, err := r.exec(body); err != nil {
		return text{}, err
	}
	return r.out.text(), nil
}

// inScope runs do with a new innermost scope.
func (r *renderer) inScope(parent *scope, do func() error) error {
	if err := r.charge(scopeCost); err != nil {
		return err
	}
	outer := r.scope
	r.scope = &scope{parent: parent}
	defer func() { r.scope = outer }()
	return do()
}

// filtered captures a block and applies its filters.
func (r *renderer) filtered(body []statement, filters expression) (v value, err error) {
	err = r.inScope(r.scope, func() error {
		v, err = r.capture(body)
		return err
	})
	if err != nil || filters == nil {
		return v, err
	}
	outer := r.block
	r.block = v.(text)
	defer func() { r.block = outer }()
	return r.eval(filters)
}

func (r *renderer) with(s withStmt) (sig signal, err error) {
	values := make([]value, len(s.values))
	for i, x := range s.values {
		if values[i], err = r.eval(x); err != nil {
			return done, err
		}
	}
	err = r.inScope(r.scope, func() error {
		for i, t := range s.targets {
			if err := r.assign(t, values[i]); err != nil {
				return err
			}
		}
		sig, err = r.exec(s.body)
		return err
	})
	return sig, err
}

func (r *renderer) assign(t target, v value) error {
	switch {
	case t.names != nil:
		items, err := r.items(v)
		if err != nil {
			return err
		}
		if len(items) != len(t.names) {
			return failf("cannot unpack %d values into %d names", len(items), len(t.names))
		}
		for i, name := range t.names {
			if err := r.assign(name, items[i]); err != nil {
				return err
			}
		}
	case t.attr != "":
		v0, _ := r.scope.lookup(t.name)
		ns, ok := v0.(*namespace)
		if !ok {
			return failf("cannot set an attribute of %s, which is no namespace", t.name)
		}
		ns.vars[t.attr] = v
	default:
		r.scope.set(t.name, v)
	}
	return nil
}
