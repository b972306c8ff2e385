package chat

// loop is the variable of that name inside a for.
type loop struct {
	items   []value
	at      int
	depth   int
	recurse func(items value) (value, error) // nil unless recursive
}

func (r *renderer) forLoop(s forStmt) error {
	v, err := r.eval(s.items)
	if err != nil {
		return err
	}
	return r.iterate(s, v, 0)
}

// iterate runs a loop over v; its body's text goes to r.out.
func (r *renderer) iterate(s forStmt, v value, depth int) error {
	items, err := r.items(v)
	if err != nil {
		return err
	}
	if s.filter != nil {
		if items, err = r.keep(s, items); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return r.inScope(r.scope, func() error {
			_, err := r.exec(s.otherwise)
			return err
		})
	}
	l := &loop{items: items, depth: depth}
	parent := r.scope
	if s.recursive {
		l.recurse = func(inner value) (value, error) { return r.recurse(s, parent, inner, depth+1) }
	}
	for l.at = range items {
		sig := done
		err := r.inScope(parent, func() error {
			r.scope.set("loop", l)
			if err := r.assign(s.target, items[l.at]); err != nil {
				return err
			}
			var err error
			sig, err = r.exec(s.body)
			return err
		})
		if err != nil {
			return err
		}
		if sig == broken {
			break
		}
	}
	return nil
}

// recurse is a recursive loop's call of itself, whose text is its value.
func (r *renderer) recurse(s forStmt, parent *scope, v value, depth int) (out value, err error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	outer, outerScope := r.out, r.scope
	r.out, r.scope = &textBuilder{}, parent
	defer func() { r.out, r.scope = outer, outerScope }()
	if err := r.iterate(s, v, depth); err != nil {
		return nil, err
	}
	return r.out.text(), nil
}

// keep applies a loop's condition.
func (r *renderer) keep(s forStmt, items []value) (kept []value, err error) {
	for _, item := range items {
		err := r.inScope(r.scope, func() error {
			if err := r.assign(s.target, item); err != nil {
				return err
			}
			v, err := r.eval(s.filter)
			if err == nil && truth(v) {
				kept = append(kept, item)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// attribute is one of the properties a template asks of loop.
func (l *loop) attribute(name string) value {
	n := int64(len(l.items))
	at := int64(l.at)
	switch name {
	case "index":
		return at + 1
	case "index0":
		return at
	case "revindex":
		return n - at
	case "revindex0":
		return n - at - 1
	case "first":
		return at == 0
	case "last":
		return at == n-1
	case "length":
		return n
	case "depth":
		return int64(l.depth + 1)
	case "depth0":
		return int64(l.depth)
	case "previtem":
		if at > 0 {
			return l.items[at-1]
		}
	case "nextitem":
		if at+1 < n {
			return l.items[at+1]
		}
	case "cycle":
		return function{"cycle", func(_ *renderer, a arguments) (value, error) {
			if len(a.positional) == 0 {
				return nil, failf("cycle has nothing to choose from")
			}
			return a.positional[at%int64(len(a.positional))], nil
		}}
	}
	return undefined{"loop." + name}
}
